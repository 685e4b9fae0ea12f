package reliable

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// Floods from addresses that are not whose they seem: what an endpoint keeps, starts and sends because of them.

const (
	// floodPauseEvery is after how many datagrams a flood lets a millisecond pass.
	floodPauseEvery = 100

	// floodHeapMax and floodGoroutinesMax are how much more there may be while it lasts.
	floodHeapMax       = 16 << 20
	floodGoroutinesMax = 64
)

func flooder(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16 + byte(i>>16), byte(i >> 8), byte(i)}), 9)
}

// genuine returns datagrams of all types as the two endpoints of a connection send them, handshake and calls included.
func (c *crowd) genuine(server, client *Endpoint) (all [][]byte) {
	c.tap = func(_, _ netip.AddrPort, b []byte) { all = append(all, bytes.Clone(b)) }
	dialled, accepted := c.connect(server, client)
	for i := range 10 {
		dialled.Write(randomBytes(1+i*i*30, uint64(i)))
		accepted.Write(randomBytes(1+i*i*30, uint64(i)))
		time.Sleep(50 * time.Millisecond)
	}
	dialled.CloseWithReason(CodeApplication, "bye")
	accepted.Close()
	time.Sleep(time.Second)
	synctest.Wait()
	c.mu.Lock()
	c.tap = nil
	c.mu.Unlock()
	nonce := wire.Nonce{1}
	return append(all,
		wire.AppendRetry(nil, wire.Retry{Dest: 1, Nonce: nonce, Cookie: make([]byte, 40)}),
		wire.AppendRefuse(nil, wire.Refuse{Dest: 1, Nonce: nonce, Code: CodeFull}),
		wire.AppendCall(nil, 7))
}

