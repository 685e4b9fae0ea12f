package native

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors.txt")

// Every message comes back as it went, and the samples have all types and fields there are.
func TestMessagesRoundTrip(t *testing.T) {
	asked, answered, pushed := map[Type]bool{}, map[string]bool{}, map[Type]bool{}
	for _, m := range sampleRequests() {
		asked[m.Type()] = true
		head, got, err := DecodeRequest(AppendRequest(nil, 300, m))
		if want := (Head{m.Type(), 300}); err != nil || head != want || !reflect.DeepEqual(got, m) {
			t.Errorf("request %#v: got %v, %#v, %v", m, head, got, err)
		}
	}
	for _, a := range sampleAnswers() {
		answered[reflect.TypeOf(a.reply).Name()] = true
		want := Head{a.to, 70_000}
		head, got, err := DecodeReply(AppendReply(nil, want, a.reply))
		if _, refused := a.reply.(Error); refused {
			want.Type = TypeError
		}
		if err != nil || head != want || !reflect.DeepEqual(got, a.reply) {
			t.Errorf("answer %#v: got %v, %#v, %v", a.reply, head, got, err)
		}
		wantAllFieldsSet(t, a.reply)
	}
	for _, m := range samplePushes() {
		pushed[m.Type()] = true
		head, got, err := DecodeReply(AppendPush(nil, m))
		if want := (Head{Type: m.Type()}); err != nil || head != want || !reflect.DeepEqual(got, m) {
			t.Errorf("push %#v: got %v, %#v, %v", m, head, got, err)
		}
	}
	for typ := range Type(100) {
		if (requestDecoder(typ) != nil) != asked[typ] {
			t.Errorf("type %d: no sample of the request, or nothing to decode it", typ)
		}
		if (pushDecoder(typ) != nil) != pushed[typ] {
			t.Errorf("type %d: no sample of the push, or nothing to decode it", typ)
		}
		if (answerDecoder(typ) != nil) != (asked[typ] || typ == TypeError) {
			t.Errorf("type %d: a request without an answer, or an answer without a request", typ)
		}
	}
	wantAllFieldsSet(t, sampleEvent)
	wantAllFieldsSet(t, samplePerson)
	wantAllFieldsSet(t, *sampleFile)
}

// Whatever a server may say is known as this protocol however little of it is there.
func TestBeginsRepliesTakesAllThereAre(t *testing.T) {
	takes := func(what any, b []byte) {
		t.Helper()
		length := []byte{byte(len(b))} // Frames as SPEC.md 1 has them.
		if len(b) > 63 {
			length = []byte{0x40 | byte(len(b)>>8), byte(len(b))}
		}
		frame := append(length, b...)
		for n := range len(frame) {
			if yes, sure := BeginsReplies(frame[:n]); !yes || sure != (n > len(length)) {
				t.Errorf("%d bytes of %T: %t, sure %t", n, what, yes, sure)
			}
		}
	}
	for _, a := range sampleAnswers() {
		takes(a.reply, AppendReply(nil, Head{a.to, 70_000}, a.reply))
	}
	for _, m := range samplePushes() {
		takes(m, AppendPush(nil, m))
	}
}

// wantAllFieldsSet keeps the samples honest: a field that is zero there is not tested.
func wantAllFieldsSet(t *testing.T, m any) {
	t.Helper()
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("sample %T: %s is not set", m, v.Type().Field(i).Name)
		}
	}
}

// The bytes of every sample, reviewed as text: what is in this file is what others speak.
func TestVectors(t *testing.T) {
	var got strings.Builder
	line := func(what string, b []byte, m any) {
		fmt.Fprintf(&got, "%s %s\n%x\n\n", what, strings.TrimPrefix(fmt.Sprintf("%T", m), "native."), b)
	}
	for _, m := range sampleRequests() {
		line("request", AppendRequest(nil, 7, m), m)
	}
	for _, a := range sampleAnswers() {
		line("answer", AppendReply(nil, Head{a.to, 7}, a.reply), a.reply)
	}
	for _, m := range samplePushes() {
		line("push", AppendPush(nil, m), m)
	}
	golden := filepath.Join("testdata", "vectors.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("bytes on the wire changed (-golden +now); other versions will not understand them:\n%s", diff)
	}
}

