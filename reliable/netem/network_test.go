package netem

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	clientAddr = netip.MustParseAddrPort("10.0.0.1:1111")
	serverAddr = netip.MustParseAddrPort("10.0.1.1:4000")
)

// world is a network with a client and a server in it.
type world struct {
	t              *testing.T
	net            *Network
	client, server *Socket
}

// inWorld runs f in a bubble.
func inWorld(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: NewNetwork(1)}
		defer w.net.Close()
		w.client, w.server = w.listen(clientAddr), w.listen(serverAddr)
		f(w)
	})
}

func (w *world) listen(addr netip.AddrPort) *Socket {
	w.t.Helper()
	s, err := w.net.ListenPacket(addr)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// paths counts the paths the network keeps.
func (w *world) paths() int {
	n := 0
	for _, to := range w.net.paths {
		n += len(to)
	}
	return n
}

func (w *world) send(from *Socket, to netip.AddrPort, text string) {
	w.t.Helper()
	if _, err := from.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to)); err != nil {
		w.t.Fatal(err)
	}
}

// want reads one datagram and checks what it is, from whom, and when it came.
func (w *world) want(s *Socket, text string, from netip.AddrPort, at time.Time) {
	w.t.Helper()
	b := make([]byte, 2000)
	if err := s.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		w.t.Fatal(err)
	}
	n, addr, err := s.ReadFrom(b)
	if err != nil {
		w.t.Fatalf("waiting for %q: %v", text, err)
	}
	if got := addr.(*net.UDPAddr).AddrPort(); string(b[:n]) != text || got != from || !time.Now().Equal(at) {
		w.t.Errorf("got %q from %v at %v, want %q from %v at %v", b[:n], got, time.Now(), text, from, at)
	}
}

// wantNothing checks that nothing arrives for a minute.
func (w *world) wantNothing(s *Socket) {
	w.t.Helper()
	b := make([]byte, 2000)
	if err := s.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		w.t.Fatal(err)
	}
	if n, from, err := s.ReadFrom(b); err == nil {
		w.t.Errorf("got %q from %v, want nothing", b[:n], from)
	}
}

func TestNetworkIsPerfectByDefault(t *testing.T) {
	inWorld(t, func(w *world) {
		start := time.Now()
		for i := range 100 {
			w.send(w.client, serverAddr, fmt.Sprint(i))
		}
		for i := range 100 {
			w.want(w.server, fmt.Sprint(i), clientAddr, start)
		}
		w.send(w.server, clientAddr, "back")
		w.want(w.client, "back", serverAddr, start)
	})
}

func TestNetworkProfileEachWay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.Connect(clientAddr, serverAddr, Profile{
			Up: Params{Delay: 10 * time.Millisecond}, Down: Params{Delay: 30 * time.Millisecond},
		}, 1)
		start := time.Now()
		w.send(w.client, serverAddr, "up")
		w.want(w.server, "up", clientAddr, start.Add(10*time.Millisecond))
		w.send(w.server, clientAddr, "down")
		w.want(w.client, "down", serverAddr, start.Add(40*time.Millisecond))
	})
}

func TestNetworkDefaultProfileCallsTheFirstSenderClient(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.SetDefault(Profile{Up: Params{Delay: time.Second}, Down: Params{Delay: 2 * time.Second}})
		start := time.Now()
		w.send(w.server, clientAddr, "first")
		w.want(w.client, "first", serverAddr, start.Add(time.Second))
		w.send(w.client, serverAddr, "answer")
		w.want(w.server, "answer", clientAddr, start.Add(3*time.Second))
	})
}

