package arq

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// A line joins a stream to its peer, which hears of arrivals by Confirm. Symbols towards the sender are lost when told.
type line struct {
	a, b   *Stream
	toB    []parcel
	sent   []Sent
	toA    []parcel
	deaf   bool // what the peer says is lost
	lose   func(Symbol) bool
	symbol int // sent by a, with data
}

func newLine(ends bool) *line {
	l := &line{lose: func(Symbol) bool { return false }}
	cfg := Config{ID: 7, SymbolBytes: 1000, SymbolBytesMax: 1000, SendWindow: 64, RecvWindow: 64, Clock: NewClock(), Confirmed: true, Ends: ends}
	cfg.Output = func(y Symbol) {
		if y.Kind != Control {
			l.symbol++
		}
		if !l.lose(y) {
			l.toB = append(l.toB, parcel{time.Now().Add(20 * time.Millisecond), bytes.Clone(y.Bytes)})
			l.sent = append(l.sent, y.Sent)
		}
	}
	l.a = New(cfg)
	cfg.Output = func(y Symbol) {
		if !l.deaf {
			l.toA = append(l.toA, parcel{time.Now().Add(20 * time.Millisecond), bytes.Clone(y.Bytes)})
		}
	}
	l.b = New(cfg)
	return l
}

// run lets time pass. Packets are acknowledged although the stream's own symbols may be lost.
func (l *line) run(t *testing.T, span time.Duration) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var arrived []Sent
		for len(l.toB) > 0 && !l.toB[0].at.After(time.Now()) {
			if err := l.b.Input(l.toB[0].symbol); err != nil {
				t.Fatal(err)
			}
			if l.sent[0].Count > 0 {
				arrived = append(arrived, l.sent[0])
			}
			l.toB, l.sent = l.toB[1:], l.sent[1:]
		}
		l.b.AckNow()
		l.a.Confirm(arrived, true)
		for len(l.toA) > 0 && !l.toA[0].at.After(time.Now()) {
			if err := l.a.Input(l.toA[0].symbol); err != nil {
				t.Fatal(err)
			}
			l.toA = l.toA[1:]
		}
		for _, s := range []*Stream{l.a, l.b} {
			if s.Pending() {
				s.Flush()
			}
		}
	}
}

// However many of the peer's own acknowledgements are lost, nothing is sent twice that arrived; what is missing is; and the
// cumulative acknowledgement is asked for.
func TestConfirmedSegmentsAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(false)
		l.deaf = true
		first := true
		l.lose = func(y Symbol) bool {
			lost := first && y.Sent.First == 3
			first = first && !lost
			return lost
		}
		l.a.Send(make([]byte, 20*l.a.SegmentBytes()), many)
		l.a.Flush()
		l.run(t, 2*time.Second)
		if s := l.a.Stats(); s.Sent != 20 || s.Retransmits != 1 {
			t.Errorf("%+v, want 20 segments and one again", s)
		}
		if l.a.Waiting() == 0 {
			t.Error("nothing waits although no cumulative acknowledgement came")
		}
		l.deaf = false
		l.run(t, 300*time.Millisecond)
		if n := l.a.Waiting(); n != 0 {
			t.Errorf("%d segments wait although the peer could have been asked", n)
		}
	})
}

func TestConfirmedStreamSendsNoAcknowledgementsOfSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(false)
		l.a.Send(make([]byte, 20*l.a.SegmentBytes()), many)
		l.b.Send(make([]byte, 3000), many)
		l.a.Flush()
		l.b.Flush()
		inner := l.b.cfg.Output
		l.b.cfg.Output = func(y Symbol) {
			b, err := appendUnpacked(nil, y.Bytes, 0, 1000)
			if err != nil {
				t.Error(err)
			}
			for ; len(b) > 0; b = b[headerBytes+int(parseSegment(b).length):] {
				if b[4] == kcp.IKCP_CMD_ACK {
					t.Error("an acknowledgement of a segment was sent")
				}
			}
			inner(y)
		}
		l.run(t, time.Second)
		if l.a.Waiting() != 0 {
			t.Errorf("%d segments wait", l.a.Waiting())
		}
	})
}

func TestEndsComeInOrderAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(true)
		l.a.Open()
		l.a.Send([]byte("hello"), many)
		if first, again := l.a.CloseWrite(), l.a.CloseWrite(); !first || !again || !l.a.Closed() {
			t.Fatal("no room for the end")
		}
		l.a.Flush()
		l.run(t, 200*time.Millisecond)
		if l.b.Ended() {
			t.Error("ended before anything was read")
		}
		buf := make([]byte, 1000)
		if n := l.b.Recv(buf); string(buf[:n]) != "hello" || !l.b.Ended() {
			t.Errorf("%q, ended %v", buf[:n], l.b.Ended())
		}
		if l.a.Ended() || l.a.Waiting() != 0 {
			t.Errorf("the other direction ended %v, %d segments wait", l.a.Ended(), l.a.Waiting())
		}
		last := l.b.LastWords()
		if err := l.a.Input(last); err != nil {
			t.Errorf("last words: %v", err)
		}
	})
}

func TestMarksThatMakeNoSenseAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(true)
		for _, data := range [][]byte{{2}, {markEnd, 'x'}, {0xff, 1, 2}} {
			if err := l.b.Input(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 0, data))); err != ErrMalformed {
				t.Errorf("% x: %v", data, err)
			}
		}
	})
}

// A segment that was lost many times has a long timeout. When the reason is gone nobody need wait for it.
func TestHastenSendsOvertakenSegmentsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left []time.Time // when the first segment did; it never arrives
		var toA, toB [][]byte
		clock := NewClock()
		end := func(out func(Symbol)) *Stream {
			return New(Config{ID: 7, SymbolBytes: 1000, SymbolBytesMax: 1000, SendWindow: 64, RecvWindow: 64, Clock: clock, Output: out})
		}
		a := end(func(y Symbol) {
			if y.Sent.Count > 0 && y.Sent.First == 0 {
				left = append(left, time.Now())
				return
			}
			toB = append(toB, bytes.Clone(y.Bytes))
		})
		b := end(func(y Symbol) { toA = append(toA, bytes.Clone(y.Bytes)) })
		deliver := func(s *Stream, symbols *[][]byte) {
			for _, y := range *symbols {
				if err := s.Input(y); err != nil {
					t.Fatal(err)
				}
			}
			if len(*symbols) > 0 {
				s.AckNow()
			}
			*symbols = nil
		}
		run := func(span time.Duration) {
			for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(time.Millisecond) {
				deliver(b, &toB)
				deliver(a, &toA)
				a.Flush()
			}
		}
		a.Hasten() // Asleep there is nothing to hasten.
		a.Send(make([]byte, 4*a.SegmentBytes()), many)
		run(30 * time.Second)
		n := len(left)
		if n < 3 || left[n-1].Sub(left[n-2]) < 500*time.Millisecond {
			t.Fatalf("a segment that never arrives left at %v; its timeout should have grown", left)
		}
		a.Hasten()
		run(150 * time.Millisecond)
		if len(left) < n+2 {
			t.Errorf("hastened, the segment left %d times in 150 ms, want at least twice", len(left)-n)
		}
	})
}

// A number that wraps to 0 leaves nothing that looks like an acknowledgement of the segment before.
func TestHastenWhereNumbersWrapInventsNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first = 1<<32 - 4
		left := make(map[uint32]int)
		s := New(Config{ID: 7, SymbolBytes: 1000, SymbolBytesMax: 1000, SendWindow: 64, RecvWindow: 64, Clock: NewClock(), Output: func(y Symbol) {
			for n := range y.Sent.Count {
				left[y.Sent.First+n]++
			}
		}})
		s.handed, s.sendMax, s.una, s.told, s.sendBase = first, first, first, first, first
		s.Send(make([]byte, 4*s.SegmentBytes()), many)
		s.Flush()
		s.Hasten()
		before := left[1<<32-1]
		for range 500 {
			time.Sleep(10 * time.Millisecond)
			s.Flush()
		}
		if before != 1 || left[1<<32-1] == before {
			t.Errorf("the last segment before the wrap left %d times before anything was acknowledged, and %d times in all", before, left[1<<32-1])
		}
	})
}
