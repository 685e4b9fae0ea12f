package plain

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneConnPerSourceAndOneDatagramPerCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		h.from(bob, "uno")
		h.from(alice, "two")
		a, b := h.accept(), h.accept()
		if a.RemoteAddr().String() != alice.String() || b.RemoteAddr().String() != bob.String() {
			t.Fatalf("connections from %v and %v, want %v and %v", a.RemoteAddr(), b.RemoteAddr(), alice, bob)
		}
		wantRead(t, a, "one")
		wantRead(t, a, "two")
		wantRead(t, b, "uno")
		write(t, a, "eins")
		write(t, a, "zwei")
		write(t, a, "")
		h.wantSent(alice, "eins", "zwei")
		if got := h.Addr().String(); got != server.String() {
			t.Errorf("listener's address is %v", got)
		}
		s := h.Stats()
		if s.Conns != 2 || s.Accepted != 2 || s.Delivered != 3 || s.SentBytes != 8 || s.ReceivedBytes != 9 {
			t.Errorf("got %+v", s)
		}
	})
}

// On a socket for both families IPv4 addresses come inside IPv6 ones; nobody above wants to know.
func TestAddressesArePlainIPv4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		mapped := func(a netip.AddrPort) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
		}
		h.Handle([]byte("hi"), mapped(alice), mapped(server))
		c := h.accept()
		if c.RemoteAddr().String() != alice.String() || c.LocalAddr().String() != server.String() {
			t.Errorf("connection from %v to %v, want %v and %v", c.RemoteAddr(), c.LocalAddr(), alice, server)
		}
		write(t, c, "yes")
		h.wantSent(alice, "yes")
	})
}

func TestShortBufferGetsRestNextTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "abcdef")
		h.from(alice, "g")
		c := h.accept()
		var got []string
		for range 3 {
			b := make([]byte, 4)
			n, err := c.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(b[:n]))
		}
		if s := strings.Join(got, "|"); s != "abcd|ef|g" {
			t.Errorf("read %s, want abcd|ef|g", s)
		}
	})
}

func TestReadWaitsForDatagram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		c := h.accept()
		wantRead(t, c, "one")
		var got string
		go func() { got = read(c) }() // Ends when the datagram has come.
		synctest.Wait()
		h.from(alice, "two")
		synctest.Wait()
		if got != "two" {
			t.Errorf("waiting reader got %q", got)
		}
	})
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		c := h.accept()
		wantRead(t, c, "one")
		start := time.Now()
		timedOut := func(after time.Duration) {
			t.Helper()
			_, err := c.Read(make([]byte, 9))
			var ne net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
				t.Fatalf("got %v, want a timeout", err)
			}
			if got := time.Since(start); got != after {
				t.Fatalf("gave up after %v, want %v", got, after)
			}
		}
		_ = c.SetReadDeadline(start.Add(time.Second)) // Open connections take any deadline.
		timedOut(time.Second)
		timedOut(time.Second)

		// A deadline in the past interrupts a reader that waits already.
		_ = c.SetDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
		timedOut(2 * time.Second)

		// A later deadline replaces an earlier one.
		_ = c.SetReadDeadline(start.Add(3 * time.Second))
		_ = c.SetReadDeadline(start.Add(4 * time.Second))
		timedOut(4 * time.Second)

		_ = c.SetDeadline(time.Time{})
		h.from(alice, "two")
		wantRead(t, c, "two")
	})
}

func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		c := h.accept()
		_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // Open connections take any deadline.
		write(t, c, "in time")
		time.Sleep(time.Second)
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("late write: %v", err)
		}
		h.wantSent(alice, "in time")
	})
}

func TestCloseUnblocksReadAndFreesSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		c := h.accept()
		wantRead(t, c, "one")
		var got string
		go func() { got = read(c) }() // Ends at Close.
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Fatalf("closing: %v", err)
		}
		synctest.Wait()
		if got != "!"+net.ErrClosed.Error() {
			t.Errorf("waiting reader got %q", got)
		}
		_, werr := c.Write([]byte("x"))
		_, rerr := c.ReplyTo(netip.AddrPortFrom(alice.Addr(), 9))
		for what, err := range map[string]error{
			"close again": c.Close(), "write": werr, "reply": rerr, "deadline": c.SetReadDeadline(time.Now()),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after close: %v, want net.ErrClosed", what, err)
			}
		}
		h.from(alice, "two")
		wantRead(t, h.accept(), "two")
	})
}

// The socket's trouble with one datagram is loss; a closed socket is the end.
func TestSendErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "one")
		c := h.accept()
		c.Proven()
		h.fail = errors.New("no buffer space")
		write(t, c, "x")
		h.fail = net.ErrClosed
		if _, err := c.Write([]byte("y")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write to a closed socket: %v", err)
		}
		write(t, c, strings.Repeat("z", WriteBytesMax+1))
		if s := h.Stats(); s.DroppedSend != 2 || s.DroppedOversized != 1 {
			t.Errorf("got %+v", s)
		}
	})
}
