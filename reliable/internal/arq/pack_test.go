package arq

import (
	"bytes"
	"errors"
	"math"
	"testing"

	kcp "github.com/xtaci/kcp-go/v5"
)

// stamped sets a segment's timestamp.
func stamped(b []byte, stamp uint32) []byte {
	b[8], b[9], b[10], b[11] = byte(stamp), byte(stamp>>8), byte(stamp>>16), byte(stamp>>24)
	return b
}

// What the core puts out comes back as it was, but for what it does not look at: the high half of the timestamp of data, and
// number and timestamp of questions.
func TestPackedSymbolComesBack(t *testing.T) {
	const now = 5<<16 + 100
	for name, c := range map[string]struct {
		segments [][]byte
		bytes    int // packed, without data
	}{
		"a message":       {[][]byte{stamped(segmentBytes(0, kcp.IKCP_CMD_PUSH, 0, 300, 5, []byte("hello")), now&0xffff)}, 8},
		"its answer":      {[][]byte{stamped(segmentBytes(0, kcp.IKCP_CMD_ACK, 0, 300, 301, nil), now-90)}, 8},
		"a window answer": {[][]byte{segmentBytes(0, kcp.IKCP_CMD_WINS, 0, 0, 301, nil)}, 5},
		"all at once": {[][]byte{
			stamped(segmentBytes(1<<31, kcp.IKCP_CMD_ACK, 0, math.MaxUint32, 3, nil), now-60000),
			stamped(segmentBytes(1<<31, kcp.IKCP_CMD_ACK, 0, 100, 3, nil), now),
			segmentBytes(1<<31, kcp.IKCP_CMD_WASK, 0, 0, 3, nil),
			segmentBytes(1<<31, kcp.IKCP_CMD_WINS, 0, 0, 3, nil),
			segmentBytes(1<<31, kcp.IKCP_CMD_PUSH, 0, math.MaxUint32, 3, bytes.Repeat([]byte("x"), 300)),
			segmentBytes(1<<31, kcp.IKCP_CMD_PUSH, 0, 0, 3, []byte("y")),
		}, 32},
	} {
		want := bytes.Join(c.segments, nil)
		p := appendPacked(nil, want)
		data := len(want) - headerBytes*len(c.segments)
		if len(p)-data != c.bytes {
			t.Errorf("%s: packed into %d bytes and data, want %d", name, len(p)-data, c.bytes)
		}
		got, err := appendUnpacked(nil, p, now, len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\ngot  %x\nwant %x", name, err, got, want)
		}
		if _, err := appendUnpacked(nil, p, now, len(want)-1); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: unpacked beyond the limit: %v", name, err)
		}
		for i := range p {
			if _, err := appendUnpacked(nil, p[:i], now, len(want)); data == 0 && err == nil {
				t.Errorf("%s: taken though cut after %d bytes", name, i)
			}
		}
		whole := 0
		Parts(p, func(part Part) { whole += part.Header + part.Bytes })
		if whole != len(p) {
			t.Errorf("%s: its parts are %d bytes, want %d", name, whole, len(p))
		}
		if id, ok := Conversation(p); !ok || id != parseSegment(want).id {
			t.Errorf("%s: conversation %d", name, id)
		}
		if w, ok := Window(p); !ok || w != uint32(parseSegment(want).window) {
			t.Errorf("%s: window %d", name, w)
		}
	}
}

// A timestamp is completed to the latest time that fits, with some room for one that seems to be early.
func TestTimestampIsCompleted(t *testing.T) {
	for _, c := range []struct{ now, age uint32 }{{100, 0}, {100, 100}, {1 << 20, 60_000}, {1 << 20, math.MaxUint32}, {5, 30_000}} {
		if got := whole(c.now, (c.now-c.age)&0xffff); got != c.now-c.age {
			t.Errorf("at %d, a stamp %d ms old: got %d, want %d", c.now, c.age, got, c.now-c.age)
		}
	}
}

// FuzzUnpack checks that every symbol that is taken has one form only.
func FuzzUnpack(f *testing.F) {
	f.Add(appendPacked(nil, segmentBytes(0, kcp.IKCP_CMD_PUSH, 0, 300, 5, []byte("hello"))))
	f.Add(appendPacked(nil, append(segmentBytes(9, kcp.IKCP_CMD_ACK, 0, 1, 3, nil), segmentBytes(9, kcp.IKCP_CMD_PUSH, 0, 2, 3, []byte("x"))...)))
	f.Add([]byte{0x80, 0x00, 0, 0, 6})
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := appendUnpacked(nil, p, 1<<20, 2000)
		if err == nil && !bytes.Equal(appendPacked(nil, b), p) {
			t.Errorf("%x was taken for %x", p, b)
		}
	})
}