func TestNetworkCountsAndVerdictsPerPath(t *testing.T) {
	verdicts := func() (all []Verdict) {
		inWorld(t, func(w *world) {
			w.net.Connect(clientAddr, serverAddr, Profile{Up: Params{Loss: 0.2, Delay: time.Second}}, 5)
			path := w.net.Path(clientAddr, serverAddr)
			path.Record()
			for range 1000 {
				w.send(w.client, serverAddr, "0123456789")
			}
			time.Sleep(time.Second)
			c := path.Counts()
			if c.Pushed != 1000 || c.PushedBytes != 10_000 || c.Delivered+c.DroppedFor[DroppedLoss] != 1000 || c.Dropped() < 150 || c.Dropped() > 250 {
				t.Errorf("counts %+v", c)
			}
			if back := w.net.Path(serverAddr, clientAddr).Counts(); back.Pushed != 0 {
				t.Errorf("the way back counts %+v", back)
			}
			path.Set(Params{}, 1, Up)
			w.send(w.client, serverAddr, "x")
			if got := path.Counts().Pushed; got != 1001 {
				t.Errorf("after Set: %d pushed", got)
			}
			all = path.Verdicts()
		})
		return all
	}
	a, b := verdicts(), verdicts()
	if len(a) != 1001 || !slices.Equal(a, b) {
		t.Errorf("%d verdicts, then %d", len(a), len(b))
	}
}

func TestNetworkPartitionOneWayAndBoth(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.Path(clientAddr, serverAddr).Cut(true)
		w.send(w.client, serverAddr, "lost")
		w.wantNothing(w.server)
		w.send(w.server, clientAddr, "comes")
		w.want(w.client, "comes", serverAddr, time.Now())
		w.net.Partition(clientAddr, serverAddr)
		w.send(w.server, clientAddr, "lost")
		w.wantNothing(w.client)
		w.net.Heal(clientAddr, serverAddr)
		w.send(w.client, serverAddr, "again")
		w.want(w.server, "again", clientAddr, time.Now())
		if got := w.net.Path(clientAddr, serverAddr).Counts().DroppedFor[DroppedPartition]; got != 1 {
			t.Errorf("%d dropped for the partition, want 1", got)
		}
	})
}

func TestSocketRebindKeepsPathsAndLosesTheOldAddress(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.Connect(clientAddr, serverAddr, both("", "", Params{Delay: 50 * time.Millisecond}), 1)
		newAddr := netip.MustParseAddrPort("10.9.9.9:2222")
		w.send(w.client, serverAddr, "before")
		w.send(w.server, clientAddr, "dies on the way")
		start := time.Now()
		if err := w.client.Rebind(newAddr); err != nil {
			t.Fatal(err)
		}
		w.want(w.server, "before", clientAddr, start.Add(50*time.Millisecond)) // Sent before: old source.
		w.send(w.client, serverAddr, "after")
		w.want(w.server, "after", newAddr, start.Add(100*time.Millisecond)) // Still 50 ms.
		w.send(w.server, clientAddr, "to the old one")
		w.wantNothing(w.client)
		now := time.Now()
		w.send(w.server, newAddr, "to the new one")
		w.want(w.client, "to the new one", serverAddr, now.Add(50*time.Millisecond))
		if got := w.net.Unreachable(); got != 2 {
			t.Errorf("%d unreachable, want 2", got)
		}
		if got := w.client.LocalAddr().String(); got != clientAddr.String() || w.client.Public() != newAddr {
			t.Errorf("local %v, public %v", got, w.client.Public())
		}
		if err := w.client.Rebind(serverAddr); err == nil {
			t.Error("took an address in use")
		}
		w.listen(clientAddr) // The old one is free.
	})
}

func TestNetworkRoamProfileMovesTheClientOnly(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.Connect(clientAddr, serverAddr, roam(), 1)
		start := time.Now()
		time.Sleep(40 * time.Second)
		// The server does not know yet, and sends to an address that has died.
		w.send(w.server, clientAddr, "lost")
		w.wantNothing(w.client)
		time.Sleep(time.Until(start.Add(110 * time.Second)))
		w.send(w.client, serverAddr, "here")
		b := make([]byte, 100)
		w.client.SetReadDeadline(time.Time{}) // What wantNothing left.
		n, from, err := w.server.ReadFromUDPAddrPort(b)
		if err != nil || string(b[:n]) != "here" || from == clientAddr || from.Port() != clientAddr.Port() {
			t.Errorf("got %q from %v, %v", b[:n], from, err)
		}
		if w.client.Public() != from || w.server.Public() != serverAddr {
			t.Errorf("client at %v, server at %v", w.client.Public(), w.server.Public())
		}
		w.send(w.server, from, "hello")
		if n, _, err := w.client.ReadFromUDPAddrPort(b); err != nil || string(b[:n]) != "hello" {
			t.Errorf("got %q, %v", b[:n], err)
		}
	})
}