// mutated returns b changed in one of the ways things get changed. What ends with a check of the handshake gets a right one
// half of the time: everybody can make it.
func mutated(rng *rand.Rand, b, other []byte) []byte {
	typ, err := wire.ParseType(b)
	b = bytes.Clone(b)
	switch rng.IntN(6) {
	case 0:
		b = b[:rng.IntN(len(b)+1)]
	case 1:
		b = append(b, other[:rng.IntN(len(other)+1)]...)
	case 2:
		at := rng.IntN(len(b))
		b = append(b[:at], other[min(at, len(other)):]...)
	case 3:
		binary.BigEndian.PutUint16(b[rng.IntN(len(b)-1):], uint16(rng.Uint32()))
	default:
		for range 1 + rng.IntN(8) {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
	}
	if err == nil && typ != wire.TypePacket && typ != wire.TypeFinish && len(b) > 8 && rng.IntN(2) == 0 {
		body := b[:len(b)-8]
		sum := sha256.Sum256(body)
		b = append(body, sum[:8]...)
	}
	return b
}

// Whatever comes in, from strangers and in the name of a client, leaves nothing behind but a number.
func TestAbuseRandomAndMutatedDatagramsLeaveNothing(t *testing.T) {
	inCrowd(t, keyed(t), func(c *crowd, server, client *Endpoint) {
		all := c.genuine(server, client)
		dialled, accepted := c.connect(server, client)
		time.Sleep(time.Second)
		seed := uint64(1)
		rng := rand.New(rand.NewPCG(seed, 0))
		noise := randomBytes(1<<20, seed)
		heap, goroutines := liveBytes(), c.goroutines()
		busiest := 0
		for i := range 2 * *datagramsFlag {
			b := noise[rng.IntN(len(noise)-1600):][:rng.IntN(1600)]
			if i%2 == 0 {
				b = mutated(rng, all[rng.IntN(len(all))], all[rng.IntN(len(all))])
			} else if len(b) > 9 && rng.IntN(4) > 0 { // Random behind a first byte that is ours, perhaps to a connection.
				b = bytes.Clone(b)
				b[0] = 0x80 | wire.Version<<4 | b[0]&7
				if rng.IntN(2) == 0 {
					binary.BigEndian.PutUint64(b[1:], uint64(accepted.m.local))
				}
			}
			from := flooder(rng.IntN(1 << 18))
			if rng.IntN(3) == 0 {
				from = clientAddr
			}
			c.send(from, b)
			if i%floodPauseEvery == 0 {
				time.Sleep(time.Millisecond)
				busiest = max(busiest, c.goroutines())
			}
		}
		time.Sleep(halfOpenLife + timeWait)
		synctest.Wait() // Timers of this very moment have been handled.
		s := server.Stats()
		if s.Conns != 1 || s.Accepted != 2 || s.HalfOpen != 0 || s.TimeWait > 0 || len(server.hellos) != 1 || len(server.calls) != 0 {
			t.Errorf("seed %d: left behind: %+v", seed, s)
		}
		if n := c.goroutines(); n > goroutines || busiest > goroutines+floodGoroutinesMax {
			t.Errorf("%d goroutines before, %d after, %d at most", goroutines, n, busiest)
		}
		if grown := liveBytes() - heap; grown > 1<<20 {
			t.Errorf("%d KB are left", grown>>10)
		}
		exchange(t, dialled, accepted)
		t.Logf("%d datagrams: dropped %v; %d goroutines before, %d at most; heap %+d KB", 2**datagramsFlag, s.Drops.Map(), goroutines, busiest, (liveBytes()-heap)>>10)
	})
}

// exchange says something both ways.
func exchange(t *testing.T, a, b *Conn) {
	t.Helper()
	for _, dir := range [][2]*Conn{{a, b}, {b, a}} {
		text := []byte("still here")
		dir[0].Write(text)
		got := make([]byte, len(text))
		dir[1].SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(dir[1], got); err != nil || !bytes.Equal(got, text) {
			t.Errorf("the connection did not survive: %q, %v", got, err)
		}
	}
}

// Each datagram is a client's first, well made, from an address of its own where nobody asked for anything.
func TestAbuseForgedFirstDatagramsCostLittle(t *testing.T) {
	inCrowd(t, keyed(t), func(c *crowd, server, client *Endpoint) {
		worthless := firstHello(t, 0, wire.Nonce{}) // For another name than its own: the handshake fails.
		answered := make([]uint16, *datagramsFlag)  // bytes, by source
		dialled, accepted := c.connect(server, client)
		time.Sleep(time.Second)
		heap, goroutines := liveBytes(), c.goroutines()
		var most int64
		busiest, worst := 0, 0
		c.mu.Lock()
		c.tap = func(_, to netip.AddrPort, b []byte) {
			if a := to.Addr().As4(); a[0] == 172 {
				i := int(a[1]-16)<<16 | int(a[2])<<8 | int(a[3])
				answered[i] += uint16(len(b))
				worst = max(worst, int(answered[i]))
			}
		}
		c.mu.Unlock()
		got := make(chan error, 1)
		size := 0
		for i := range *datagramsFlag {
			h, id, nonce := worthless, wire.ConnID(i+1), wire.Nonce{byte(i), byte(i >> 8), byte(i >> 16), 1}
			if i < 2*halfOpenMax || i%1000 == 0 { // A key costs more than all else.
				h = firstHello(t, id, nonce)
			}
			h.Source, h.Nonce = id, nonce
			b := wire.AppendHello(nil, h, 0)
			size = len(b)
			c.send(flooder(i), b)
			if i%floodPauseEvery == 0 {
				time.Sleep(time.Millisecond)
				busiest = max(busiest, c.goroutines())
			}
			if i%(*datagramsFlag/10) == *datagramsFlag/20 {
				most = max(most, liveBytes()-heap)
			}
			if i == *datagramsFlag/2 { // Somebody real comes.
				go func() {
					_, err := client.Dial(c.Context(), serverAddr)
					got <- err
				}()
			}
		}
		if err := <-got; err != nil {
			t.Errorf("a genuine client in the middle of it: %v", err)
		}
		synctest.Wait() // All has been handled.
		s := server.Stats()
		if s.HalfOpen > halfOpenMax || s.Retries == 0 {
			t.Errorf("%d half-open, %d cookies", s.HalfOpen, s.Retries)
		}
		const own = 2 // The genuine client's: who dials, and the client's side of the handshake.
		if most > floodHeapMax || busiest > goroutines+floodGoroutinesMax+own {
			t.Errorf("%d KB more at most, %d goroutines instead of %d", most>>10, busiest, goroutines)
		}
		if worst == 0 || worst > size {
			t.Errorf("an address got %d bytes for %d", worst, size)
		}
		time.Sleep(halfOpenLife + time.Second)
		synctest.Wait()
		if s := server.Stats(); s.HalfOpen != 0 || s.Conns != 2 {
			t.Errorf("left behind: %+v", s)
		}
		if n := c.goroutines(); n > goroutines {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		grown := liveBytes() - heap
		if grown > 1<<20 {
			t.Errorf("%d KB are left", grown>>10)
		}
		exchange(t, dialled, accepted)
		t.Logf("%d first datagrams: heap %+d KB at most, %+d KB after; %d goroutines instead of %d; %d bytes at most for %d",
			*datagramsFlag, most>>10, grown>>10, busiest, goroutines, worst, size)
	})
}

// firstHello returns what a client says first.
func firstHello(t *testing.T, id wire.ConnID, nonce wire.Nonce) wire.Hello {
	m, err := handshake.NewClient(time.Now(), handshake.ClientConfig{Source: max(id, 1), Nonce: nonce, Verify: func(Key) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, _ := m.AppendDue(time.Now(), nil)
	h, err := wire.ParseHello(bytes.Clone(b))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Datagrams of every type, cut anywhere, are counted and forgotten.
func TestAbuseDatagramsOfEveryTypeCutAtEveryLengthLeaveNothing(t *testing.T) {
	inCrowd(t, Config{}, func(c *crowd, server, client *Endpoint) {
		all := c.genuine(server, client)
		dialled, accepted := c.connect(server, client)
		time.Sleep(timeWait)
		var types [8]int
		before, cuts := server.Stats(), uint64(0)
		for _, b := range all {
			typ, err := wire.ParseType(b)
			if types[typ]++; err != nil || types[typ] > 5 {
				continue
			}
			for n := range b {
				c.send(clientAddr, b[:n])
				cuts++
			}
		}
		time.Sleep(time.Second)
		for typ := range wire.TypeFinish + 1 {
			if types[typ] == 0 {
				t.Errorf("no datagram of type %d", typ)
			}
		}
		s := server.Stats()
		dropped := uint64(0)
		for i := range s.Drops {
			dropped += s.Drops[i] - before.Drops[i]
		}
		if s.Conns != 1 || s.HalfOpen != 0 || s.Accepted != before.Accepted || dropped != cuts {
			t.Errorf("%d of %d dropped, %+v", dropped, cuts, s)
		}
		exchange(t, dialled, accepted)
		t.Logf("%d cut datagrams, of types %v", cuts, types)
	})
}
