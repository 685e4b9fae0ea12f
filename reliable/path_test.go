package reliable

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"udpchat/reliable/netem"
)

var (
	otherPort = netip.MustParseAddrPort("10.0.0.2:5001")
	otherHost = netip.MustParseAddrPort("10.9.9.9:6000")
	relayAddr = netip.MustParseAddrPort("10.66.66.66:7000")
)

// Whoever talks when the client's address changes, and whichever way: nothing is lost, and the silence is short.
func TestPathChangeInABurstStallsForARoundTripAndAQuarterOfASecondAtMost(t *testing.T) {
	for name, to := range map[string]netip.AddrPort{"another port": otherPort, "another host": otherHost} {
		for _, delay := range thinned([]time.Duration{50 * time.Millisecond, time.Millisecond, 10 * time.Millisecond, 150 * time.Millisecond}, 1) {
			for _, who := range []string{"client chats", "server chats", "client sends much", "server sends much", "both send much"} {
				t.Run(name+"/"+delay.String()+"/"+who, func(t *testing.T) {
					inCouple(t, delay, Config{}, func(d *couple) { testChange(d, to, who) })
				})
			}
		}
	}
}

func testChange(d *couple, to netip.AddrPort, who string) {
	type side struct {
		m       *Machine
		reader  int
		chunk   int
		every   time.Duration
		written int
		next    time.Time
	}
	var sides []*side
	if who != "server chats" && who != "server sends much" {
		sides = append(sides, &side{m: d.client, reader: 1, chunk: 200, every: 50 * time.Millisecond})
	}
	if who != "client chats" && who != "client sends much" {
		sides = append(sides, &side{m: d.server, reader: 0, chunk: 200, every: 50 * time.Millisecond})
	}
	for _, s := range sides {
		if who != "client chats" && who != "server chats" {
			s.chunk, s.every = 10<<10, 10*time.Millisecond
		}
		s.next = time.Now()
	}
	var stall [2]time.Duration
	last := [2]time.Time{}
	start := time.Now()
	for time.Since(start) < 6*time.Second {
		for _, s := range sides {
			if !time.Now().Before(s.next) && time.Since(start) < 4*time.Second {
				s.written += s.m.Write(make([]byte, s.chunk))
				s.next = s.next.Add(s.every)
			}
		}
		if d.here != to && time.Since(start) > 2*time.Second {
			d.here = to
		}
		before := [2]int{d.got[0].Len(), d.got[1].Len()}
		d.run(min(time.Millisecond, 6*time.Second-time.Since(start)))
		for i := range before {
			if d.got[i].Len() > before[i] || last[i].IsZero() {
				if !last[i].IsZero() {
					stall[i] = max(stall[i], time.Since(last[i]))
				}
				last[i] = time.Now()
			}
		}
	}
	limit := 2*d.delay + 250*time.Millisecond
	if len(sides) == 1 && sides[0].m == d.server {
		// A client that only listens has to notice first. Meanwhile the ARQ of the server has backed off, once or twice, as its
		// clock has it, and cannot be told that there is a new way.
		limit += d.server.rtt.timeout() * 4
		if to.Addr() != clientAddr.Addr() {
			limit += 100 * time.Millisecond // Datagrams are small again, and the first of them are pieces.
		}
	}
	for _, s := range sides {
		if n := d.got[s.reader].Len(); n != s.written {
			d.Errorf("%d bytes of %d arrived", n, s.written)
		}
		if got := stall[s.reader]; got > limit+s.every {
			d.Errorf("nothing came for %v, want at most %v", got, limit)
		} else {
			d.Logf("longest silence %v of %v", got, limit)
		}
	}
	if st := d.server.Stats(); st.Roams != 1 || d.server.Path().Remote != to {
		d.Errorf("at %v after %d moves, want one, to %v", d.server.Path(), st.Roams, to)
	}
	if c, s := d.client.Err(), d.server.Err(); c != nil || s != nil {
		d.Errorf("ended: %v, %v", c, s)
	}
}

// The first packet from a new address is newer than all before; the rest of what is sent there waits for the proof.
func TestUnprovenAddressGetsAtMostThreeTimesWhatItSent(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.pass = func(f *flying) bool { return f.toServer || f.path.Remote != relayAddr } // Nobody answers there.
		d.here = relayAddr
		for range 20 {
			d.client.Write([]byte("x"))
			d.server.Write(randomBytes(5000, 1))
			d.run(100 * time.Millisecond)
			if to, from := d.toOthers[relayAddr], d.fromOthers[relayAddr]; to > 3*from || to == 0 {
				t.Fatalf("%d bytes came from an address that is not proven, %d went there", from, to)
			}
		}
		d.run(pathCheckLife)
		s := d.server.Stats()
		if s.Roams != 0 || s.PathChecksFailed == 0 || d.server.Path().Remote != clientAddr {
			t.Errorf("at %v after %d moves, %d failed checks", d.server.Path(), s.Roams, s.PathChecksFailed)
		}
		if s.UnprovenBytes == 0 || s.UnprovenBytes != uint64(d.toOthers[relayAddr]) {
			t.Errorf("counted %d bytes of %d", s.UnprovenBytes, d.toOthers[relayAddr])
		}
		d.here, d.pass = clientAddr, nil
		d.talk(d.client, "back")
		d.talk(d.server, "home")
	})
}

