package plain

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A victim whose address is forged gets at most three times the bytes sent in its name, to the
// byte, over all its ports.
func TestSilentVictimGetsThreeTimesWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, strings.Repeat("q", 100))
		c := h.accept()
		r, err := c.ReplyTo(netip.AddrPortFrom(alice.Addr(), 7000))
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, strings.Repeat("a", 120))
		write(t, r, strings.Repeat("b", 150))
		write(t, c, strings.Repeat("c", 31)) // One too many.
		write(t, r, strings.Repeat("d", 30)) // Just fits.
		write(t, c, "e")
		if got := h.bytesTo(alice.Addr()); got != 300 {
			t.Errorf("victim got %d bytes for 100, want 300", got)
		}
		if s := h.Stats(); s.DroppedUnproven != 2 || s.SentBytes != 300 {
			t.Errorf("got %+v", s)
		}
		c.Proven()
		write(t, r, strings.Repeat("f", 5000))
		if got := h.bytesTo(alice.Addr()); got != 5300 {
			t.Errorf("proven peer got %d bytes, want 5300", got)
		}
	})
}

// Somebody sent us one datagram in the name of a program that answers whatever it gets: each of the
// two keeps the other going.
func TestServiceThatAnswersEverythingIsNotKeptGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		var c *Conn
		const seconds = 60
		for i := range seconds * 1000 {
			h.from(alice, fmt.Sprintf("quote of the day, number %d", i))
			if c == nil {
				c = h.accept()
			}
			read(c)
			write(t, c, "what do you mean?")
			time.Sleep(time.Millisecond)
		}
		if got, most := h.bytesTo(alice.Addr()), UnprovenBytes+seconds*UnprovenBytesPerSecond; got > most || got < most/2 {
			t.Errorf("it got %d bytes in %d s, want at most %d", got, seconds, most)
		}
		c.Close()
	})
}

// What servers say is never answered, and no connection is made of it.
func TestAnswersAreNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{
			IsAnswer: func(b []byte) bool { return b[0] == 'E' },
			TooLong:  []byte("E: too long"),
		})
		h.from(alice, "E: what do you mean?")
		h.from(alice, "E"+strings.Repeat("x", DatagramBytesMax))
		if s := h.Stats(); s.DroppedAnswer != 2 || s.Conns != 0 || s.SentDatagrams != 0 {
			t.Errorf("got %+v", s)
		}
	})
}

// The same with anything an attacker can think of: the sum over all connections the source ever
// had stays within the limit.
func TestAmplificationIsBoundedWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		steps := rapid.IntRange(1, 200).Draw(rt, "steps")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = attack(t, rand.New(rand.NewPCG(seed, 0)), steps) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// attack plays at random and returns what went wrong, or nothing.
func attack(t *testing.T, rng *rand.Rand, steps int) string {
	h := newHost(t, Config{TooLong: []byte(strings.Repeat("long", 90)), UnprovenMax: 3})
	var conns []net.Conn
	received := make(map[netip.Addr]int)
	for range steps {
		who := stranger(rng.IntN(5))
		action := rng.IntN(8)
		switch {
		case action < 3:
			n := []int{1, 10, 300, DatagramBytesMax + 1}[rng.IntN(4)]
			h.from(who, strings.Repeat(fmt.Sprint(rng.IntN(2)), n))
			received[who.Addr()] += n
		case action < 4:
			time.Sleep(time.Duration(rng.IntN(700)) * time.Millisecond)
		case action < 5:
			conns = append(conns, h.acceptWaiting(rng)...)
		case len(conns) == 0:
		case action < 7:
			answerAny(conns[rng.IntN(len(conns))], rng.IntN(900))
		default:
			conns[rng.IntN(len(conns))].Close()
		}
		for a, n := range received {
			if got := h.bytesTo(a); got > AmplificationMax*n {
				return fmt.Sprintf("%v sent %d bytes and got %d", a, n, got)
			}
		}
	}
	for _, c := range append(conns, h.acceptWaiting(rng)...) {
		c.Close()
	}
	h.Close()
	h.wantIdle()
	return ""
}

// acceptWaiting accepts what waits, reads some of it, and adds a reply connection to each.
func (h *host) acceptWaiting(rng *rand.Rand) (conns []net.Conn) {
	for {
		h.Listener.mu.Lock()
		n := 0
		for _, c := range h.Listener.backlog {
			if c.err == nil {
				n++
			}
		}
		h.Listener.mu.Unlock()
		if n == 0 {
			return conns
		}
		c := h.accept()
		if rng.IntN(2) == 0 {
			read(c)
		}
		conns = append(conns, c)
		if r, err := c.ReplyTo(netip.AddrPortFrom(c.remote.Addr(), 7000)); err == nil {
			conns = append(conns, r)
		}
	}
}

// answerAny writes an answer and ignores that the connection may have ended.
func answerAny(c net.Conn, n int) {
	b := make([]byte, n)
	c.(interface{ NoteAnswer([]byte) }).NoteAnswer(b)
	_, _ = c.Write(b) // It may be closed.
}

func TestLoopbackIsNotLimitedUnlessAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, want := range map[bool]int{false: 7, true: 3} {
			h := newHost(t, Config{LimitLoopback: limit})
			h.from(local, "x")
			c := h.accept()
			write(t, c, "abc")
			write(t, c, "defg")
			if got := h.bytesTo(local.Addr()); got != want {
				t.Errorf("limit %v: loopback got %d bytes for 1, want %d", limit, got, want)
			}
			c.Close()
		}
	})
}

func TestTooLongDatagramIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{TooLong: []byte("too long")})
		long := strings.Repeat("x", DatagramBytesMax+1)
		h.from(alice, long)
		h.from(alice, long)
		h.wantSent(alice, "too long", "too long")
		if s := h.Stats(); s.Accepted != 0 || s.DroppedTooLong != 2 {
			t.Errorf("long datagrams from a stranger: %+v", s)
		}
		h.from(alice, long[1:])
		h.from(alice, long)
		h.wantSent(alice, "too long")
		c := h.accept()
		wantRead(t, c, long[1:])
		wantNothing(t, c)

		// It counts for the limit, both ways.
		c.l.mu.Lock()
		if c.received != 2*DatagramBytesMax+1 || c.sent != 8 {
			t.Errorf("counted %d bytes in and %d out", c.received, c.sent)
		}
		c.sent = AmplificationMax * (c.received + DatagramBytesMax + 1)
		c.l.mu.Unlock()
		h.from(alice, long)
		h.wantSent(alice)

		for _, bad := range []string{"", strings.Repeat("!", AmplificationMax*len(long)+1)} {
			silent := newHost(t, Config{TooLong: []byte(bad)})
			silent.from(alice, long)
			silent.wantSent(alice)
		}
	})
}

func TestQueueOfOneConnIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		for i := range queueMax {
			h.from(alice, fmt.Sprint(i))
		}
		h.from(alice, "dropped")
		c := h.accept()
		for i := range queueMax {
			wantRead(t, c, fmt.Sprint(i))
			h.from(alice, "dropped") // The first time it was not taken, so this is no repeat.
		}
		wantRead(t, c, "dropped")
		wantNothing(t, c)
		if s := h.Stats(); s.DroppedQueue != 1 || s.Repeats != queueMax-1 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestQueuesTogetherAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		var conns []*Conn
		for i := 0; h.Stats().DroppedMemory == 0; i++ {
			for k := range queueMax {
				h.from(stranger(i), strings.Repeat(fmt.Sprintf("%04d", k), DatagramBytesMax/4))
			}
			conns = append(conns, h.accept())
		}
		if h.Listener.queued > queuedBytesMax || len(conns) < 200 {
			t.Errorf("%d bytes wait on %d connections", h.Listener.queued, len(conns))
		}
		for _, c := range conns {
			c.Close()
		}
		if h.Listener.queued != 0 {
			t.Errorf("%d bytes wait after all connections were closed", h.Listener.queued)
		}
	})
}

func TestUnprovenLongestSilentIsEvictedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{ConnsMax: 4, UnprovenMax: 3})
		open := make(map[int]*Conn)
		arrive := func(i int, text string) {
			h.from(stranger(i), text)
			time.Sleep(time.Second)
		}
		for i := range 3 {
			arrive(i, "hello")
			open[i] = h.accept()
			wantRead(t, open[i], "hello")
		}
		arrive(0, "still here")
		arrive(3, "hello") // 1 is the oldest of three unproven.
		open[3] = h.accept()
		open[0].Proven()
		open[2].Proven()
		arrive(4, "hello") // Two unproven: there is room for one more.
		open[4] = h.accept()
		arrive(5, "hello") // Four in all: 3 must go, although there are only two unproven.
		open[5] = h.accept()
		open[4].Proven()
		open[5].Proven()
		arrive(6, "hello") // All proven.
		if s := h.Stats(); s.Evicted != 2 || s.DroppedConns != 1 || s.Conns != 4 || s.Unproven != 0 {
			t.Errorf("got %+v", s)
		}
		for i, want := range map[int]string{1: "!" + ErrEvicted.Error(), 0: "still here", 3: "hello", 4: "hello"} {
			wantRead(t, open[i], want)
		}
		wantRead(t, open[3], "!"+ErrEvicted.Error())
		if !errors.Is(ErrEvicted, net.ErrClosed) {
			t.Errorf("ErrEvicted does not match net.ErrClosed")
		}
		if err := open[3].Close(); err != nil {
			t.Errorf("closing an evicted connection: %v", err)
		}
	})
}

// Closed connections that only wait for repeats make room before anybody who is there.
func TestClosedConnMakesRoomFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{ConnsMax: 2})
		h.from(alice, "hello")
		h.from(bob, "quit")
		h.accept()
		c := h.accept()
		wantRead(t, c, "quit")
		c.Close()
		h.from(stranger(1), "hello")
		if s := h.Stats(); s.Conns != 2 || s.Evicted != 0 || s.Accepted != 3 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestBacklogIsBoundedAndSkipsEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{UnprovenMax: 2})
		for i := range backlogMax + 5 {
			h.from(stranger(i), "hello")
		}
		s := h.Stats()
		if s.DroppedBacklog != 5 || s.Evicted != backlogMax-2 {
			t.Errorf("got %+v", s)
		}
		for i := range 2 {
			if got := h.accept().RemoteAddr().String(); got != stranger(backlogMax-2+i).String() {
				t.Errorf("accepted %v", got)
			}
		}
		if h.Listener.queued != 2*len("hello") {
			t.Errorf("%d bytes wait, want those of two connections", h.Listener.queued)
		}
	})
}

// A server that hears itself would answer itself for ever.
func TestDatagramsFromOwnAddressAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{TooLong: []byte("too long")})
		anywhere := netip.MustParseAddrPort("[::]:4000")
		h.Handle([]byte("hello"), server, server)
		h.Handle([]byte("hello"), netip.MustParseAddrPort("127.0.0.1:4000"), anywhere)
		h.Handle([]byte("hello"), netip.AddrPortFrom(alice.Addr(), 0), server)
		h.Handle(make([]byte, 2000), server, server)
		h.Handle(nil, alice, server)
		if s := h.Stats(); s.DroppedForged != 4 || s.DroppedEmpty != 1 || s.Accepted != 0 || s.SentBytes != 0 {
			t.Errorf("got %+v", s)
		}
	})
}
