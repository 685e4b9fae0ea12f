package arq

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// A link joins two streams on one goroutine. A symbol takes delay, unless lose says that it never arrives.
type link struct {
	*testing.T
	ends  [2]*Stream
	onWay [2][]parcel // towards ends[i]
	delay time.Duration
	lose  func() bool
	sent  [2]int // symbols put out by ends[i]
}

type parcel struct {
	at     time.Time
	symbol []byte
}

func newLink(t *testing.T, window int, delay time.Duration, lose func() bool) *link {
	l := &link{T: t, delay: delay, lose: lose}
	clock := NewClock()
	for i := range l.ends {
		l.ends[i] = New(Config{
			ID: 7, SymbolBytes: 1000, SymbolBytesMax: 1000, SendWindow: window, RecvWindow: window, Clock: clock,
			Output: func(symbol Symbol) {
				l.sent[i]++
				if !l.lose() {
					l.onWay[1-i] = append(l.onWay[1-i], parcel{time.Now().Add(l.delay), bytes.Clone(symbol.Bytes)})
				}
			},
		})
	}
	return l
}

// step delivers what is due and flushes.
func (l *link) step() {
	for i, s := range l.ends {
		n := 0
		for n < len(l.onWay[i]) && !l.onWay[i][n].at.After(time.Now()) {
			if err := s.Input(l.onWay[i][n].symbol); err != nil {
				l.Fatal(err)
			}
			n++
		}
		if n > 0 {
			l.onWay[i] = l.onWay[i][n:]
			s.AckNow()
		}
		if s.Pending() {
			s.Flush()
		}
	}
}

func never() bool { return false }

// many is more segments than any window has.
const many = 1 << 20

func TestStreamCrossesLoss(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := newLink(t, 64, 20*time.Millisecond, func() bool { return rng.IntN(10) < 3 })
		want := make([]byte, 200_000)
		for i := range want {
			want[i] = byte(rng.Uint32())
		}
		rest, got, buf := want, []byte(nil), make([]byte, 5000)
		for start := time.Now(); len(got) < len(want); time.Sleep(time.Millisecond) {
			if time.Since(start) > 5*time.Minute {
				t.Fatalf("seed %d: %d of %d bytes after 5 minutes", seed, len(got), len(want))
			}
			rest = rest[l.ends[0].Send(rest, many):]
			l.ends[0].Flush()
			l.step()
			got = append(got, buf[:l.ends[1].Recv(buf)]...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("seed %d: other bytes came out than went in", seed)
		}
		if s := l.ends[0].Stats(); s.Retransmits == 0 || s.Sent < 200 {
			t.Errorf("seed %d: %+v", seed, s)
		}
	})
}

func TestIdleStreamSendsAtOnceAndABusyOneAtItsNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, time.Hour, never)
		s := l.ends[0]
		for range 15 { // Whatever the phase of the core's clock, Next never asks too early nor an interval late.
			time.Sleep(time.Second + 300*time.Microsecond)
			before := l.sent[0]
			s.Send([]byte("x"), many)
			if s.Flush(); l.sent[0] == before {
				t.Fatal("an idle stream did not send at once")
			}
			if n := s.Send([]byte("part"), many); n != 0 {
				t.Errorf("took %d bytes that Flush would not send", n)
			}
			d, ok := s.Next(true)
			if !ok || d <= 0 || d > flushInterval*time.Millisecond {
				t.Fatalf("Next is %v, %v, want more than 0 up to the interval", d, ok)
			}
			time.Sleep(d)
			if n := s.Send([]byte("part"), many); n != 4 {
				t.Fatalf("took %d bytes at the time Next named, want 4", n)
			}
			before = l.sent[0]
			if s.Flush(); l.sent[0] == before {
				t.Fatal("did not flush at the time Next named")
			}
		}
	})
}

func TestQuietStreamNeedsNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, time.Millisecond, never)
		for range 5 {
			l.ends[0].Send([]byte("hello"), many)
			for range 50 {
				l.step()
				time.Sleep(time.Millisecond)
			}
			for i, s := range l.ends {
				if _, ok := s.Next(false); ok {
					t.Errorf("end %d wants to be called although nothing is in flight", i)
				}
			}
			if n := l.ends[1].Recv(make([]byte, 1000)); n != 5 {
				t.Errorf("received %d bytes, want 5", n)
			}
		}
	})
}

func TestSmallWritesShareSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, time.Millisecond, never)
		s := l.ends[0]
		s.Send([]byte("first"), many)
		s.Flush()
		rest := bytes.Repeat([]byte("x"), 10_000) // Ten and a bit segments, while the flush interval runs.
		n := s.Send(rest, many)
		if n == len(rest) || n%(1000-headerBytes) != 0 {
			t.Errorf("took %d bytes, want whole segments", n)
		}
	})
}

func TestClosedWindowOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 8, 10*time.Millisecond, never)
		rest := make([]byte, 50_000)
		total, buf := 0, make([]byte, 1000)
		for i := 0; total < len(rest) || i < 2000; i++ {
			rest = rest[l.ends[0].Send(rest, many):]
			l.ends[0].Flush()
			l.step()
			time.Sleep(time.Millisecond)
			if i < 2000 { // The reader sleeps for two seconds.
				if l.ends[0].Waiting() > 8 {
					t.Fatalf("%d segments wait", l.ends[0].Waiting())
				}
				continue
			}
			total += l.ends[1].Recv(buf)
			if i > 10_000 {
				t.Fatalf("only %d bytes came", total)
			}
			if total == 50_000 {
				break
			}
		}
	})
}