// body makes a message of any fields.
func body(t *testing.T, typ Type, id uint64, fields map[any]any) []byte {
	t.Helper()
	b, err := cbor.Marshal([]any{typ, id, fields})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A newer client's fields and messages do not disturb (SPEC.md 2.5).
func TestDecoderSkipsWhatItDoesNotKnow(t *testing.T) {
	b := body(t, TypeJoin, 9, map[any]any{1: "kitchen", 99: "new", "word": []any{1, map[any]any{2: []byte("x")}}, 2: 5})
	head, m, err := DecodeRequest(b)
	if want := (Join{"kitchen", 5}); err != nil || m != want || head.ID != 9 {
		t.Errorf("unknown fields: got %v, %#v, %v; want %#v", head, m, err, want)
	}
	head, m, err = DecodeRequest(body(t, 4711, 9, map[any]any{1: "x"}))
	if want := (Unknown{4711}); err != nil || m != want || head.ID != 9 {
		t.Errorf("unknown request: got %v, %#v, %v", head, m, err)
	}
	for _, id := range []uint64{0, 9} {
		head, r, err := DecodeReply(body(t, 4711, id, map[any]any{1: "x"}))
		if want := (Unknown{4711}); err != nil || r != want || head.ID != id {
			t.Errorf("unknown reply: got %v, %#v, %v", head, r, err)
		}
	}
}

// Faults of form are told with the head as far as it could be read, so that the answer finds its request.
func TestDecoderRefusesBadForm(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		head      Head
	}{
		{"nothing", "", Head{}},
		{"no array", "a0", Head{}},
		{"array of two", "820102", Head{}},
		{"array of four", "840102a0a0", Head{}},
		{"array without length", "9f0102a0ff", Head{}},
		{"type is a text", "8361610aa0", Head{}},
		{"type is negative", "83200aa0", Head{}},
		{"type longer than needed", "8318020aa0", Head{}},
		{"id longer than needed", "8302190007a0", Head{}},
		{"id cut off", "83021900", Head{}},
		{"body missing", "83020a", Head{2, 10}},
		{"body is an array", "83020a80", Head{2, 10}},
		{"body cut off", "83020aa101", Head{2, 10}},
		{"something behind the body", "83020aa000", Head{2, 10}},
		{"map without length", "83020abfff", Head{2, 10}},
		{"a tag", "83020aa101c100", Head{2, 10}},
		{"a field twice", "83020aa201010102", Head{2, 10}},
		{"field of the wrong type", "83020aa1016161", Head{2, 10}},
		{"text that is not UTF-8", "83060aa10161ff", Head{6, 10}},
		{"unknown field too deep", "83020aa11863" + strings.Repeat("81", 20) + "00", Head{2, 10}},
		{"array of very many", "83020aa118639a000186a0" + strings.Repeat("00", 100_000), Head{2, 10}},
		{"unknown type, cut off", "8319ffff0aa101", Head{65535, 10}},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		head, _, err := DecodeRequest(b)
		var bad *SyntaxError
		if !errors.As(err, &bad) || bad.Code != CodeMalformed || head.ID != c.head.ID || c.head.ID != 0 && head != c.head {
			t.Errorf("%s: got %v, %v; want %v, malformed", c.name, head, err, c.head)
		}
		if _, _, err := DecodeReply(b); err == nil && c.name != "field of the wrong type" && c.name != "text that is not UTF-8" {
			t.Errorf("%s: taken from a server", c.name)
		}
	}
}

