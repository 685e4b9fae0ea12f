package reliable

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// keyed is a configuration with a key that outlives an endpoint.
func keyed(t *testing.T) Config {
	t.Helper()
	id, err := NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Identity: id}
}

// restart has the server forget everything, as if it had been killed: it hears and says nothing for so long, and another
// one is there in its place.
func (w *world) restart(down time.Duration, cfg Config) {
	w.Helper()
	old := w.server
	back := time.Now().Add(down)
	w.cut(true)
	old.mu.Lock()
	for _, c := range old.conns {
		c.Abort(CodeNone, "")
	}
	old.mu.Unlock()
	old.Close()
	time.Sleep(time.Until(back))
	w.server = w.listen(serverAddr, cfg)
	w.cut(false)
}

func (w *world) cut(off bool) {
	w.net.Path(serverAddr, clientAddr).Cut(off)
	w.net.Path(clientAddr, serverAddr).Cut(off)
}

// said has the client say something and the server hear it, so that all of the handshake is over.
func said(t *testing.T, client, server *Conn) {
	t.Helper()
	client.Write([]byte("hello"))
	if _, err := io.ReadFull(server, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	synctest.Wait() // Nobody's turn.
}

func TestClientsOfARestartedServerAreToldAtOnce(t *testing.T) {
	cfg := keyed(t)
	for name, loss := range map[string]float64{"no loss": 0, "20 % loss": 0.2} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(loss), cfg, func(w *world) {
				client, server := w.connect()
				said(t, client, server)
				client.Write([]byte("said while the server is dead"))
				w.restart(time.Second, cfg)
				begin := time.Now()
				_, err := client.Read(make([]byte, 1))
				if !errors.Is(err, ErrForgotten) || !errors.Is(err, net.ErrClosed) {
					t.Errorf("Read: %v, want %v", err, ErrForgotten)
				}
				most := probeGap + 150*time.Millisecond // The next probe, and there and back.
				if loss > 0 {
					most *= 5
				}
				if took := time.Since(begin); took > most {
					t.Errorf("told after %v, want at most %v", took, most)
				}
				if _, err := w.client.Dial(w.Context(), serverAddr); err != nil {
					t.Error(err)
				}
				w.server.Accept()
			})
		})
	}
}

func TestSilentClientOfARestartedServerIsToldWhenItProbes(t *testing.T) {
	cfg := keyed(t)
	inWorld(t, lossy(0), cfg, func(w *world) {
		client, server := w.connect()
		said(t, client, server)
		w.restart(time.Second, cfg)
		begin := time.Now()
		_, err := client.Read(make([]byte, 1))
		if took := time.Since(begin); !errors.Is(err, ErrForgotten) || took > w.client.cfg.IdleTimeout/2+time.Second {
			t.Errorf("Read: %v after %v", err, took)
		}
	})
}

// The client's address changes while the server is dead: nobody knows the new one.
func TestRoamingClientOfARestartedServerIsTold(t *testing.T) {
	cfg := keyed(t)
	inWorld(t, lossy(0), cfg, func(w *world) {
		client, server := w.connect()
		said(t, client, server)
		w.restart(time.Second, cfg)
		client.Write([]byte("x"))
		elsewhere := w.stranger("10.0.0.9:9")
		packet := sealed(client, wire.AppendPing)
		answer := elsewhere.ask(packet)
		if len(answer) >= len(packet) || !client.m.forgotten.Is(answer) {
			t.Errorf("a packet of %d bytes from elsewhere was answered by %x", len(packet), answer)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, ErrForgotten) {
			t.Errorf("Read: %v", err)
		}
	})
}

