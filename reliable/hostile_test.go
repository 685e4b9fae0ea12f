package reliable

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// A client that came over IPv6 may ask to be called back at an IPv4 address. The answer cannot leave from where the
// request arrived, which must not make the socket forget where the answers to everybody else leave from.
func TestCallToTheOtherFamilyLeavesOthersAlone(t *testing.T) {
	e, err := Listen(":0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	port := e.sock.local().Port()
	dial := func(host string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		to := netip.AddrPortFrom(netip.MustParseAddr(host), port)
		c, err := Dial(ctx, to.String(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		c.Abort(CodeNone, "")
		c.Close()
	}
	silent, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, host := range []string{"::1", "127.0.0.9"} {
		asker, err := Dial(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(host), port).String(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		asked, err := e.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{"127.0.0.1", "::1", "192.0.2.1"} { // The last may be unreachable here.
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			at := netip.AddrPortFrom(netip.MustParseAddr(to), silent.sock.local().Port())
			if c, err := asked.(*Conn).Call(ctx, at); err == nil {
				t.Errorf("a silent listener answered: %v", c.RemoteAddr())
			}
			cancel()
		}
		asker.Close()
		dial("127.0.0.7")
	}
	dial("::1")
}

// Whoever called has given up while the reader was making the connection that answers. Nobody would ever close it, and
// its peer would keep it alive.
func TestAnswerToACallJustGivenUpIsClosed(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		call := &outgoingCall{to: clientAddr, result: make(chan *Conn, 1)}
		call.giveUp()
		call.answer(server)
		_, err := client.Read(make([]byte, 1))
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Code != CodeNoCall {
			t.Errorf("Read: %v, want that the call is over", err)
		}
	})
}
