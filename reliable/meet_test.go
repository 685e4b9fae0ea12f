package reliable

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// A couple of guests meet: two endpoints that accept nobody, and what they were told of each other.
type guests struct {
	*world
	ends  [2]*Endpoint
	where [2][]netip.AddrPort // candidates of each
	keys  [2]Key
}

// invite makes the two endpoints of sockets.
func (w *world) invite(cfg Config, sockets ...net.PacketConn) *guests {
	w.Helper()
	g := &guests{world: w}
	for i, pc := range sockets {
		cfg := cfg
		cfg.Identity, _ = NewIdentity(nil)
		e, err := NewEndpoint(pc, cfg)
		if err != nil {
			w.Fatal(err)
		}
		_ = e.Listener().Close()
		g.ends[i] = e
		if g.keys[i], err = e.ServerKey(); err != nil {
			w.Fatal(err)
		}
		own := e.sock.local()
		g.where[i] = []netip.AddrPort{own}
		if n, ok := pc.(*nat); ok { // A server saw it, too.
			g.where[i] = append(g.where[i], n.publicFor(serverAddr))
		}
	}
	return g
}

// meet has both meet, one a moment after the other, and returns what they get.
func (g *guests) meet(ctx context.Context, change func(side int, m *Meeting)) (conns [2]*Conn, errs [2]error) {
	type result struct {
		side int
		conn *Conn
		err  error
	}
	results := make(chan result)
	for side := range 2 {
		m := Meeting{Nonce: 4711, Key: g.keys[1-side], Candidates: g.where[1-side], Dial: side == 0}
		if change != nil {
			change(side, &m)
		}
		go func() {
			time.Sleep(time.Duration(side) * 130 * time.Millisecond)
			c, err := g.ends[side].Meet(ctx, m)
			results <- result{side, c, err}
		}()
	}
	for range 2 {
		r := <-results
		conns[r.side], errs[r.side] = r.conn, r.err
	}
	return conns, errs
}

func (g *guests) close() {
	for _, e := range g.ends {
		e.Close()
	}
}

// Two who cannot be reached by strangers meet, on a bad link too, wherever NATs allow it at all; where they do not, both
// learn so in time.
func TestMeetThroughNATs(t *testing.T) {
	restricted, anyPort, symmetric := &natKind{}, &natKind{anyPort: true}, &natKind{symmetric: true}
	for _, c := range []struct {
		name string
		nats [2]*natKind // nil: none
		meet bool
	}{
		{"no NATs", [2]*natKind{nil, nil}, true},
		{"only who dials", [2]*natKind{restricted, nil}, true},
		{"only who is dialled", [2]*natKind{nil, restricted}, true},
		{"both", [2]*natKind{restricted, restricted}, true},
		{"both, by address", [2]*natKind{anyPort, anyPort}, true},
		{"symmetric and by address", [2]*natKind{symmetric, anyPort}, true},
		{"by address and symmetric", [2]*natKind{anyPort, symmetric}, true},
		{"symmetric and none", [2]*natKind{symmetric, nil}, true},
		{"symmetric and by port", [2]*natKind{symmetric, restricted}, false},
		{"both symmetric", [2]*natKind{symmetric, symmetric}, false},
	} {
		for _, loss := range []float64{0, 0.2} {
			t.Run(c.name, func(t *testing.T) {
				inWorld(t, lossy(0), Config{}, func(w *world) {
					w.net.SetDefault(netem.Profile{Up: lossy(loss), Down: lossy(loss)})
					var sockets []net.PacketConn
					for i, n := range c.nats {
						inside, outside := []string{"192.168.1.2:5000", "192.168.7.3:6000"}[i], []string{"198.51.100.1", "203.0.113.1"}[i]
						if n == nil {
							sockets = append(sockets, w.socket(netip.MustParseAddrPort(outside+":7000")))
						} else {
							sockets = append(sockets, w.behindNAT(inside, outside, *n))
						}
					}
					g := w.invite(Config{}, sockets...)
					defer g.close()
					start := time.Now()
					conns, errs := g.meet(w.Context(), nil)
					if !c.meet {
						for side, err := range errs {
							if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 11*time.Second {
								t.Errorf("side %d: %v after %v", side, err, time.Since(start))
							}
						}
						return
					}
					if err := errors.Join(errs[:]...); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(start); took > 3*time.Second || loss == 0 && took > 700*time.Millisecond {
						t.Errorf("took %v", took)
					}
					for side, conn := range conns {
						if conn.PeerKey() != g.keys[1-side] {
							t.Errorf("side %d met %v", side, conn.PeerKey())
						}
						w.exchange(conn, conns[1-side], strings.Repeat("hello ", 100))
					}
					if conns[1].ServerKey() != (Key{}) || conns[0].ServerKey() != g.keys[1] {
						t.Error("the server's key is not that of who was dialled")
					}
					conns[0].Close()
					if _, err := conns[1].Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("the end: %v", err)
					}
				})
			})
		}
	}
}

