package reliable

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// Nothing may leave for an address before its owner has shown that it sees what we send there.
func TestForgedFinishOpensNothing(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		s := w.stranger("10.0.0.66:1").begin()
		good := s.finish()
		for i := range len(good) * 8 {
			if i/8 >= 1 && i/8 < 9 && i%8 > 0 {
				continue // Other destinations: one bit of each byte is enough.
			}
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			s.sock.WriteToUDPAddrPort(bad, serverAddr)
			synctest.Wait()
		}
		if answer := s.ask(nil); answer != nil || w.server.Stats().Accepted != 0 {
			t.Fatalf("a forged packet was answered by %x, %+v", answer, w.server.Stats())
		}
		if s.ask(good) == nil || w.server.Stats().Accepted != 1 {
			t.Error("the genuine one was not taken after them")
		}
	})
}

// Every bit of a packet is authenticated, header and body, and what was dropped can still come undamaged.
func TestPacketWithAnyFlippedBitIsDropped(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		client, server := w.connect()
		time.Sleep(time.Second)
		good := sealed(client, func(b []byte) []byte { return wire.AppendClose(b, CodeApplication, "genuine") })
		for i := range len(good) * 8 {
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			w.client.sock.write(Datagram{Path: Path{Remote: serverAddr}, Bytes: bad})
			synctest.Wait()
		}
		before := server.Stats()
		if before.DatagramsSent > 3 || before.Drops[DropSeal] == 0 {
			t.Errorf("%d datagrams sent, drops %v", before.DatagramsSent, before.Drops.Map())
		}
		w.client.sock.write(Datagram{Path: Path{Remote: serverAddr}, Bytes: good})
		_, err := server.Read(make([]byte, 1))
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Text != "genuine" {
			t.Errorf("Read: %v, want the genuine close", err)
		}
	})
}

// Forged packets cost no memory, whatever they pretend to be.
func TestForgedPacketsCostNoAllocations(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		_, server := w.connect()
		time.Sleep(time.Second)
		synctest.Wait()
		m := server.m
		for name, h := range map[string]wire.PacketHeader{
			"packet":        {Number: 1 << 20},
			"next phase":    {Number: 1 << 20, Phase: true},
			"finish":        {Number: 1 << 20, Type: wire.TypeFinish},
			"repeated":      {Number: 1},
			"other version": {Number: 1 << 20, Type: 15},
		} {
			h.Dest = m.local
			forged := append(wire.AppendPacketHeader(nil, h), make([]byte, 500)...)
			m.Handle(time.Now(), Datagram{Bytes: forged}) // Keys of the next phase are made once.
			if n := testing.AllocsPerRun(100, func() { m.Handle(time.Now(), Datagram{Bytes: forged}) }); n > 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

// Nothing of what is said can be seen on the way.
func TestNothingTravelsInClear(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		secret := []byte("a secret that is long enough not to come by chance")
		var tap wiretap
		to := netip.MustParseAddrPort("10.0.0.3:4000")
		a, b := tap.listen(w, to), tap.listen(w, netip.MustParseAddrPort("10.0.0.4:5000"))
		client, err := b.Dial(w.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		server, err := a.Accept()
		if err != nil {
			t.Fatal(err)
		}
		client.Write(secret)
		io.ReadFull(server, make([]byte, len(secret)))
		server.Write(secret)
		io.ReadFull(client, make([]byte, len(secret)))
		b.Close()
		a.Close()
		if all := bytes.Join(tap.seen, nil); !bytes.Contains(all, []byte("udpchat/1")) {
			t.Fatalf("the tap does not work: it saw no hello in %d bytes, whose TLS part names the protocol", len(all))
		}
		for _, d := range tap.seen {
			if bytes.Contains(d, secret[:8]) {
				t.Errorf("%q travels in clear", d)
			}
		}
	})
}

// A wiretap keeps what is written to its sockets.
type wiretap struct {
	mu   sync.Mutex
	seen [][]byte // guarded by mu
}

func (t *wiretap) listen(w *world, addr netip.AddrPort) *Endpoint {
	e, err := NewEndpoint(tapped{w.socket(addr), t}, Config{})
	if err != nil {
		w.Fatal(err)
	}
	return e
}

type tapped struct {
	*netem.Socket
	tap *wiretap
}

func (s tapped) WriteMarked(b []byte, to netip.AddrPort, ecn uint8) (int, error) {
	s.tap.mu.Lock()
	s.tap.seen = append(s.tap.seen, bytes.Clone(b))
	s.tap.mu.Unlock()
	return s.Socket.WriteMarked(b, to, ecn)
}

// Keys are renewed every hour while bytes flow, whatever is lost.
func TestKeysAreRenewedUnderLoss(t *testing.T) {
	inWorld(t, lossy(0.2), Config{}, func(w *world) {
		client, server := w.connect()
		for i := range 30 {
			time.Sleep(20 * time.Minute)
			from, to := client, server
			if i%3 == 0 {
				from, to = server, client
			}
			from.Write([]byte{byte(i)})
			got := make([]byte, 1)
			if _, err := io.ReadFull(to, got); err != nil || got[0] != byte(i) {
				t.Fatalf("message %d: %v, %v", i, got, err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if a, b := client.m.keys.Generation(), server.m.keys.Generation(); a < 8 || b < a-1 || b > a+1 {
			t.Errorf("generations %d and %d after ten hours", a, b)
		}
	})
}

// A client whose first packet is as long as can be has no room for the end of the handshake in it.
func TestLongFirstMessageUnderLoss(t *testing.T) {
	inWorld(t, lossy(0.3), Config{}, func(w *world) {
		for range 10 {
			c, err := w.client.Dial(w.Context(), serverAddr)
			if err != nil {
				t.Fatal(err)
			}
			c.Write(make([]byte, 20_000))
			s, err := w.server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, 20_000)); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
	})
}

// What a client said before it closed is there, even if all of it arrives at once.
func TestClientThatSaysAllAndGoes(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		c, err := w.client.Dial(w.Context(), serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("bye"))
		c.Close()
		s, err := w.server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(s); string(b) != "bye" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	})
}
