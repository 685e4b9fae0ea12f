package lab

import (
	"strings"
	"testing"
	"time"
)

// TestLineThatComesByteByByteIsNoLoad: one connection that sends a line of blanks in segments of one byte kept the
// server busy for seconds, since the whole line was looked at after each of them. What a line is made of must not
// matter. The clock is only used to compare with the same number of letters, within one run.
func TestLineThatComesByteByByteIsNoLoad(t *testing.T) {
	const size = 65_000
	letters := strings.Repeat("x", size)
	const factorMax = 20 // It was 120 to 600.
	half := strings.Repeat(" ", size/2)
	for name, line := range map[string]string{
		"blanks":                   half + half,
		"carriage returns":         strings.Repeat("\r", size),
		"blanks behind a letter":   "K" + half + half,
		"blanks before letters":    half + strings.Repeat("x", size/2),
		"blanks behind a head":     "JOIN_CHATROOM:" + half + half,
		"blanks before a value":    "JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME:" + half + strings.Repeat("x", size/2),
		"blanks behind a value":    "JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: x" + half + half,
		"blanks behind a bad line": "CHAT: 1\nMESSAGE: x\n\nCHAT: 1\nno key\n" + half + half,
		"a text":                   "CHAT: 1\nJOIN_ID: 1\nCLIENT_NAME: c\nMESSAGE:" + half + half,
	} {
		var took, want time.Duration
		for try := 0; try < 20 && took >= want; try++ { // Others use the machine, too: one comparison that is fair will do.
			want = factorMax * lasts(letters)
			took = lasts(line)
		}
		if took >= want {
			t.Errorf("%s: %d bytes take %v, as many letters %v", name, len(line), took, want/factorMax)
		}
	}
}

// lasts returns how long a server needs for in if every byte comes alone.
func lasts(in string) time.Duration {
	start := time.Now()
	byteByByte(in)
	return time.Since(start)
}

// byteByByte does what a server does with every segment: takes what is whole, and asks whether silence may end the rest.
func byteByByte(in string) {
	var d Decoder
	for i := range len(in) {
		d.Feed([]byte(in[i : i+1]))
		for {
			if _, ok, err := d.Next(); !ok && err == nil {
				break
			}
		}
		_ = d.Pending()
	}
}

func BenchmarkBlanksByteByByte(b *testing.B) {
	line := strings.Repeat(" ", 65_000)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		byteByByte(line)
	}
}