// Two on one network meet by their own addresses, though their NAT leads nothing back.
func TestMeetOnOneNetwork(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		g := w.invite(Config{}, w.socket(netip.MustParseAddrPort("192.168.1.2:5000")), w.socket(netip.MustParseAddrPort("192.168.1.3:5000")))
		defer g.close()
		for i := range g.where {
			g.where[i] = append([]netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:999")}, g.where[i]...)
		}
		if _, errs := g.meet(w.Context(), nil); errs != [2]error{} {
			t.Error(errs)
		}
	})
}

// Who has not the key it should have is not met, whichever side it is on; nor is who was not introduced.
func TestMeetWantsBothKeys(t *testing.T) {
	for name, liar := range map[string]int{"who dials": 0, "who is dialled": 1} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(0), Config{}, func(w *world) {
				g := w.invite(Config{}, w.socket(clientAddr2), w.socket(peerAddr))
				defer g.close()
				_, errs := g.meet(w.Context(), func(side int, m *Meeting) {
					if side != liar {
						m.Key = Key{1} // The liar has not that one.
					}
				})
				for side, err := range errs {
					if err == nil {
						t.Errorf("side %d met somebody", side)
					}
				}
				if e, ok := errors.AsType[*KeyError](errs[0]); liar == 1 && (!ok || e.Got != g.keys[1]) {
					t.Errorf("who dialled the liar was told %v", errs[0])
				}
			})
		})
	}
}

var (
	clientAddr2 = netip.MustParseAddrPort("10.0.0.5:5000")
	peerAddr    = netip.MustParseAddrPort("10.0.0.6:6000")
)

// A client that proves no key is no peer, even if it knows the nonce.
func TestMeetRefusesWhoProvesNothing(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		g := w.invite(Config{}, w.socket(clientAddr2), w.socket(peerAddr))
		defer g.close()
		met := make(chan error, 1)
		go func() {
			_, err := g.ends[1].Meet(w.Context(), Meeting{Nonce: 5, Key: g.keys[0], Candidates: g.where[0]})
			met <- err
		}()
		time.Sleep(time.Second)
		c, err := w.client.dial(w.Context(), peerAddr, 5)
		if err == nil {
			c.SetReadDeadline(time.Now().Add(30 * time.Second))
			if _, err = c.Read(make([]byte, 1)); err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection ended with %v", err)
			}
		}
		if err := <-met; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("met: %v", err)
		}
	})
}

// Who has read the nonce on the way cannot make more than a few connections of it.
func TestMeetBeginsFewConnections(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		g := w.invite(Config{}, w.socket(clientAddr2), w.socket(peerAddr))
		defer g.close()
		met := make(chan error, 1)
		go func() {
			_, err := g.ends[1].Meet(w.Context(), Meeting{Nonce: 5, Key: g.keys[0], Candidates: g.where[0]})
			met <- err
		}()
		time.Sleep(time.Second)
		thief := w.socket(netip.MustParseAddrPort("10.0.0.66:66"))
		for i := range 100 {
			hello := wire.Hello{Source: wire.ConnID(i + 1), Nonce: wire.Nonce{9}, Call: 5}
			thief.WriteToUDPAddrPort(wire.AppendHello(nil, hello, 0), peerAddr)
		}
		time.Sleep(500 * time.Millisecond)
		if s := g.ends[1].Stats(); s.HalfOpen != meetHellosMax || s.Refused != 100-meetHellosMax {
			t.Errorf("%d are half-open, %d were refused", s.HalfOpen, s.Refused)
		}
		<-met
	})
}