// Somebody who sees the client's packets sends them again, from his own address.
func TestReplayedPacketsMoveNothing(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		var seen []flying
		d.pass = func(f *flying) bool {
			if f.toServer {
				seen = append(seen, *f)
			}
			return true
		}
		for range 20 {
			d.talk(d.client, "to the server")
			d.talk(d.server, "to the client")
		}
		d.run(time.Second)
		received := d.server.received
		for _, f := range seen {
			d.server.Handle(time.Now(), Datagram{Path: Path{Remote: relayAddr}, Bytes: f.b})
		}
		if d.server.received != received {
			t.Errorf("%d of %d were taken", d.server.received-received, len(seen))
		}
		d.talk(d.server, "still here")
		s := d.server.Stats()
		if s.PathChecks != 0 || d.toOthers[relayAddr] != 0 || len(seen) < 40 || s.Drops[DropRepeated] < 40 {
			t.Errorf("%d replays: %d checks, %d bytes sent there; dropped %v", len(seen), s.PathChecks, d.toOthers[relayAddr], s.Drops.Map())
		}
	})
}

// Somebody who is faster than the network forwards every packet of the client from his own address, so that the client's
// own come second and are dropped. What the server sends to him he keeps, or (both ways) forwards too, so that he proves
// his address. When he goes away all is as before.
func TestForwarderMovesTheConnectionOnlyWhileHeForwards(t *testing.T) {
	for name, bothWays := range map[string]bool{"client to server": false, "both ways": true} {
		t.Run(name, func(t *testing.T) {
			inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
				d.pass = func(f *flying) bool {
					if f.toServer {
						d.order++
						d.onWay = append(d.onWay, flying{
							at: f.at.Add(-5 * time.Millisecond), order: d.order, toServer: true, path: Path{Remote: relayAddr}, b: bytes.Clone(f.b),
						})
					} else if bothWays && f.path.Remote == relayAddr {
						f.path.Remote = d.here // As if from the server.
					}
					return true
				}
				start := time.Now()
				for time.Since(start) < 8*time.Second {
					d.client.Write([]byte("up"))
					d.server.Write([]byte("down"))
					d.run(100 * time.Millisecond)
				}
				if bothWays != (d.server.Path().Remote == relayAddr) {
					t.Errorf("forwarding %s: at %v", name, d.server.Path())
				}
				if to, from := d.toOthers[relayAddr], d.fromOthers[relayAddr]; !bothWays && to > 3*from {
					t.Errorf("%d bytes went to an address from which %d came", to, from)
				}
				d.pass = nil
				sent := time.Now()
				d.client.Write([]byte("he is gone"))
				d.run(60 * time.Millisecond)
				if d.server.Path().Remote != clientAddr || d.server.roam.target != nil {
					t.Errorf("%v after he went away: at %v", time.Since(sent), d.server.Path())
				}
				d.run(3 * time.Second)
				d.talk(d.server, "welcome back")
				if up, down := d.got[1].Len(), d.got[0].Len(); up != 80*2+10 || down != 80*4+12 {
					t.Errorf("%d and %d bytes arrived", up, down)
				}
			})
		})
	}
}

// Packets of a client with any number of source addresses: who can forge those, and has the client's packets first.
func TestForgedSourcesGetFewChallengesAndKeepNothing(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		n := 0
		d.pass = func(f *flying) bool {
			if f.toServer {
				n++
				f.path.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(n >> 8), byte(n)}), 99)
			}
			return true
		}
		start := time.Now()
		for time.Since(start) < 10*time.Second {
			d.client.Write([]byte("x"))
			d.run(10 * time.Millisecond)
			if r := len(d.server.roam.routes); r > routesMax {
				t.Fatalf("%d routes are kept", r)
			}
		}
		s := d.server.Stats()
		if s.PathChecks > pathChecksMax+11 || s.PathChecksRefused == 0 {
			t.Errorf("%d checks in 10 s, %d refused", s.PathChecks, s.PathChecksRefused)
		}
		for a, to := range d.toOthers {
			if from := d.fromOthers[a]; a != clientAddr && to > 3*from {
				t.Errorf("%v got %d bytes for %d", a, to, from)
			}
		}
		d.pass = nil
		d.run(pathCheckLife + time.Second)
		d.talk(d.client, "home")
		d.talk(d.server, "sweet home")
		if len(d.server.roam.routes) != 0 || d.server.Path().Remote != clientAddr {
			t.Errorf("at %v, %d routes kept", d.server.Path(), len(d.server.roam.routes))
		}
	})
}