func TestNetworkUnknownAddressGetsNoPath(t *testing.T) {
	inWorld(t, func(w *world) {
		for port := range uint16(1000) {
			w.send(w.client, netip.AddrPortFrom(serverAddr.Addr(), 10_000+port), "?")
		}
		if got := w.net.Unreachable(); got != 1000 || w.paths() != 0 {
			t.Errorf("%d unreachable, %d paths", got, w.paths())
		}
		// Paths of closed sockets go, unless somebody asked for them.
		kept := w.net.Path(clientAddr, serverAddr)
		for range 1000 {
			s := w.listen(netip.AddrPortFrom(clientAddr.Addr(), 0))
			w.send(s, serverAddr, "hi")
			s.Close()
		}
		if w.paths() != 2 || w.net.Path(clientAddr, serverAddr) != kept {
			t.Errorf("%d paths", w.paths())
		}
	})
}

// A path somebody has prepared for the new address is used there instead of the old one's.
func TestSocketRebindToAPreparedPath(t *testing.T) {
	inWorld(t, func(w *world) {
		mobile := netip.MustParseAddrPort("10.9.9.9:2222")
		w.net.Connect(clientAddr, serverAddr, both("", "", Params{Delay: time.Millisecond}), 1)
		w.net.Connect(mobile, serverAddr, both("", "", Params{Delay: time.Second}), 1)
		for _, there := range []struct {
			addr  netip.AddrPort
			delay time.Duration
		}{{mobile, time.Second}, {clientAddr, time.Millisecond}} {
			if err := w.client.Rebind(there.addr); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			w.send(w.client, serverAddr, "x")
			w.want(w.server, "x", there.addr, start.Add(there.delay))
			w.send(w.server, there.addr, "y")
			w.want(w.client, "y", serverAddr, start.Add(2*there.delay))
		}
	})
}

func TestSocketSendsToItself(t *testing.T) {
	inWorld(t, func(w *world) {
		w.send(w.client, clientAddr, "me")
		w.want(w.client, "me", clientAddr, time.Now())
		if err := w.client.Rebind(netip.AddrPortFrom(clientAddr.Addr(), 7)); err != nil {
			t.Fatal(err)
		}
		w.client.Close()
		if w.paths() != 0 {
			t.Errorf("%d paths are left", w.paths())
		}
	})
}

func TestSocketDeadlines(t *testing.T) {
	inWorld(t, func(w *world) {
		b := make([]byte, 10)
		start := time.Now()
		w.client.SetReadDeadline(start.Add(3 * time.Second))
		w.client.SetReadDeadline(start.Add(time.Second)) // Earlier,
		w.client.SetReadDeadline(start.Add(2 * time.Second))
		_, _, err := w.client.ReadFrom(b) // and later again.
		if netErr, ok := errors.AsType[net.Error](err); !ok || !netErr.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Errorf("after %v, want 2s", got)
		}
		// A deadline set while somebody waits wakes him.
		w.client.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Second)
			w.client.SetReadDeadline(time.Now())
		}()
		if _, _, err := w.client.ReadFrom(b); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		w.client.SetDeadline(time.Now().Add(-time.Second))
		if _, err := w.client.WriteTo(b, w.server.LocalAddr()); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		w.client.SetDeadline(time.Time{})
		w.send(w.server, clientAddr, "works again")
		w.want(w.client, "works again", serverAddr, time.Now())
	})
}

func TestSocketCloseWakesReadersAndFreesTheAddress(t *testing.T) {
	inWorld(t, func(w *world) {
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				if _, _, err := w.client.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("read: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := w.client.Close(); err != nil {
			t.Error(err)
		}
		readers.Wait()
		for what, err := range map[string]error{
			"close": w.client.Close(), "deadline": w.client.SetDeadline(time.Now()), "rebind": w.client.Rebind(clientAddr),
			"write": func() error { _, err := w.client.WriteTo(nil, w.server.LocalAddr()); return err }(),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.listen(clientAddr)
	})
}

func TestSocketWhatWasSentBeforeCloseArrives(t *testing.T) {
	inWorld(t, func(w *world) {
		w.net.SetDefault(both("", "", Params{Delay: time.Second}))
		start := time.Now()
		w.send(w.client, serverAddr, "goodbye")
		w.client.Close()
		w.want(w.server, "goodbye", clientAddr, start.Add(time.Second))
	})
}

func TestSocketReceiveBufferIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.server.SetReadBuffer(10 * (100 + headerBytes))
		for range 15 {
			w.send(w.client, serverAddr, string(make([]byte, 100)))
		}
		if got := w.server.Dropped(); got != 5 {
			t.Errorf("%d dropped, want 5", got)
		}
		for range 10 {
			w.want(w.server, string(make([]byte, 100)), clientAddr, time.Now())
		}
		w.wantNothing(w.server)
	})
}

