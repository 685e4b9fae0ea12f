package reliable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

func TestUnprovenAddressGetsNoMoreThanItSent(t *testing.T) {
	inWorld(t, netem.Params{}, Config{AlwaysCookie: true}, func(w *world) {
		r := w.stranger("10.0.0.66:1")
		sent := 0
		for i := range 100 {
			hello := wire.AppendHello(nil, wire.Hello{Source: wire.ConnID(i + 1), Nonce: wire.Nonce{byte(i)}}, 0)
			sent += len(hello)
			if answer := r.ask(hello); len(answer) == 0 || len(answer) > len(hello) {
				t.Fatalf("hello of %d bytes got %d back", len(hello), len(answer))
			}
		}
		if s := w.server.Stats(); s.Conns != 0 || s.Accepted != 0 || s.TimeWait != 0 || s.Retries != 100 {
			t.Errorf("hellos without cookies left something behind: %+v", s)
		}
		if r.got > sent {
			t.Errorf("got %d bytes for %d", r.got, sent)
		}
		if r.ask(wire.AppendHello(nil, wire.Hello{Source: 1}, 0)[:wire.HelloBytesMin-1]) != nil {
			t.Error("a hello shorter than its answer was answered")
		}
	})
}

func TestGarbageIsCountedAndLeavesNothing(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		client, server := w.connect()
		client.Write([]byte("before"))
		io.ReadFull(server, make([]byte, 6))
		r := w.stranger("10.0.0.66:1")
		seed := uint64(time.Now().UnixNano())
		rng := rand.New(rand.NewPCG(seed, 0))
		genuine := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: server.m.local, Number: 99})
		genuine = wire.AppendClose(genuine, 1, "forged")
		genuine = append(genuine, make([]byte, wire.SealBytes)...)
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		const junk = 20_000
		for i := range junk {
			b := make([]byte, rng.IntN(1700))
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
			if i%4 == 0 { // A packet for a living connection, forged, from its own address or a stranger's.
				b = bytes.Clone(genuine)
				b[rng.IntN(len(b)-9)+9] ^= 1 << rng.IntN(8)
			}
			from := r.sock
			if i%8 == 0 {
				from = nil
			}
			if from == nil {
				w.client.sock.write(Datagram{Path: Path{Remote: serverAddr}, Bytes: b})
			} else if _, err := from.WriteToUDPAddrPort(b, serverAddr); err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(time.Second)
		var after runtime.MemStats
		runtime.ReadMemStats(&after)
		s := w.server.Stats()
		if s.Conns != 1 || s.Accepted != 1 {
			t.Errorf("seed %d: junk made connections: %+v", seed, s)
		}
		drops := s.Drops
		own := server.Stats().Drops
		drops.add(&own)
		for _, reason := range []Drop{DropNotOurs, DropVersion, DropSeal, DropTooLong, DropUnknown} {
			if drops[reason] == 0 {
				t.Errorf("seed %d: nothing was dropped as %v: %v", seed, reason, drops.Map())
			}
		}
		client.Write([]byte("after"))
		got := make([]byte, 5)
		if _, err := io.ReadFull(server, got); err != nil || string(got) != "after" {
			t.Errorf("seed %d: the connection did not survive: %q, %v", seed, got, err)
		}
	})
}

// A hello whose connection has ended must not make a new one.
func TestReplayedHelloMakesNoGhost(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		r := w.stranger("10.0.0.66:1")
		s := r.begin()
		if again := r.ask(s.hello); !bytes.Equal(again, s.accept) {
			t.Errorf("repeated hello: got %x, want the same accept", again)
		}
		if n := w.server.Stats(); n.Accepted != 0 || n.HalfOpen != 1 {
			t.Fatalf("before the client has finished: %+v", n)
		}
		if r.ask(s.finish()) == nil {
			t.Fatal("the end of the handshake was not acknowledged")
		}
		c, err := w.server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.(*Conn).Abort(CodeNone, "")
		time.Sleep(time.Second)
		for r.ask(nil) != nil { // The close packet.
		}
		if answer := r.ask(s.hello); answer != nil {
			t.Errorf("a replayed hello was answered by %x", answer)
		}
		if s := w.server.Stats(); s.Accepted != 1 || s.Conns != 0 || s.HalfOpen != 0 {
			t.Errorf("a replayed hello made a ghost: %+v", s)
		}
		time.Sleep(timeWait)
		if s := w.server.Stats(); s.TimeWait != 0 {
			t.Errorf("%d ended connections remembered after their time", s.TimeWait)
		}
	})
}

