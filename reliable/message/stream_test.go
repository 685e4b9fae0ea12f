package message

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryCut cuts streams at every byte, into two pieces and into single bytes, and wants the same from the Decoder
// and from all ways to use a Reader.
func TestEveryCut(t *testing.T) {
	const (
		tooLong  = "error: message: 1001 bytes, allowed are 1000"
		tooLong2 = "error: message: 20000 bytes, allowed are 1000"
	)
	tests := []struct {
		name string
		in   []byte
		want outcome
	}{
		{"nothing", nil, nil},
		{"empty message", stream(0), outcome{"text(0)"}},
		{"empty messages", stream(0, 0, 3, 0), outcome{"text(0)", "text(0)", "text(3)", "text(0)"}},
		{"small messages", stream(1, 2, 63, 64, 65), outcome{"text(1)", "text(2)", "text(63)", "text(64)", "text(65)"}},
		{"longer than the buffer", stream(66, 200, 1, 127, 128, 129), outcome{"text(66)", "text(200)", "text(1)", "text(127)", "text(128)", "text(129)"}},
		{"longest", stream(1000, 3), outcome{"text(1000)", "text(3)"}},
		{"too long by one", stream(3, 1001, 4), outcome{"text(3)", tooLong, "text(4)"}},
		{"too long again and again", stream(1001, 1001, 0, 1001), outcome{tooLong, tooLong, "text(0)", tooLong}},
		{"truncated length", append(stream(7), 0x7f), outcome{"text(7)", "error: message: stream ended inside a length: unexpected EOF"}},
		{"truncated behind length", append(stream(7), 1), outcome{"text(7)", "error: message: stream ended after 0 of 1 bytes: unexpected EOF"}},
		{"truncated small message", stream(7, 60)[:50], outcome{"text(7)", "error: message: stream ended after 41 of 60 bytes: unexpected EOF"}},
		{"truncated message", stream(7, 700)[:510], outcome{"text(7)", "error: message: stream ended after 500 of 700 bytes: unexpected EOF"}},
		{"truncated refused message", stream(20000)[:104], outcome{tooLong2, "error: message: stream ended after 100 of 20000 bytes: unexpected EOF"}},
		{"longer than any", []byte("\x84\x00\x00\x01abc"), outcome{"error: message: 67108865 bytes, allowed are 1000"}},
		{"another protocol", []byte("\xff\xfe"), outcome{"error: message: malformed length: it has 8 bytes, 4 are the most"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var single [][]byte
			for cut := range len(test.in) + 1 {
				everyWay(t, small, test.want, test.in[:cut], test.in[cut:])
				if cut > 0 {
					single = append(single, test.in[cut-1:cut])
				}
			}
			everyWay(t, small, test.want, single...)
		})
	}
}

// TestAnyMessagesAnyCuts: whatever is sent and however the network cuts it, the same messages come out, and what is
// refused is refused alone.
func TestAnyMessagesAnyCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			MessageBytesMax: rapid.IntRange(1, 3000).Draw(t, "messageBytesMax"),
			BufferBytes:     rapid.IntRange(1, 700).Draw(t, "bufferBytes"),
		}
		if rapid.Bool().Draw(t, "withBudget") {
			cfg.Budget = NewBudget(1 << 20)
		}
		length := rapid.OneOf(rapid.IntRange(0, 130), rapid.IntRange(0, 3100), rapid.SampledFrom([]int{0, 63, 64, 16383, 16384}))
		var in []byte
		var want outcome
		for _, n := range rapid.SliceOfN(length, 0, 20).Draw(t, "lengths") {
			in = Append(in, text(n))
			if n > cfg.MessageBytesMax {
				want = append(want, fmt.Sprintf("error: message: %d bytes, allowed are %d", n, cfg.MessageBytesMax))
			} else {
				want = append(want, fmt.Sprintf("text(%d)", n))
			}
		}
		size := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, 1500))
		var list [][]byte
		for len(in) > 0 {
			n := min(len(in), size.Draw(t, "piece"))
			list = append(list, in[:n])
			in = in[n:]
		}
		everyWay(t, cfg, want, list...)
	})
}

// TestRefusedForBudgetGoesOn: a message beyond the budget is refused alone, at every cut; small ones pass.
func TestRefusedForBudgetGoesOn(t *testing.T) {
	in := stream(3, 900, 64, 400, 5)
	for cut := range len(in) + 1 {
		cfg := small
		cfg.Budget = NewBudget(650) // 400 needs 400+200 at most, 900 needs 900+450 unless it comes at once.
		for way, got := range map[string]outcome{
			"Decoder": decode(cfg, in[:cut], in[cut:]),
			"Next":    read(cfg, &pieces{list: [][]byte{in[:cut], in[cut:]}, late: true}),
			"Rest":    readStreamed(cfg, &pieces{list: [][]byte{in[:cut], in[cut:]}}, 0),
		} {
			var kept outcome
			for _, line := range got {
				// The Decoder needs no memory for what is fed whole; the refusal names how much had come.
				if way == "Decoder" && line == "text(900)" || strings.HasPrefix(line, "error: message: over the memory budget: ") {
					line = "refused or whole"
				}
				kept = append(kept, line)
			}
			want := outcome{"text(3)", "refused or whole", "text(64)", "text(400)", "text(5)"}
			if kept.String() != want.String() {
				t.Fatalf("%s, cut at %d: got\n%v\nwant\n%v", way, cut, got, want)
			}
		}
		if held := cfg.Budget.Stats().HeldBytes; held != 0 {
			t.Fatalf("cut at %d: %d bytes not given back", cut, held)
		}
	}
}
