package chat

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// records has one of each kind and the ends of every range.
func testRecords() []record {
	return []record{
		{kind: KindJoined, user: 1, name: "ann"},
		{kind: KindLeft, user: 127, name: "bob", reason: ReasonLeft},
		{kind: KindLeft, user: 128, name: "bob", reason: ReasonShutdown},
		{kind: KindSaid, user: math.MaxUint32, name: "田中", text: "hello\n\x00\xff"},
		{kind: KindSaid},
		{kind: KindJoined, account: "ann", name: "Ann"},
		{kind: KindLeft, reason: ReasonLeft, account: "ann", name: "Ann"},
		{kind: KindSaid, account: "ann", text: "hello\n\x00\xff"},
		{kind: KindFile, account: "ann", name: "Ann", about: "image/png", number: math.MaxInt64, sum: strings.Repeat("\xff", 32), text: "a.png"},
		{kind: KindConversation, account: "ann", about: "bob"},
		{kind: KindPresence, account: "ann", number: math.MaxUint64},
		{kind: KindSaid, account: "ann", tag: "t", text: "hello"},
		{kind: KindFile, account: "ann", tag: strings.Repeat("t", 200), sum: strings.Repeat("\xff", 32), text: "a.png"},
		{kind: KindSaid, user: 1 << 20, name: strings.Repeat("x", 300), text: strings.Repeat("y", 1<<16)},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, want := range testRecords() {
		got, err := decodeRecord(want.encode())
		if err != nil || got != want {
			t.Errorf("record %+v came back as %+v, %v", want, got, err)
		}
	}
}

// TestRecordBytes pins the format: rooms on disk must stay readable.
func TestRecordBytes(t *testing.T) {
	for _, c := range []struct {
		r    record
		want string
	}{
		{record{kind: KindJoined, user: 1, name: "ann"}, "\x01\x01\x00\x01\x03ann"},
		{record{kind: KindLeft, user: 300, name: "bob", reason: ReasonLost}, "\x01\x02\x03\xac\x02\x03bob"},
		{record{kind: KindSaid, user: 2, name: "cat", text: "hi"}, "\x01\x03\x00\x02\x03cathi"},
		{record{kind: KindSaid, account: "cat", name: "C", text: "hi"}, "\x02\x03\x00\x03cat\x01C\x00\x00\x00hi"},
		{record{kind: KindEntered, account: "cat", about: "hall", number: 300}, "\x02\x07\x00\x03cat\x00\x04hall\xac\x02\x00"},
		{record{kind: KindFile, account: "a", about: "m/t", number: 5, sum: strings.Repeat("s", 32), text: "f"},
			"\x02\x04\x00\x01a\x00\x03m/t\x05\x20" + strings.Repeat("s", 32) + "f"},
		{record{kind: KindSaid, account: "cat", name: "C", tag: "t", text: "hi"}, "\x03\x03\x00\x03cat\x01C\x00\x00\x00\x01thi"},
	} {
		if got := c.r.encode(); string(got) != c.want {
			t.Errorf("record %+v is %q, want %q", c.r, got, c.want)
		}
	}
}

func TestRecordDamaged(t *testing.T) {
	for _, c := range []struct{ name, bytes, says string }{
		{"empty", "", "chat: record at byte 0: want version, kind and reason"},
		{"short", "\x01\x01", "chat: record at byte 2: want version, kind and reason"},
		{"new version", "\x04\x01\x00\x01\x03ann", "chat: record at byte 0: want version 1, 2 or 3"},
		{"no kind", "\x01\x00\x00\x01\x03ann", "chat: record at byte 1: want a known kind"},
		{"unknown kind", "\x01\x04\x00\x01\x03ann", "chat: record at byte 1: want a known kind"},
		{"left for no reason", "\x01\x02\x00\x01\x03ann", "chat: record at byte 2: want a known reason"},
		{"left for an unknown reason", "\x01\x02\x06\x01\x03ann", "chat: record at byte 2: want a known reason"},
		{"joined for a reason", "\x01\x01\x01\x01\x03ann", "chat: record at byte 2: want no reason"},
		{"no user", "\x01\x01\x00", "chat: record at byte 3: want a user's number"},
		{"user cut off", "\x01\x01\x00\x80", "chat: record at byte 3: want a user's number"},
		{"user too large", "\x01\x01\x00\x80\x80\x80\x80\x10\x00", "chat: record at byte 3: want a user's number"},
		{"user not in shortest form", "\x01\x01\x00\x81\x00\x03ann", "chat: record at byte 3: want a user's number"},
		{"no name", "\x01\x01\x00\x01", "chat: record at byte 4: want a length and a name"},
		{"name cut off", "\x01\x01\x00\x01\x03an", "chat: record at byte 4: want a length and a name"},
		{"name of 4 GB", "\x01\x01\x00\x01\xff\xff\xff\xff\x0fann", "chat: record at byte 4: want a length and a name"},
		{"text of a joiner", "\x01\x01\x00\x01\x03annhi", "chat: record at byte 8: want its end"},
		{"unknown kind of version 2", "\x02\x13\x00\x03ann\x00\x00\x00\x00", "chat: record at byte 1: want a known kind"},
		{"no account", "\x02\x01\x00\x00\x00\x00\x00\x00", "chat: record at byte 3: want a length and an account"},
		{"account cut off", "\x02\x01\x00\x03an", "chat: record at byte 3: want a length and an account"},
		{"name of an account cut off", "\x02\x01\x00\x03ann\x01", "chat: record at byte 7: want a length and a name"},
		{"about cut off", "\x02\x01\x00\x03ann\x00\x05", "chat: record at byte 8: want a length and what it is about"},
		{"number cut off", "\x02\x01\x00\x03ann\x00\x00\x80", "chat: record at byte 9: want a number"},
		{"number not in shortest form", "\x02\x01\x00\x03ann\x00\x00\x81\x00\x00", "chat: record at byte 9: want a number"},
		{"no file", "\x02\x04\x00\x03ann\x00\x00\x01\x00", "chat: record at byte 10: want a SHA-256 of 32 bytes"},
		{"file cut off", "\x02\x04\x00\x03ann\x00\x00\x01\x20" + strings.Repeat("s", 31), "chat: record at byte 10: want a SHA-256 of 32 bytes"},
		{"file of negative size", "\x02\x04\x00\x03ann\x00\x00\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "chat: record at byte 9: want a number"},
		{"file where none is", "\x02\x01\x00\x03ann\x00\x00\x00\x20" + strings.Repeat("s", 32), "chat: record at byte 10: want a SHA-256 of 0 bytes"},
		{"joined with a tag", "\x03\x01\x00\x03ann\x00\x00\x00\x00\x01t", "chat: record at byte 1: want a known kind"},
		{"topic with a tag", "\x03\x05\x00\x03ann\x00\x00\x00\x00\x01t", "chat: record at byte 1: want a known kind"},
		{"tag missing", "\x03\x03\x00\x03ann\x00\x00\x00\x00", "chat: record at byte 11: want a length and a tag"},
		{"tag empty", "\x03\x03\x00\x03ann\x00\x00\x00\x00\x00hi", "chat: record at byte 11: want a length and a tag"},
		{"tag cut off", "\x03\x03\x00\x03ann\x00\x00\x00\x00\x05hi", "chat: record at byte 11: want a length and a tag"},
		{"far too long", "\x01\x03" + strings.Repeat("\x00", recordBytesMax), "chat: record at byte 16777216: want its end"},
	} {
		r, err := decodeRecord([]byte(c.bytes))
		if err == nil || err.Error() != c.says {
			t.Errorf("%s: decoded as %+v, %v, want %q", c.name, r, err, c.says)
		}
	}
}

// FuzzDecodeRecord checks that whatever is accepted is the one encoding of what it says.
func FuzzDecodeRecord(f *testing.F) {
	for _, r := range testRecords() {
		if len(r.text) < 100 {
			f.Add(r.encode())
		}
	}
	f.Add([]byte("\x01\x02\x06\x01\x03ann"))
	f.Add([]byte("\x01\x01\x00\xff\xff\xff\xff\x0f\x80\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if again := r.encode(); !bytes.Equal(again, b) {
			t.Fatalf("%q is %+v, which is written %q", b, r, again)
		}
	})
}

// FuzzEncodeRecord goes the other way round.
func FuzzEncodeRecord(f *testing.F) {
	f.Add(uint8(1), uint8(0), uint32(1), "", "ann", "", uint64(0), "")
	f.Add(uint8(3), uint8(0), uint32(1<<31), "", "bob", "", uint64(0), "hi")
	f.Add(uint8(7), uint8(0), uint32(0), "bob", "Bob", "kitchen", uint64(math.MaxUint64), "")
	f.Fuzz(func(t *testing.T, kind, reason uint8, user uint32, account, name, about string, number uint64, text string) {
		want := record{kind: KindJoined + Kind(kind%3), user: JoinID(user), name: name}
		if account != "" {
			want = record{kind: KindJoined + Kind(kind)%KindPresence, account: account, name: name, about: about, number: number, text: text}
		}
		switch want.kind {
		case KindLeft:
			want.reason = ReasonLeft + LeaveReason(reason)%(ReasonShutdown-ReasonLeft+1)
		case KindSaid:
			want.text = text
		case KindFile:
			want.number, want.sum = number>>1, strings.Repeat("\x01", 32)
		}
		if got, err := decodeRecord(want.encode()); err != nil || got != want {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}