// A peer that lost our close packet and goes on sending is told again.
func TestLatecomerIsToldThatItIsOver(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		w.net.Path(serverAddr, clientAddr).Cut(true)
		server.CloseWithReason(CodeApplication, "go away")
		time.Sleep(5 * time.Second)
		w.net.Path(serverAddr, clientAddr).Cut(false)
		client.Write([]byte("x"))
		_, err := client.Read(make([]byte, 1))
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Text != "go away" || !e.Remote {
			t.Errorf("Read: %v, want the peer's reason", err)
		}
	})
}

func TestFullServerRefuses(t *testing.T) {
	inWorld(t, lossy(0), Config{ConnsMax: 2}, func(w *world) {
		w.connect()
		w.connect()
		_, err := w.client.Dial(w.Context(), serverAddr)
		if e, ok := errors.AsType[*RefusedError](err); !ok || e.Code != CodeFull {
			t.Errorf("third Dial: %v, want refused because full", err)
		}
	})
}

func TestClosedListenerRefusesAndKeepsConnections(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		w.server.Listener().Close()
		_, err := w.client.Dial(w.Context(), serverAddr)
		if e, ok := errors.AsType[*RefusedError](err); !ok || e.Code != CodeShutdown {
			t.Errorf("Dial: %v, want refused because shutting down", err)
		}
		client.Write([]byte("x"))
		if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownTellsPeersAndEndsEverything(t *testing.T) {
	inWorld(t, lossy(0.2), Config{}, func(w *world) {
		client, server := w.connect()
		server.Write([]byte("goodbye"))
		if err := w.server.Close(); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(client)
		if e, ok := errors.AsType[*CloseError](err); string(got) != "goodbye" || !ok || e.Code != CodeShutdown {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := w.server.Dial(w.Context(), clientAddr); err == nil {
			t.Error("Dial from a closed endpoint succeeded")
		}
	})
}

func TestCallOverLoss(t *testing.T) {
	inWorld(t, lossy(0.2), Config{}, func(w *world) {
		failed := 0
		for range 20 {
			answered := make(chan *Conn, 1)
			ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
			go func() {
				c, _ := w.client.AwaitCall(ctx, serverAddr)
				answered <- c
			}()
			c, err := w.server.Call(ctx, clientAddr)
			got := <-answered
			cancel()
			switch {
			case err != nil || got == nil:
				failed++
			case c.RemoteAddr().String() != clientAddr.String() || got.RemoteAddr().String() != serverAddr.String():
				t.Errorf("connection between %v and %v", c.RemoteAddr(), got.RemoteAddr())
			}
		}
		if failed > 3 { // All three packets of a call are lost in 1 of 125.
			t.Errorf("%d of 20 calls failed", failed)
		}
	})
}

func TestSilentVictimGetsThreeSmallPackets(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		victim := w.stranger("10.0.0.77:9")
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := w.server.Call(ctx, netip.MustParseAddrPort("10.0.0.77:9"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("Call: %v after %v, want a deadline after 5 s", err, time.Since(start))
		}
		packets, bytes := 0, 0
		buf := make([]byte, 2048)
		for {
			victim.sock.SetReadDeadline(time.Now().Add(time.Minute))
			n, _, err := victim.sock.ReadFromUDPAddrPort(buf)
			if err != nil {
				break
			}
			packets++
			bytes += n
			if n > wire.CallBytesMax {
				t.Errorf("a CALL packet of %d bytes", n)
			}
		}
		if packets == 0 || packets > 3 {
			t.Errorf("the victim got %d packets, %d bytes, want 1 to 3 packets", packets, bytes)
		}
		if n := len(w.server.calls); n != 0 {
			t.Errorf("%d calls left", n)
		}
	})
}

// Nobody but the address that was called may answer, and nobody may answer a call that was not made.
func TestCallIsAnsweredOnlyFromTheAddressThatWasCalled(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		r := w.stranger("10.0.0.66:1")
		h := wire.Hello{Source: 5, Nonce: wire.Nonce{1}, Call: 77}
		if f, err := wire.ParseRefuse(r.ask(wire.AppendHello(nil, h, 0))); err != nil || f.Code != CodeNoCall {
			t.Errorf("answer to a call that nobody made: %+v, %v, want refused", f, err)
		}
		ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
		defer cancel()
		called := w.stranger("10.0.0.77:9")
		done := make(chan error)
		go func() {
			_, err := w.server.Call(ctx, netip.MustParseAddrPort("10.0.0.77:9"))
			done <- err
		}()
		call := called.ask(nil)
		nonce, err := wire.ParseCall(call)
		if err != nil {
			t.Fatal(err)
		}
		thief := wire.Hello{Source: 6, Nonce: wire.Nonce{2}, Call: nonce}
		if f, err := wire.ParseRefuse(r.ask(wire.AppendHello(nil, thief, 0))); err != nil || f.Code != CodeNoCall {
			t.Errorf("a stranger's answer to the call: %+v, %v, want refused", f, err)
		}
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Call: %v, want a deadline", err)
		}
	})
}