// A meeting that comes to nothing leaves nothing behind, and little was sent to who never asked for it.
func TestMeetSendsLittleToStrangers(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		g := w.invite(Config{}, w.socket(clientAddr2), w.socket(peerAddr))
		defer g.close()
		victim := w.socket(netip.MustParseAddrPort("10.0.0.99:99"))
		_, err := g.ends[0].Meet(w.Context(), Meeting{
			Nonce: 5, Key: g.keys[1], Candidates: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.99:99")}, Dial: true,
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("met: %v", err)
		}
		packets, bytes := 0, 0
		victim.SetReadDeadline(time.Now().Add(time.Second))
		for b := make([]byte, 2048); ; packets++ {
			n, _, err := victim.ReadFromUDPAddrPort(b)
			if err != nil {
				break
			}
			bytes += n
		}
		if packets == 0 || packets > 30 || bytes > 300 {
			t.Errorf("%d packets of %d bytes went to a stranger", packets, bytes)
		}
		if n := len(g.ends[0].meetings) + len(g.ends[0].calls) + g.ends[0].Stats().Conns; n != 0 {
			t.Errorf("%d things are left", n)
		}
	})
}

func TestMeetingsThatCannotBe(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		good := Meeting{Nonce: 1, Key: Key{1}, Candidates: []netip.AddrPort{peerAddr}, Dial: true}
		for name, change := range map[string]func(m *Meeting){
			"no nonce":      func(m *Meeting) { m.Nonce = 0 },
			"no key":        func(m *Meeting) { m.Key = Key{} },
			"no candidates": func(m *Meeting) { m.Candidates = nil },
			"no host": func(m *Meeting) {
				m.Candidates = []netip.AddrPort{
					{}, netip.MustParseAddrPort("10.0.0.1:0"), netip.MustParseAddrPort("224.0.0.1:5"), netip.MustParseAddrPort("0.0.0.0:5"),
					netip.MustParseAddrPort("255.255.255.255:5"), netip.MustParseAddrPort("[ff02::1]:5"),
				}
			},
		} {
			m := good
			change(&m)
			start := time.Now()
			if _, err := w.client.Meet(w.Context(), m); err == nil || time.Since(start) > 0 {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		}
		ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
		defer cancel()
		done := make(chan error)
		for i := range meetingsMax {
			go func() {
				m := good
				m.Nonce += uint64(i)
				_, err := w.client.Meet(ctx, m)
				done <- err
			}()
		}
		time.Sleep(time.Second)
		for _, nonce := range []uint64{1, 1000} {
			m := good
			m.Nonce = nonce
			if _, err := w.client.Meet(ctx, m); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("one meeting too many, nonce %d: %v", nonce, err)
			}
		}
		for range meetingsMax {
			<-done
		}
	})
}

// Closing the endpoint ends a meeting.
func TestCloseEndsMeeting(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		go func() {
			time.Sleep(time.Second)
			w.client.Close()
		}()
		start := time.Now()
		_, err := w.client.Meet(w.Context(), Meeting{Nonce: 1, Key: Key{1}, Candidates: []netip.AddrPort{peerAddr}, Dial: true})
		if !errors.Is(err, net.ErrClosed) || time.Since(start) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestWords(t *testing.T) {
	if got := word(0x7f00) + "-" + word(0x0001); got != "lusab-babad" { // As published.
		t.Errorf("127.0.0.1 is %s", got)
	}
	a, b := Key{1}, Key{2}
	words := Words(a, b)
	if words != Words(b, a) || len(strings.Fields(words)) != wordsCount || len(words) != 6*wordsCount-1 {
		t.Errorf("%q and %q", words, Words(b, a))
	}
	if words == Words(a, Key{3}) || words == Words(a, a) {
		t.Error("other keys have the same words")
	}
}

// Over real sockets, on one machine.
func TestMeetOnThisMachine(t *testing.T) {
	var ends [2]*Endpoint
	var keys [2]Key
	var where [2][]netip.AddrPort
	for i := range ends {
		var err error
		if ends[i], err = Listen(":0", Config{}); err != nil {
			t.Fatal(err)
		}
		defer ends[i].Close()
		_ = ends[i].Listener().Close()
		if keys[i], err = ends[i].ServerKey(); err != nil {
			t.Fatal(err)
		}
		if where[i], err = ends[i].Candidates(); err != nil || len(where[i]) == 0 || len(where[i]) > candidatesOwnMax {
			t.Fatalf("candidates: %v, %v", where[i], err)
		}
	}
	met := make(chan error, 1)
	go func() {
		c, err := ends[1].Meet(t.Context(), Meeting{Nonce: 3, Key: keys[0], Candidates: where[0]})
		if err == nil {
			_, err = io.Copy(c, c)
		}
		met <- err
	}()
	c, err := ends[0].Meet(t.Context(), Meeting{Nonce: 3, Key: keys[1], Candidates: where[1], Dial: true})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	io.WriteString(c, "hello")
	if _, err := io.ReadFull(c, got); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	c.Close()
	if err := <-met; err != nil {
		t.Error(err)
	}
}