// segmentBytes builds a segment by hand.
func segmentBytes(id uint32, cmd, frg byte, sn, una uint32, data []byte) []byte {
	b := make([]byte, headerBytes, headerBytes+len(data))
	binary.LittleEndian.PutUint32(b, id)
	b[4], b[5] = cmd, frg
	b[6] = 64
	binary.LittleEndian.PutUint32(b[12:], sn)
	binary.LittleEndian.PutUint32(b[16:], una)
	binary.LittleEndian.PutUint32(b[20:], uint32(len(data)))
	return append(b, data...)
}

func TestInputRefusesWhatNoPeerSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLink(t, 64, time.Hour, never).ends[0]
		s.Send([]byte("one segment in flight"), many)
		s.Flush()
		ok := segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 0, []byte("data"))
		for name, test := range map[string]struct {
			symbol []byte
			want   error
		}{
			"empty":             {nil, ErrMalformed},
			"short":             {ok[:headerBytes-1], ErrMalformed},
			"cut data":          {ok[:len(ok)-1], ErrMalformed},
			"trailing bytes":    {append(bytes.Clone(ok), 1), ErrMalformed},
			"foreign stream":    {segmentBytes(8, kcp.IKCP_CMD_PUSH, 0, 0, 0, []byte("x")), ErrMalformed},
			"fragment":          {segmentBytes(7, kcp.IKCP_CMD_PUSH, 1, 0, 0, []byte("x")), ErrMalformed},
			"empty data":        {segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 0, nil), ErrMalformed},
			"data in an ack":    {segmentBytes(7, kcp.IKCP_CMD_ACK, 0, 0, 0, []byte("x")), ErrMalformed},
			"unknown command":   {segmentBytes(7, 99, 0, 0, 0, nil), ErrMalformed},
			"too long":          {segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 0, make([]byte, 2000)), ErrMalformed},
			"forged una":        {segmentBytes(7, kcp.IKCP_CMD_WINS, 0, 0, 2, nil), ErrUnsent},
			"forged far una":    {segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 1<<30, []byte("x")), ErrUnsent},
			"ack never sent":    {segmentBytes(7, kcp.IKCP_CMD_ACK, 0, 1, 0, nil), ErrUnsent},
			"second is foreign": {append(bytes.Clone(ok), segmentBytes(8, kcp.IKCP_CMD_WINS, 0, 0, 0, nil)...), ErrMalformed},
		} {
			if err := s.inputWhole(test.symbol); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
		if s.Waiting() != 1 || s.Readable() != 0 {
			t.Errorf("refused symbols changed the stream: %d waiting, %d readable", s.Waiting(), s.Readable())
		}
		if err := s.Input(appendPacked(nil, ok)); err != nil || s.Readable() != 4 {
			t.Errorf("a genuine symbol: %v, %d readable", err, s.Readable())
		}
		if err := s.Input(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_ACK, 0, 0, 1, nil))); err != nil || s.Waiting() != 0 {
			t.Errorf("a genuine acknowledgement: %v, %d waiting", err, s.Waiting())
		}
	})
}

// FuzzInput checks that no symbol panics the core or makes it deliver more than the window.
func FuzzInput(f *testing.F) {
	f.Add(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 0, 0, []byte("data"))))
	f.Add(appendPacked(nil, append(segmentBytes(7, kcp.IKCP_CMD_ACK, 0, 0, 1, nil), segmentBytes(7, kcp.IKCP_CMD_WASK, 0, 0, 1, nil)...)))
	f.Add(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_WINS, 0, 0, 1<<31, nil)))
	clock := NewClock()
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(Config{ID: 7, SymbolBytes: 1000, SymbolBytesMax: 1000, SendWindow: 8, RecvWindow: 8, Clock: clock, Output: func(Symbol) {}})
		s.Send([]byte("in flight"), many)
		s.Flush()
		for range 3 {
			_ = s.Input(b) // Whether it is refused does not matter here.
			s.AckNow()
		}
		if n := s.Recv(make([]byte, 1<<16)); n > 8*1000 {
			t.Errorf("%d bytes from a window of 8 segments", n)
		}
	})
}

func TestCreditFlushesAtOnceAndCausesNoRetransmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 128, 50*time.Millisecond, never)
		a, b := l.ends[0], l.ends[1]
		buf := make([]byte, 1000)
		run := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
				l.step()
				b.Recv(buf)
			}
		}
		for range 2 * creditMax { // Each is acknowledged before the next.
			a.Send([]byte("x"), many)
			run(150 * time.Millisecond)
		}
		if a.credit() != creditMax {
			t.Fatalf("credit %d after %d acknowledged segments, want %d", a.credit(), 2*creditMax, creditMax)
		}
		if _, ok := a.Next(false); ok || a.Waiting() != 0 {
			t.Errorf("credit counts as waiting: %d", a.Waiting())
		}
		time.Sleep(time.Minute) // However old it is.
		before := l.sent[0]
		for i := range creditMax + 1 { // The first needs none.
			if n := a.Send([]byte("burst"), many); n != 5 {
				t.Fatalf("message %d of a burst was not taken", i)
			}
			if a.Flush(); l.sent[0] != before+i+1 {
				t.Fatalf("message %d of a burst did not leave at once", i)
			}
		}
		if n := a.Send([]byte("more"), many); n != 0 {
			t.Error("a message was taken although the credit is spent")
		}
		run(10 * time.Second)
		if s := a.Stats(); s.Retransmits != 0 {
			t.Errorf("%d retransmissions without loss", s.Retransmits)
		}
	})
}
