package arq

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// Each side goes to sleep whenever it may, the link loses, repeats and delays, even beyond sleeps, and the numbers wrap:
// the stream must not show any of it.
func TestStreamsThatSleepWhenTheyMayLoseNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := newLink(t, 64, 20*time.Millisecond, func() bool { return rng.IntN(10) < 2 })
		for i, s := range l.ends {
			first := []uint32{1<<32 - 40, 1<<31 - 40}[i]
			other := l.ends[1-i]
			s.handed, s.sendMax, s.una, s.told, s.sendBase = first, first, first, first, first
			other.came, other.read, other.recvBase = first, first, first
		}
		var want, got [2][]byte // by sender
		buf := make([]byte, 5000)
		var stale []parcel // towards ends[1], to come again much later
		for i := range 300 {
			for range rng.IntN(4) {
				from := rng.IntN(2)
				p := bytes.Repeat([]byte{byte(i)}, 1+rng.IntN(1500))
				for len(p) > 0 {
					n := l.ends[from].Send(p, many)
					want[from] = append(want[from], p[:n]...)
					p = p[n:]
					l.step()
					time.Sleep(time.Millisecond)
				}
			}
			for range rng.IntN(400) {
				if len(l.onWay[1]) > 0 && rng.IntN(10) == 0 {
					stale = append(stale, parcel{time.Now(), bytes.Clone(l.onWay[1][0].symbol)})
				}
				if len(stale) > 30 {
					l.onWay[1] = append([]parcel{stale[0]}, l.onWay[1]...)
					stale = stale[1:]
				}
				l.step()
				for to, s := range l.ends {
					n := s.Recv(buf)
					got[1-to] = append(got[1-to], buf[:n]...)
					if rng.IntN(3) == 0 {
						s.Sleep()
					}
				}
				time.Sleep(time.Millisecond)
			}
		}
		for range 60_000 {
			l.step()
			for to, s := range l.ends {
				got[1-to] = append(got[1-to], buf[:s.Recv(buf)]...)
			}
			time.Sleep(time.Millisecond)
		}
		for i, s := range l.ends {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("seed %d: side %d: %d bytes came out, other ones than the %d that went in", seed, i, len(got[i]), len(want[i]))
			}
			if st := s.Stats(); st.Wakes < 20 || st.Retransmits == 0 {
				t.Errorf("seed %d: side %d: %+v", seed, i, st)
			}
			if !s.Sleep() {
				t.Errorf("seed %d: side %d cannot sleep in the end: %d waiting, %d readable", seed, i, s.Waiting(), s.Readable())
			}
		}
	})
}

func TestStreamDoesNotSleepWhileItHasSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, 10*time.Millisecond, never)
		a, b := l.ends[0], l.ends[1]
		if !a.Asleep() || !b.Sleep() {
			t.Error("a new stream is awake")
		}
		a.Send([]byte("x"), many)
		if a.Sleep() {
			t.Error("sleeps with bytes that never left")
		}
		a.Flush()
		if a.Sleep() {
			t.Error("sleeps with a segment in flight")
		}
		time.Sleep(10 * time.Millisecond)
		if err := b.Input(l.onWay[1][0].symbol); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1000)
		b.Recv(buf)
		if b.Sleep() {
			t.Error("sleeps with an acknowledgement to send")
		}
		b.AckNow()
		if !b.Sleep() {
			t.Error("does not sleep with everything read and acknowledged")
		}
		b.TellWindow()
		if b.Sleep(); !b.Pending() {
			t.Error("forgot in sleep to tell the window")
		}
		b.Flush()
		if b.Pending() || !b.Asleep() {
			t.Error("woke to tell the window, or did not tell it")
		}
		time.Sleep(10 * time.Millisecond)
		l.step()
		if !a.Sleep() {
			t.Error("does not sleep with everything acknowledged")
		}
		a.Send([]byte("y"), many)
		a.Flush()
		time.Sleep(10 * time.Millisecond)
		l.step()
		if b.Sleep() || b.Readable() != 1 {
			t.Error("sleeps with bytes to read")
		}
		// The third segment comes before the second.
		if err := b.Input(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_PUSH, 0, 3, 0, []byte("later")))); err != nil {
			t.Fatal(err)
		}
		b.AckNow()
		b.Recv(buf)
		if b.Sleep() {
			t.Error("sleeps with a segment out of order")
		}
	})
}

