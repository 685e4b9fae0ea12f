package plain

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSilentSourceHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		start := time.Now()
		h.from(alice, "one")
		h.from(bob, "uno")
		a, b := h.accept(), h.accept()
		a.Proven()
		wantRead(t, a, "one")
		wantRead(t, b, "uno")
		time.Sleep(4 * time.Minute)
		h.from(alice, "two")
		wantRead(t, a, "two")
		write(t, b, "x") // What we say does not count.

		leaves := func(c *Conn, after time.Duration) {
			t.Helper()
			_, err := c.Read(make([]byte, 9))
			var ne net.Error
			if !errors.Is(err, ErrIdle) || !errors.Is(err, net.ErrClosed) || !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("read: %v, want ErrIdle", err)
			}
			if got := time.Since(start); got != after {
				t.Errorf("left after %v, want %v", got, after)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, ErrIdle) {
				t.Errorf("write: %v, want ErrIdle", err)
			}
			c.Proven()
			c.NoteAnswer([]byte("x"))
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		leaves(b, 5*time.Minute)
		leaves(a, 9*time.Minute)
		if s := h.Stats(); s.Idle != 2 || s.Conns != 0 {
			t.Errorf("got %+v", s)
		}
		h.wantIdle()
		h.from(alice, "two")
		wantRead(t, h.accept(), "two")
	})
}

// A peer that has its answers sent to another port may speak from there only. Its first source is
// silent then, and the peer is not.
func TestPeerHeardFromItsCallbackPortHasNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		start := time.Now()
		h.from(alice, "join")
		c := h.accept()
		wantRead(t, c, "join")
		r, err := c.ReplyTo(netip.AddrPortFrom(alice.Addr(), 7000))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			time.Sleep(4 * time.Minute)
			r.(interface{ Alive() }).Alive()
		}
		wantRead(t, c, "!"+ErrIdle.Error())
		if got, want := time.Since(start), 25*time.Minute; got != want {
			t.Errorf("left after %v, want %v", got, want)
		}
		c.Alive() // Too late: nothing happens.
		if s := h.Stats(); s.Idle != 1 || s.Conns != 0 {
			t.Errorf("got %+v", s)
		}
		c.Close()
		h.wantIdle()
	})
}

// What came before the silence can still be read.
func TestIdleConnIsReadToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{IdleTimeout: time.Minute})
		h.from(alice, "one")
		c := h.accept()
		time.Sleep(2 * time.Minute)
		wantRead(t, c, "one")
		wantRead(t, c, "!"+ErrIdle.Error())
		h.wantIdle()
	})
}

func TestClosedListenerKeepsItsConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(bob, "quit")
		gone := h.accept()
		wantRead(t, gone, "quit")
		gone.Close()
		h.from(alice, "one")
		c := h.accept()
		var accepted error
		go func() { _, accepted = h.Accept() }() // Ends at Close.
		synctest.Wait()
		if err := h.Close(); err != nil {
			t.Fatalf("closing: %v", err)
		}
		synctest.Wait()
		if !errors.Is(accepted, net.ErrClosed) || !errors.Is(h.Close(), net.ErrClosed) {
			t.Errorf("waiting Accept: %v", accepted)
		}
		h.from(bob, "too late")
		h.from(alice, "two")
		wantRead(t, c, "one")
		wantRead(t, c, "two")
		write(t, c, "bye")
		h.wantSent(alice, "bye")
		if s := h.Stats(); s.DroppedShutdown != 1 || s.Conns != 1 {
			t.Errorf("got %+v", s)
		}
		c.Close()
		h.wantIdle()
	})
}

func TestClosedListenerClosesWhatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{UnprovenMax: 1})
		h.from(alice, "one")
		h.from(bob, "one") // Evicts alice.
		h.from(alice, "two")
		h.Close()
		h.wantIdle()
	})
}

// A closed connection is remembered for the repeat window and no longer, whatever its source sends.
func TestClosedConnIsForgottenThoughSourceGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "quit")
		c := h.accept()
		wantRead(t, c, "quit")
		c.Close()
		for range 3 {
			time.Sleep(RepeatWindow / 2)
			h.from(alice, strings.Repeat("x", DatagramBytesMax+1))
		}
		h.wantIdle()
	})
}

func TestReplyToOtherPortOfSameHostOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		scoped := netip.MustParseAddrPort("[fe80::1%eth0]:5001")
		for _, c := range []struct {
			peer netip.AddrPort
			to   string
			want error
		}{
			{alice, "198.51.100.7:7000", nil},
			{alice, "198.51.100.7:5001", nil},
			{alice, "[::ffff:198.51.100.7]:7000", nil},
			{alice, "198.51.100.8:7000", ErrOtherHost},
			{alice, "198.51.100.7:0", ErrOtherHost},
			{alice, "[::1]:7000", ErrOtherHost},
			{scoped, "[fe80::1]:7000", nil},
			{scoped, "[fe80::2]:7000", ErrOtherHost},
			{netip.AddrPortFrom(server.Addr(), 9), "192.0.2.1:7000", nil},
			{netip.AddrPortFrom(server.Addr(), 9), "192.0.2.1:4000", ErrOwnAddress},
		} {
			h.from(c.peer, "hello")
			conn := h.accept()
			r, err := conn.ReplyTo(netip.MustParseAddrPort(c.to))
			if !errors.Is(err, c.want) {
				t.Errorf("%v to %v: %v, want %v", c.peer, c.to, err, c.want)
			}
			if r != nil {
				to := netip.AddrPortFrom(c.peer.Addr(), netip.MustParseAddrPort(c.to).Port())
				if r.RemoteAddr().String() != to.String() || r.LocalAddr().String() != server.String() {
					t.Errorf("%v to %v: connection from %v to %v", c.peer, c.to, r.LocalAddr(), r.RemoteAddr())
				}
				write(t, r, "x")
				h.wantSent(to, "x")
			}
			conn.Close()
			time.Sleep(RepeatWindow)
		}
	})
}

func TestReplyConnLivesAsLongAsItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "hello")
		c := h.accept()
		wantRead(t, c, "hello")
		reply := func() net.Conn {
			r, err := c.ReplyTo(netip.AddrPortFrom(alice.Addr(), 7000))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r, other := reply(), reply()

		_ = r.SetDeadline(time.Now().Add(time.Second)) // Open connections take any deadline.
		if _, err := r.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want a timeout", err)
		}
		if _, err := r.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v, want a timeout", err)
		}
		_ = r.SetDeadline(time.Time{})

		ends := func(r net.Conn, why string, end func()) {
			t.Helper()
			var got string
			go func() { got = read(r) }() // Ends with the connection.
			synctest.Wait()
			end()
			synctest.Wait()
			if got != "!"+why {
				t.Errorf("waiting reader got %q, want %q", got, why)
			}
			if _, err := r.Write([]byte("x")); err == nil || err.Error() != why {
				t.Errorf("write: %v, want %q", err, why)
			}
			if err := r.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("setting a deadline: %v", err)
			}
		}
		ends(r, net.ErrClosed.Error(), func() { r.Close() })
		if err := r.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing again: %v", err)
		}
		c.l.mu.Lock()
		proven := c.proven
		c.l.mu.Unlock()
		other.(interface{ Proven() }).Proven()
		if proven || !c.proven {
			t.Errorf("proven %v, then %v; want false, then true", proven, c.proven)
		}
		ends(other, ErrIdle.Error(), func() { time.Sleep(IdleTimeoutDefault) })
		if _, err := c.ReplyTo(alice); !errors.Is(err, ErrIdle) {
			t.Errorf("reply of an ended connection: %v", err)
		}
		h.wantIdle()
	})
}

// Everything at once, for the race detector; the books must be right in the end.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{ConnsMax: 12, UnprovenMax: 3, IdleTimeout: 3 * time.Second, TooLong: []byte("long")})
		var sources, sessions sync.WaitGroup
		for g := range 4 {
			sources.Go(func() { // Ends after 500 datagrams.
				for i := range 500 {
					h.from(stranger((g+i/30)%15), fmt.Sprint(i/3))
					if i%10 == 0 {
						time.Sleep(time.Duration(i) * time.Millisecond)
					}
				}
			})
		}
		sessions.Go(func() { // Ends at Close.
			for {
				c, err := h.Accept()
				if err != nil {
					return
				}
				sessions.Go(func() { echo(c.(*Conn)) }) // Ends with the connection.
			}
		})
		sources.Wait()
		h.Close()
		sessions.Wait()
		h.wantIdle()
		if s := h.Stats(); s.Conns != 0 || s.Accepted == 0 || s.Repeats == 0 || s.Evicted == 0 || s.Idle == 0 {
			t.Errorf("not everything happened: %+v", s)
		}
	})
}

// echo answers everything, twice, until the connection ends or it has seen enough.
func echo(c *Conn) {
	defer c.Close()
	r, err := c.ReplyTo(netip.AddrPortFrom(c.remote.Addr(), 7000))
	if err == nil {
		defer r.Close()
	}
	for i := range 20 {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // A closed one ends Read anyhow.
		b := make([]byte, DatagramBytesMax)
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if i == 3 && c.remote.Addr().As4()[3]%2 == 0 {
			c.Proven()
		}
		c.NoteAnswer(b[:n])
		_, _ = c.Write(b[:n]) // A closed one ends Read.
		if r != nil {
			_, _ = r.Write(b[:n])
		}
	}
}