func TestSocketRefusesNonsense(t *testing.T) {
	inWorld(t, func(w *world) {
		for what, to := range map[string]net.Addr{
			"another kind": &net.TCPAddr{}, "nil": (*net.UDPAddr)(nil), "no address": &net.UDPAddr{},
		} {
			if _, err := w.client.WriteTo(nil, to); err == nil {
				t.Errorf("wrote to %s", what)
			}
		}
		if _, err := w.client.WriteTo(make([]byte, datagramBytesMax+1), w.server.LocalAddr()); err == nil {
			t.Error("wrote a datagram that is too long")
		}
		for _, addr := range []netip.AddrPort{{}, serverAddr, netip.MustParseAddrPort("0.0.0.0:1")} {
			if _, err := w.net.ListenPacket(addr); err == nil {
				t.Errorf("listens at %v", addr)
			}
		}
		mapped := netip.MustParseAddrPort("[::ffff:10.0.1.1]:4000")
		w.send(w.client, mapped, "mapped") // As some programs write IPv4.
		w.want(w.server, "mapped", clientAddr, time.Now())
	})
}

func TestNetworkCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		n.SetDefault(both("", "", Params{Delay: time.Hour}))
		a, _ := n.ListenPacket(clientAddr)
		b, _ := n.ListenPacket(serverAddr)
		a.SetReadDeadline(time.Now().Add(time.Minute))
		a.WriteTo([]byte("never arrives"), b.LocalAddr())
		done := make(chan error)
		go func() {
			_, _, err := b.ReadFrom(nil)
			done <- err
		}()
		synctest.Wait()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := n.ListenPacket(clientAddr); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Goal: a busy network in a bubble, with everything at once, neither races nor leaks nor loses count.
func TestNetworkManySocketsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		p, err := ProfileNamed("wifi-bad")
		if err != nil {
			t.Fatal(err)
		}
		n.SetDefault(p)
		server, err := n.ListenPacket(serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		var all, echo sync.WaitGroup
		echo.Go(func() {
			b := make([]byte, 2000)
			for {
				k, from, err := server.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				if _, err := server.WriteToUDPAddrPort(b[:k], from); err != nil {
					t.Error(err)
				}
			}
		})
		var mu sync.Mutex
		answers := 0
		for i := range 50 {
			all.Go(func() {
				s, err := n.ListenPacket(netip.AddrPortFrom(clientAddr.Addr(), 0))
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				b := make([]byte, 2000)
				for j := range 100 {
					s.WriteToUDPAddrPort(b[:200], serverAddr)
					s.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
					if _, _, err := s.ReadFromUDPAddrPort(b); err == nil {
						mu.Lock()
						answers++
						mu.Unlock()
					}
					if i == 0 && j%10 == 9 {
						if err := s.Rebind(netip.AddrPortFrom(clientAddr.Addr(), uint16(100+j))); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
		n.Close()
		echo.Wait()
		t.Logf("%d of 5000 answered", answers)
		if answers < 4000 || answers > 4900 {
			t.Errorf("%d of 5000 answered", answers)
		}
	})
}

func BenchmarkNetworkPingPong(b *testing.B) {
	n := NewNetwork(1)
	defer n.Close()
	client, _ := n.ListenPacket(clientAddr)
	server, _ := n.ListenPacket(serverAddr)
	buf := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		client.WriteToUDPAddrPort(buf, serverAddr)
		server.ReadFromUDPAddrPort(buf)
		server.WriteToUDPAddrPort(buf, clientAddr)
		client.ReadFromUDPAddrPort(buf)
	}
}