// Every limit of SPEC.md 4 to 9 holds at its edge.
func TestRequestLimits(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	digest := []byte(x(DigestBytes))
	file := func(f File) Say { return Say{Log: "r", Counter: 1, File: &f} }
	for _, c := range []struct {
		good, bad Request
		field     string
		code      Code
	}{
		{Hello{Version: 1, VersionMin: 1, Agent: x(64)}, Hello{Version: 1, VersionMin: 1, Agent: x(65)}, "agent", CodeTooLong},
		{Hello{Version: 9, VersionMin: 1}, Hello{Version: 1, VersionMin: 2}, "version", CodeBadField},
		{Hello{Version: 1, VersionMin: 1}, Hello{}, "version", CodeBadField},
		{Register{Name: x(64), Password: "p"}, Register{Name: x(65), Password: "p"}, "name", CodeTooLong},
		{Register{Name: "n", Password: x(1024)}, Register{Name: "n", Password: x(1025)}, "password", CodeTooLong},
		{Register{Name: "n", Password: "p"}, Register{Name: "n"}, "password", CodeBadField},
		{Register{Name: "n", Password: "p", Label: x(64)}, Register{Name: "n", Password: "p", Label: x(65)}, "label", CodeTooLong},
		{LogIn{Token: x(128)}, LogIn{Token: x(129)}, "token", CodeTooLong},
		{LogIn{Token: "t"}, LogIn{Token: "t", Name: "n", Password: "p"}, "token", CodeBadField},
		{LogIn{Name: "n", Password: "p"}, LogIn{Name: "n"}, "password", CodeBadField},
		{LogIn{Name: "n", Password: "p"}, LogIn{Password: "p"}, "password", CodeBadField},
		{LogIn{Name: "n", Password: "p"}, LogIn{}, "token", CodeBadField},
		{LogIn{Name: x(64), Password: x(1024)}, LogIn{Name: x(65), Password: "p"}, "name", CodeTooLong},
		{LogIn{Name: "n", Password: x(1024)}, LogIn{Name: "n", Password: x(1025)}, "password", CodeTooLong},
		{LogIn{Name: "n", Password: "p", Label: x(64)}, LogIn{Name: "n", Password: "p", Label: x(65)}, "label", CodeTooLong},
		{Guest{Name: x(64)}, Guest{Name: x(65)}, "name", CodeTooLong},
		{Guest{Name: "n", Label: x(64)}, Guest{}, "name", CodeBadField},
		{Password{Old: "a", New: x(1024)}, Password{Old: "a", New: x(1025)}, "new", CodeTooLong},
		{Password{Old: x(1024), New: "b"}, Password{New: "b"}, "old", CodeBadField},
		{Revoke{x(64)}, Revoke{x(65)}, "device", CodeTooLong},
		{Say{Log: x(LogBytesMax), Counter: 1}, Say{Log: x(LogBytesMax + 1), Counter: 1}, "log", CodeTooLong},
		{Say{Log: "r", Counter: 1, Text: x(TextBytesMax)}, Say{Log: "r", Counter: 1, Text: x(TextBytesMax + 1)}, "text", CodeTooLong},
		{Say{Log: "r", Counter: 1}, Say{Log: "r"}, "counter", CodeBadField},
		{Say{Log: "r", Counter: 1}, Say{Counter: 1}, "log", CodeBadField},
		{file(File{digest, 0, x(255), x(127)}), file(File{digest, 0, x(256), ""}), "name", CodeTooLong},
		{file(File{digest, FileBytesMax, "n", ""}), file(File{digest, FileBytesMax + 1, "n", ""}), "size", CodeTooLong},
		{file(File{digest, 1, "n", ""}), file(File{digest[1:], 1, "n", ""}), "digest", CodeBadField},
		{file(File{digest, 1, "n", ""}), file(File{digest, 1, "", ""}), "name", CodeBadField},
		{file(File{digest, 1, "n", x(127)}), file(File{digest, 1, "n", x(128)}), "type", CodeTooLong},
		{file(File{digest, 1, "n", ""}), Say{Log: "r", Counter: 1, Text: "t", File: sampleFile}, "text", CodeBadField},
		{Join{Room: x(64)}, Join{Room: x(65)}, "room", CodeTooLong},
		{Join{Room: "r"}, Join{}, "room", CodeBadField},
		{Attach{Log: "r", Epoch: x(64), After: 1}, Attach{Log: "r", Epoch: x(65)}, "epoch", CodeTooLong},
		{Attach{Log: "r", N: 1 << 63}, Attach{Log: "r", After: 1}, "epoch", CodeBadField},
		{Leave{"r"}, Leave{}, "log", CodeBadField},
		{Direct{Peer: x(64)}, Direct{Peer: x(65)}, "peer", CodeTooLong},
		{History{Log: "r", N: 1, After: 1, Before: 9}, History{Log: "r", N: 1, After: 1, Around: 5}, "around", CodeBadField},
		{History{Log: "r", N: 1, Around: 1}, History{Log: "r", N: 1, Around: 1, At: 1}, "around", CodeBadField},
		{History{Log: "r", N: 1}, History{Log: "r"}, "n", CodeBadField},
		{History{Log: "r", N: 1, Epoch: x(64)}, History{Log: "r", N: 1, Epoch: x(65)}, "epoch", CodeTooLong},
		{Mark{"r", 1}, Mark{"r", 0}, "seq", CodeBadField},
		{Typing{Log: "r"}, Typing{}, "log", CodeBadField},
		{Presence{State: StateOnline}, Presence{State: StateOffline}, "state", CodeBadField},
		{Presence{State: StateAway}, Presence{State: 3}, "state", CodeBadField},
		{Topic{"r", x(1024)}, Topic{"r", x(1025)}, "text", CodeTooLong},
		{Rooms{After: x(64)}, Rooms{After: x(65)}, "after", CodeTooLong},
		{Who{Log: x(LogBytesMax)}, Who{Log: x(LogBytesMax + 1)}, "log", CodeTooLong},
		{Since{Ago: 1}, Since{Ago: 0}, "ago", CodeBadField},
		{Since{Ago: For(SinceMax)}, Since{Ago: For(SinceMax) + 1}, "ago", CodeBadField},
		{AddContact{x(64)}, AddContact{x(65)}, "name", CodeTooLong},
		{RemoveContact{x(64)}, RemoveContact{x(65)}, "name", CodeTooLong},
		{Block{x(64)}, Block{}, "name", CodeBadField},
		{Unblock{x(64)}, Unblock{x(65)}, "name", CodeTooLong},
		{Upload{digest, FileBytesMax}, Upload{digest, FileBytesMax + 1}, "size", CodeTooLong},
		{Upload{digest, 0}, Upload{nil, 0}, "digest", CodeBadField},
		{Download{"r", 1}, Download{"r", 0}, "seq", CodeBadField},
		{Transfer{x(128), FileBytesMax}, Transfer{"t", FileBytesMax + 1}, "offset", CodeBadField},
		{Transfer{"t", 0}, Transfer{}, "token", CodeBadField},
		{Chunk{0, make([]byte, ChunkBytesMax)}, Chunk{0, make([]byte, ChunkBytesMax+1)}, "data", CodeTooLong},
		{Chunk{0, []byte{1}}, Chunk{}, "data", CodeBadField},
		{Private{Peer: "b", Call: []byte(x(16)), Step: 5, Key: []byte(x(64)), Addresses: slice(8, x(64))}, Private{Peer: "b", Call: []byte("c"), Step: 1, Addresses: slice(9, "a")}, "addresses", CodeTooLong},
		{Private{Peer: "b", Call: []byte("c"), Step: 1}, Private{Peer: "b", Call: []byte("c"), Step: 6}, "step", CodeBadField},
		{Private{Peer: "b", Call: []byte("c"), Step: 1}, Private{Peer: "b", Call: []byte(x(17)), Step: 1}, "call", CodeTooLong},
		{Private{Peer: "b", Call: []byte("c"), Step: 1}, Private{Peer: "b", Call: []byte("c"), Step: 1, Key: []byte(x(65))}, "key", CodeTooLong},
		{Private{Peer: "b", Call: []byte("c"), Step: 1}, Private{Peer: "b", Call: []byte("c"), Step: 1, Addresses: []string{x(65)}}, "address", CodeTooLong},
		{Private{Peer: "b", Call: []byte("c"), Step: 1}, Private{Call: []byte("c"), Step: 1}, "peer", CodeBadField},
		{Whisper{x(64), x(TextBytesMax)}, Whisper{"b", x(TextBytesMax + 1)}, "text", CodeTooLong},
		{Whisper{Name: "b"}, Whisper{Text: "t"}, "name", CodeBadField},
	} {
		b := AppendRequest(nil, 5, c.good)
		if _, _, err := DecodeRequest(b); err != nil || len(b) > RequestBytesMax {
			t.Errorf("%T at the limit of %s: %v, %d bytes", c.good, c.field, err, len(b))
		}
		head, _, err := DecodeRequest(AppendRequest(nil, 5, c.bad))
		var bad *SyntaxError
		if !errors.As(err, &bad) || bad.Field != c.field || bad.Code != c.code || head != (Head{c.bad.Type(), 5}) {
			t.Errorf("%T beyond the limit of %s: got %v, %v; want %v", c.bad, c.field, head, err, c.code)
		}
	}
}