func TestServerWithoutALastingKeyStaysSilent(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		said(t, client, server)
		client.Write([]byte("x"))
		w.restart(time.Second, Config{})
		_, err := client.Read(make([]byte, 1))
		if e, ok := err.(net.Error); !ok || !e.Timeout() {
			t.Errorf("Read: %v, want a timeout", err)
		}
		if s := w.server.Stats(); s.StatelessResets != 0 || s.Drops[DropUnknown] == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A client that does not know of resets takes the announcement for a token like any other. It must have a good one for its
// next hello all the same: the last.
func TestResetIsAnnouncedBeforeAnOrdinaryToken(t *testing.T) {
	cfg := keyed(t)
	announced := 0
	cfg.Watch = func(packet []byte) {
		reset := false
		for frames := packet[wire.PacketHeaderBytes:]; len(frames) > 0; {
			f, rest, err := wire.ParseFrame(frames)
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == wire.FrameToken {
				if _, ok := wire.ParseResetToken(f.Data); ok {
					announced++
					reset = true
				} else if reset {
					reset = false
				}
			}
			frames = rest
		}
		if reset {
			t.Error("a packet announces a reset and has no token behind it")
		}
	}
	inWorld(t, lossy(0), cfg, func(w *world) {
		client, server := w.connect()
		said(t, client, server)
		if announced == 0 || announced > tokenTriesMax {
			t.Errorf("announced %d times", announced)
		}
		if token := w.client.tokens.Token(serverAddr); len(token) != 18 {
			t.Errorf("the next hello carries %x", token)
		}
		server.Abort(CodeNone, "")
	})
}

// Who does not know the token can end nothing, wherever and from whomever it says to come.
func TestForgedResetsChangeNothing(t *testing.T) {
	cfg := keyed(t)
	inCrowd(t, cfg, func(c *crowd, server, client *Endpoint) {
		dialled, accepted := c.connect(server, client)
		said(t, dialled, accepted)
		toClient := func(from netip.AddrPort, b []byte) { c.sockets[clientAddr].take(hostile{from, b}) }
		filler := make([]byte, 8)
		right := *dialled.m.forgotten
		for i := range wire.ResetTokenBytes * 8 {
			r := right
			r.Token[i/8] ^= 1 << (i % 8)
			toClient(serverAddr, wire.AppendStatelessReset(nil, r, filler))
		}
		r := right
		r.ID = dialled.m.local // What everybody on the way has seen.
		toClient(serverAddr, wire.AppendStatelessReset(nil, r, filler))
		toClient(netip.MustParseAddrPort("10.0.0.66:1"), wire.AppendStatelessReset(nil, right, filler)) // Not the server.
		short := wire.AppendStatelessReset(nil, right, filler[:1])
		toClient(serverAddr, short)
		exchange(t, dialled, accepted)
		if s := dialled.Stats(); s.Drops[DropSeal] != wire.ResetTokenBytes*8+2 || s.Drops[DropAddress] != 1 {
			t.Errorf("dropped %v", s.Drops.Map())
		}
		toClient(serverAddr, wire.AppendStatelessReset(nil, right, filler))
		if _, err := dialled.Read(make([]byte, 1)); !errors.Is(err, ErrForgotten) {
			t.Errorf("the right one: %v", err)
		}
		accepted.Abort(CodeNone, "")
	})
}

// Servers with one key on two addresses, or on two machines: what one says of an ID it does not know must not be what the
// other would say of a connection that lives there (RFC 9000, 21.11).
func TestServersWithOneKeyDoNotEndEachOthersConnections(t *testing.T) {
	cfg := keyed(t)
	another := cfg
	another.Node = "another machine"
	inCrowd(t, cfg, func(c *crowd, server, _ *Endpoint) {
		at := netip.MustParseAddrPort("10.0.0.2:5001")
		client := c.listen(at, Config{}) // It answers nothing itself.
		defer client.Close()
		dialled, accepted := c.connect(server, client)
		said(t, dialled, accepted)
		for _, other := range []struct {
			addr string
			cfg  Config
		}{{"10.0.0.1:4001", cfg}, {"10.0.0.3:4000", cfg}, {"10.0.0.1:4000", another}} {
			resets, err := newResetter(other.cfg.Identity, other.cfg.Node, netip.MustParseAddrPort(other.addr))
			if err != nil {
				t.Fatal(err)
			}
			b := resets.datagram(accepted.m.local, 100, server.cfg.Random)
			c.sockets[at].take(hostile{serverAddr, b})
			if r := resets.of(accepted.m.local); r.ID == dialled.m.forgotten.ID || r.Token == dialled.m.forgotten.Token {
				t.Errorf("%v says what the living server would say", other)
			}
		}
		// The server itself says nothing of a connection that lives, whoever asks.
		junk := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: accepted.m.local, Number: 1 << 20})
		c.send(netip.MustParseAddrPort("10.0.0.66:1"), append(junk, make([]byte, 50)...))
		exchange(t, dialled, accepted)
		if s := server.Stats(); s.StatelessResets != 0 {
			t.Errorf("%d resets", s.StatelessResets)
		}
	})
}

// Answers are shorter than what they answer, not more than so many a second, and end when two servers answer each other.
func TestAbuseResetsAmplifyNothing(t *testing.T) {
	cfg := keyed(t)
	inCrowd(t, cfg, func(c *crowd, server, client *Endpoint) {
		dialled, accepted := c.connect(server, client)
		said(t, dialled, accepted)
		sizeOf := func(i int) int { return 1 + i%100 }
		var answers, between int
		c.mu.Lock()
		c.tap = func(from, to netip.AddrPort, b []byte) {
			switch a := to.Addr().As4(); {
			case a[0] == 172:
				size := sizeOf(int(a[1]-16)<<16 | int(a[2])<<8 | int(a[3]))
				if answers++; len(b) >= size || len(b) < wire.StatelessResetBytes {
					t.Errorf("%d bytes for %d", len(b), size)
				}
			case from == serverAddr && to == clientAddr || from == clientAddr && to == serverAddr:
				between++
			}
		}
		c.mu.Unlock()
		random := randomBytes(1<<16, 1)
		begin := time.Now()
		for i := range *datagramsFlag {
			b := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: wire.ConnID(i + 1), Number: uint64(i)})
			c.send(flooder(i), append(b, random[i%60000:][:100]...)[:sizeOf(i)])
			if i%floodPauseEvery == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		took := time.Since(begin)
		exchange(t, dialled, accepted)
		c.mu.Lock()
		most := resetsBurst + int(took*resetsPerSecond/time.Second) + 1
		if answers == 0 || answers > most {
			t.Errorf("%d answers in %v, want at most %d", answers, took, most)
		}
		c.mu.Unlock()
		// Somebody has both servers talk to each other about nothing.
		time.Sleep(time.Second)
		synctest.Wait()
		c.mu.Lock()
		between = 0
		c.mu.Unlock()
		const begun = 100
		for i := range begun {
			c.send(clientAddr, append(wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: wire.ConnID(i + 1)}), random[:1000]...))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if between < begun || between > begun*(resetFillMax+1) {
			t.Errorf("%d datagrams between the two after %d", between, begun)
		}
		t.Logf("%d answers to %d packets in %v; %d datagrams between two servers after %d", answers, *datagramsFlag, took, between, begun)
	})
}