func TestUnaskedCallIsIgnored(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		r := w.stranger("10.0.0.66:1")
		if answer := r.ask(wire.AppendCall(nil, 7)); answer != nil {
			t.Errorf("a call that nobody awaits was answered by %x", answer)
		}
		if n := w.server.Stats().Drops[DropUnasked]; n != 1 {
			t.Errorf("counted %d, want 1", n)
		}
	})
}

// sealed returns a packet with the frames from one end of a connection to the other, as only the genuine peer can make it.
func sealed(from *Conn, frames func(b []byte) []byte) []byte {
	synctest.Wait() // The loop uses the keys too.
	b := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: from.m.remote, Number: 1 << 20})
	return from.m.keys.Protect(frames(b), wire.PacketHeaderBytes, 1<<20)
}

func TestPeerThatBreaksTheProtocolIsCutOff(t *testing.T) {
	// An acknowledgement by the ARQ of everything up to 1,000, of which nothing was sent.
	segment := []byte{0, 0xe8, 7, 0, 5, 2, 0, 0}
	for name, frames := range map[string]func(b []byte) []byte{
		"acknowledges a packet never sent": func(b []byte) []byte { return wire.AppendAck(b, wire.Ack{Largest: 1 << 20}) },
		"acknowledges bytes never sent":    func(b []byte) []byte { return wire.AppendBare(b, segment) },
		"unknown frame":                    func(b []byte) []byte { return append(b, 0xee) },
		"cut frame":                        func(b []byte) []byte { return append(b, byte(wire.FrameSource), 0) },
		"segment that is no segment":       func(b []byte) []byte { return wire.AppendSource(b, 0, 0, []byte("nonsense")) },
		"impossible repair symbol": func(b []byte) []byte {
			return wire.AppendRepair(b, wire.Repair{K: 200, Symbol: []byte("nonsense")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, netem.Params{}, Config{}, func(w *world) {
				client, server := w.connect()
				time.Sleep(time.Second)
				w.client.sock.write(Datagram{Path: Path{Remote: serverAddr}, Bytes: sealed(client, frames)})
				if _, err := server.Read(make([]byte, 1)); err == nil || err == io.EOF {
					t.Errorf("server: %v, want an error", err)
				}
				_, err := client.Read(make([]byte, 1))
				if e, ok := errors.AsType[*CloseError](err); !ok || e.Code != CodeProtocol || !e.Remote {
					t.Errorf("client: %v, want to be told", err)
				}
			})
		})
	}
}

func TestReplayedPacketChangesNothing(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		client, server := w.connect()
		time.Sleep(time.Second)
		ping := sealed(client, wire.AppendPing)
		for range 1000 {
			w.client.sock.write(Datagram{Path: Path{Remote: serverAddr}, Bytes: ping})
		}
		time.Sleep(time.Second)
		s := server.Stats()
		if s.Drops[DropRepeated]+s.Drops[DropInboxFull] < 999 {
			t.Errorf("dropped %v, want at least 999", s.Drops.Map())
		}
		if s.DatagramsSent > 5 {
			t.Errorf("%d datagrams in answer to one packet replayed", s.DatagramsSent)
		}
	})
}