// What was said before a sleep and comes after it is old.
func TestLateSymbolsAfterASleepChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, time.Millisecond, never)
		a, b := l.ends[0], l.ends[1]
		buf := make([]byte, 1000)
		var late [2][][]byte // towards each
		for range 5 {
			a.Send([]byte("from a"), many)
			b.Send([]byte("from b"), many)
			for range 50 {
				for i := range late {
					for _, p := range l.onWay[i] {
						late[i] = append(late[i], bytes.Clone(p.symbol))
					}
				}
				l.step()
				a.Recv(buf)
				b.Recv(buf)
				time.Sleep(time.Millisecond)
			}
		}
		if !a.Sleep() || !b.Sleep() {
			t.Fatal("not at rest")
		}
		for i, s := range l.ends {
			for _, symbol := range late[i] {
				if err := s.Input(bytes.Clone(symbol)); err != nil {
					t.Errorf("side %d: a late symbol is an error: %v", i, err)
				}
				if err := s.InputRebuilt(symbol, 5*time.Millisecond); err != nil {
					t.Errorf("side %d: a late rebuilt symbol is an error: %v", i, err)
				}
			}
			s.AckNow()
			if s.Readable() > 0 || s.Waiting() > 0 {
				t.Errorf("side %d: %d readable, %d waiting after late symbols", i, s.Readable(), s.Waiting())
			}
			if !s.Sleep() {
				t.Errorf("side %d stays awake after late symbols", i)
			}
		}
		// Acknowledgements of what was never sent are still refused.
		if err := a.Input(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_WINS, 0, 0, 6, nil))); err != ErrUnsent {
			t.Errorf("acknowledgement of a segment never sent: %v", err)
		}
	})
}

// A stream that wakes must not wait for an answer as if it knew nothing: too long on a near path, too short on a far one.
func TestStreamWakesWithTheRoundTripItKnew(t *testing.T) {
	for _, rtt := range []time.Duration{20 * time.Millisecond, 600 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			l := newLink(t, 64, rtt/2, func() bool { return true })
			s := l.ends[0]
			s.cfg.RTT = func() time.Duration { return rtt }
			s.Send([]byte("x"), many)
			start := time.Now()
			for s.Stats().Retransmits == 0 {
				s.Flush()
				time.Sleep(time.Millisecond)
			}
			if d := time.Since(start); d < rtt*5/4 || d > rtt*9/4+20*time.Millisecond {
				t.Errorf("round trip %v: sent again after %v", rtt, d)
			}
		})
	}
}

// The peer's window survives a sleep: nothing is sent into a closed one.
func TestClosedWindowSurvivesASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t, 64, time.Hour, never)
		s := l.ends[0]
		closed := segmentBytes(7, kcp.IKCP_CMD_WINS, 0, 0, 0, nil)
		closed[6] = 0
		if err := s.Input(appendPacked(nil, closed)); err != nil || !s.Sleep() {
			t.Fatal(err)
		}
		s.Send([]byte("x"), many)
		s.Flush()
		if s.Stats().Sent != 0 {
			t.Error("data was sent into a closed window")
		}
		if err := s.Input(appendPacked(nil, segmentBytes(7, kcp.IKCP_CMD_WINS, 0, 0, 0, nil))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		s.Send([]byte("x"), many)
		if s.Flush(); s.Stats().Sent != 1 {
			t.Error("nothing was sent into an open window")
		}
	})
}