// What junk has us do costs no memory.
func TestResetsCostNoAllocations(t *testing.T) {
	cfg := keyed(t).withDefaults()
	r, err := newResetter(cfg.Identity, "node", serverAddr)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	n := testing.AllocsPerRun(100, func() {
		if now = now.Add(time.Second); !r.due(now, 100) || len(r.datagram(7, 100, cfg.Random)) == 0 {
			t.Fatal("no reset")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Without the announcement of ours a server could have what is meant for other connections of the client.
func TestServerCannotTakeAnotherConnectionsReset(t *testing.T) {
	cfg := keyed(t)
	inWorld(t, netem.Params{}, cfg, func(w *world) {
		first, a := w.connect()
		said(t, first, a)
		second, b := w.connect()
		said(t, second, b)
		thief := newConn(w.client, serverAddr, clientAddr)
		thief.m = &Machine{forgotten: first.m.forgotten}
		w.client.awaitReset(thief)
		w.client.remove(thief)
		if got := w.client.resets[first.m.forgotten.ID]; got != first {
			t.Error("another connection got it, or took it along when it ended")
		}
		first.Abort(CodeNone, "")
		second.Abort(CodeNone, "")
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(w.client.resets); n != 0 {
			t.Errorf("%d resets of ended connections known", n)
		}
	})
}

// Only packets can be of a connection that was forgotten, and who goes says goodbye by other means.
func TestNothingButAPacketIsAnsweredAndNothingByAServerThatGoes(t *testing.T) {
	inCrowd(t, keyed(t), func(c *crowd, server, _ *Endpoint) {
		answered := func(typ wire.Type) uint64 {
			before := server.Stats()
			junk := append(wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: 77, Number: 1}), make([]byte, 100)...)
			junk[0] |= byte(typ)
			c.send(netip.MustParseAddrPort("10.0.0.66:1"), junk)
			synctest.Wait()
			after := server.Stats()
			if after.Drops[DropUnknown] != before.Drops[DropUnknown]+1 {
				t.Errorf("type %d did not come to where it could be answered", typ)
			}
			return after.StatelessResets - before.StatelessResets
		}
		for typ, want := range map[wire.Type]uint64{wire.TypePacket: 1, wire.TypeRetry: 0, wire.TypeAccept: 0, wire.TypeRefuse: 0, wire.TypeFinish: 0} {
			if got := answered(typ); got != want {
				t.Errorf("type %d: %d answers, want %d", typ, got, want)
			}
		}
		server.stopAccepting()
		if got := answered(wire.TypePacket); got != 0 {
			t.Errorf("a server that goes gave %d answers", got)
		}
	})
}

// What the server says of resets after its first word could have a client keep the name of each, and so could names that are
// no names of a reset have packets of the connection taken for one.
func TestClientTakesTheFirstResetItIsTold(t *testing.T) {
	m := newDuo(t, Config{}, NewShared()).client
	for _, told := range []wire.ConnID{0, m.local} {
		if m.handleResetToken(wire.StatelessReset{ID: told}); m.forgotten != nil || m.isReset(told) {
			t.Errorf("it took the ID %x", told)
		}
	}
	for told := range wire.ConnID(3) {
		if m.handleResetToken(wire.StatelessReset{ID: m.local + 1 + told}); m.forgotten == nil || m.forgotten.ID != m.local+1 {
			t.Errorf("told %d: it has %+v", told, m.forgotten)
		}
	}
}

// Who only wants to say goodbye to a server that has forgotten it has lost nothing.
func TestResetOfAConnectionThatClosesIsItsEnd(t *testing.T) {
	m := newDuo(t, Config{}, NewShared()).client
	reset := wire.StatelessReset{ID: m.local + 1, Token: [wire.ResetTokenBytes]byte{1}}
	m.handleResetToken(reset)
	now := time.Now()
	m.Close(now, 300, "bye")
	m.Advance(now)
	m.Handle(now, Datagram{Bytes: wire.AppendStatelessReset(nil, reset, make([]byte, 8))})
	if e, ok := errors.AsType[*CloseError](m.Err()); !ok || e.Remote || e.Code != 300 {
		t.Errorf("it ended with %v", m.Err())
	}
}