// Late packets from the old address come in after the move.
func TestLatePacketFromTheOldAddressDoesNotMoveBack(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.pass = func(f *flying) bool {
			if f.toServer {
				f.at = f.at.Add(time.Second) // It takes the scenic route.
			}
			return true
		}
		d.client.Write([]byte("old"))
		d.client.Advance(time.Now())
		d.pass, d.here = nil, otherHost
		d.client.Write([]byte("new"))
		d.run(500 * time.Millisecond)
		if d.server.Path().Remote != otherHost {
			t.Fatalf("at %v", d.server.Path())
		}
		d.run(time.Second)
		if d.server.Path().Remote != otherHost || d.server.roam.target != nil || d.server.Stats().Roams != 1 {
			t.Errorf("a late packet moved the connection to %v", d.server.Path())
		}
	})
}

// A client has dialled its server there; nobody moves it away.
func TestClientStaysWithItsServersAddress(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		var b []byte
		d.pass = func(f *flying) bool {
			if !f.toServer {
				b = bytes.Clone(f.b)
			}
			return f.toServer
		}
		d.server.Write([]byte("authentic"))
		d.server.Advance(time.Now())
		before := d.client.Stats()
		d.client.Handle(time.Now(), Datagram{Path: Path{Remote: relayAddr}, Bytes: b})
		s := d.client.Stats()
		if s.Drops[DropAddress] != before.Drops[DropAddress]+1 || d.client.Path().Remote != serverAddr {
			t.Errorf("drops %v, at %v", s.Drops.Map(), d.client.Path())
		}
	})
}

// A handshake begins at one address and ends at another.
func TestAddressChangeDuringTheHandshake(t *testing.T) {
	for after := range 3 {
		t.Run([]string{"after the hello", "after the accept", "after the finish"}[after], func(t *testing.T) {
			inWorld(t, lossy(0), Config{}, func(w *world) {
				sock := w.client.sock.(*packetSocket).conn.(*netem.Socket)
				go func() {
					time.Sleep([]time.Duration{10, 60, 110}[after] * time.Millisecond)
					sock.Rebind(otherHost)
				}()
				start := time.Now()
				client, server := w.connect()
				client.Write([]byte("hello"))
				if _, err := io.ReadFull(server, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				server.Write([]byte("world"))
				if _, err := io.ReadFull(client, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d > 700*time.Millisecond {
					t.Errorf("it took %v", d)
				}
				time.Sleep(200 * time.Millisecond)
				if got := server.RemoteAddr().String(); got != otherHost.String() {
					t.Errorf("the server is connected to %v", got)
				}
			})
		})
	}
}

// The client moves while it, or the server, says goodbye.
func TestAddressChangeDuringClose(t *testing.T) {
	for _, who := range []string{"client", "server"} {
		t.Run(who, func(t *testing.T) {
			inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
				closer, other, got := d.client, d.server, &d.got[1]
				if who == "server" {
					closer, other, got = d.server, d.client, &d.got[0]
				}
				closer.Write(randomBytes(50_000, 3))
				other.Write(randomBytes(50_000, 4))
				closer.Close(time.Now(), CodeNone, "")
				d.run(10 * time.Millisecond)
				d.here = otherHost
				d.until(func() bool { return closer.Err() != nil && other.Err() != nil })
				if got.Len() != 50_000 {
					t.Errorf("%d bytes arrived", got.Len())
				}
				for _, m := range []*Machine{closer, other} {
					if e, ok := errors.AsType[*CloseError](m.Err()); !ok || e.Code != CodeNone {
						t.Errorf("ended by %v", m.Err())
					}
				}
			})
		})
	}
}

// A NAT forgets an idle client. The server cannot reach it; it learns where the client is when the client next says
// something: by itself, or because it asks whether the server is there.
func TestServerReachesAnIdleClientAgainWhenThatSpeaks(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		want time.Duration
	}{
		"probe after half the idle timeout": {Config{IdleTimeout: 30 * time.Second}, 16 * time.Second},
		"keep-alive":                        {Config{KeepAlive: 5 * time.Second}, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inCouple(t, 20*time.Millisecond, test.cfg, func(d *couple) {
				d.run(time.Minute)
				d.here = otherPort
				start := time.Now()
				d.talk(d.server, "are you there?")
				if took := time.Since(start); took > test.want {
					t.Errorf("it took %v, want at most %v", took, test.want)
				}
			})
		})
	}
}
