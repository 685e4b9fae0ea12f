package reliable

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"udpchat/reliable/netem"
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
		ctx, cancel := context.WithTimeout(t.Context(), patience)
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
	hosts := here(t, "127.0.0.7", "::1")
	for _, host := range slices.Backward(hosts) {
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
	dial(hosts[len(hosts)-1])
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

// Thousands of joins name ports of a host that never asked for a call.
func TestCallsDoNotFloodAHost(t *testing.T) {
	for _, test := range []struct {
		name   string
		victim func(i int) netip.Addr
	}{
		{"one victim", func(int) netip.Addr { return netip.MustParseAddr("10.0.0.77") }},
		{"one asker", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, lossy(0), Config{}, func(w *world) {
				_, server := w.connect()
				var calls sync.WaitGroup
				var tooMany atomic.Int64
				for i := range 3000 {
					calls.Go(func() {
						ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
						defer cancel()
						_, err := server.Call(ctx, netip.AddrPortFrom(test.victim(i), uint16(i+1)))
						if errors.Is(err, errTooManyOut) {
							tooMany.Add(1)
						}
					})
				}
				calls.Wait()
				sent := w.server.Stats().CallsSent
				if want := uint64(3 * callsPerHostMax); sent != want || tooMany.Load() != 3000-callsPerHostMax {
					t.Errorf("%d packets were sent, %d calls refused; want %d packets", sent, tooMany.Load(), want)
				}
			})
		})
	}
	inWorld(t, lossy(0), Config{}, func(w *world) {
		if _, err := w.server.Call(w.Context(), netip.MustParseAddrPort("255.255.255.255:9")); err == nil || w.server.Stats().CallsSent != 0 {
			t.Errorf("called everybody: %v", err)
		}
	})
}

// One address opens connections as fast as it can while nobody accepts: the reader must not wait for anybody, and what
// is there goes on.
func TestBacklogFullOfOneAddressDoesNotStopTheOthers(t *testing.T) {
	inWorld(t, netem.Params{}, Config{Backlog: 4}, func(w *world) {
		client, server := w.connect()
		accepted, refused := 0, 0
		for range 20 {
			_, err := w.client.Dial(w.Context(), serverAddr)
			time.Sleep(time.Millisecond) // The server has to hear the end of the handshake.
			if _, ok := errors.AsType[*RefusedError](err); ok {
				refused++
			} else if err == nil {
				accepted++
			}
		}
		if s := w.server.Stats(); accepted != 4 || refused != 16 || s.Conns != 5 || s.Refused != 16 {
			t.Errorf("%d accepted, %d refused, %+v", accepted, refused, s)
		}
		client.Write([]byte("still here"))
		if _, err := io.ReadFull(server, make([]byte, 10)); err != nil {
			t.Error(err)
		}
	})
}