func slice(n int, s string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestTimesKeepTheirUnits(t *testing.T) {
	if got := Instant(1_700_000_000_000_001); At(got.Time()) != got || !Instant(0).Time().IsZero() || At(Instant(0).Time()) != 0 {
		t.Errorf("instant %d does not survive", got)
	}
	for d, want := range map[Millis]string{0: "0s", 1500: "1.5s", 1 << 63: "2562047h47m16.854s"} {
		if got := d.Duration().String(); got != want {
			t.Errorf("%d ms: got %s, want %s", d, got, want)
		}
	}
	if For(-1) != 0 || For(1) != 1 || For(1_000_001) != 2 {
		t.Errorf("got %d, %d, %d; want rounded up", For(-1), For(1), For(1_000_001))
	}
}

// What decodes encodes to bytes that decode to the same, and nothing panics or grows beyond its bytes.
func FuzzDecode(f *testing.F) {
	for _, m := range sampleRequests() {
		f.Add(AppendRequest(nil, 7, m))
	}
	for _, a := range sampleAnswers() {
		f.Add(AppendReply(nil, Head{a.to, 7}, a.reply))
	}
	for _, m := range samplePushes() {
		f.Add(AppendPush(nil, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		if head, m, err := DecodeRequest(b); err == nil {
			if _, skipped := m.(Unknown); !skipped {
				again := AppendRequest(nil, head.ID, m)
				head2, m2, err := DecodeRequest(again)
				if err != nil || head2 != head || !bytes.Equal(AppendRequest(nil, head.ID, m2), again) {
					t.Errorf("request %#v: again %#v, %v", m, m2, err)
				}
			}
		} else if _, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Errorf("error of type %T", err)
		}
		if head, m, err := DecodeReply(b); err == nil {
			if _, skipped := m.(Unknown); !skipped {
				again := AppendReply(nil, head, m)
				head2, m2, err := DecodeReply(again)
				if err != nil || head2 != head || !bytes.Equal(AppendReply(nil, head, m2), again) {
					t.Errorf("reply %#v: again %#v, %v", m, m2, err)
				}
			}
		}
		if !bytes.Equal(b, before) {
			t.Error("input was changed")
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	ev := Event{Log: "kitchen", Seq: 42, Time: 1_700_000_000_000_001, Kind: KindSaid, Account: "ann", Device: "a1", Counter: 3, Text: "hello there"}
	bytes := AppendPush(nil, ev)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AppendPush(nil, ev)
		}
		b.ReportMetric(float64(len(bytes)), "bytes")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := DecodeReply(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
