package handshake

import (
	"bytes"
	"crypto/tls"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

var suites = map[string]uint16{
	"AES-128-GCM": tls.TLS_AES_128_GCM_SHA256, "AES-256-GCM": tls.TLS_AES_256_GCM_SHA384,
	"ChaCha20-Poly1305": tls.TLS_CHACHA20_POLY1305_SHA256,
}

// keyPair returns the two sides of a connection.
func keyPair(t testing.TB, suite uint16) (a, b *Keys) {
	t.Helper()
	up, down := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	a, err := newKeys(suite, up, down)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = newKeys(suite, down, up); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestSealFindsEveryFlippedBit(t *testing.T) {
	for name, suite := range suites {
		t.Run(name, func(t *testing.T) {
			a, b := keyPair(t, suite)
			const header = wire.PacketHeaderBytes
			sealed := a.Protect([]byte("a header of 15 and a body"), header, 7)
			for i := range len(sealed) * 8 {
				damaged := bytes.Clone(sealed)
				damaged[i/8] ^= 1 << (i % 8)
				if _, ok := b.Open(start, damaged, header, 7, false); ok {
					t.Errorf("opened with bit %d flipped", i)
				}
			}
			for n := range len(sealed) {
				if _, ok := b.Open(start, bytes.Clone(sealed[:n]), header, 7, false); ok {
					t.Errorf("opened %d bytes", n)
				}
			}
			if _, ok := b.Open(start, bytes.Clone(sealed), header, 8, false); ok {
				t.Error("opened under another number")
			}
			if _, ok := b.Open(start, bytes.Clone(sealed), header, 7, true); ok {
				t.Error("opened in another phase")
			}
			if _, ok := a.Open(start, bytes.Clone(sealed), header, 7, false); ok {
				t.Error("opened with the key of the other direction")
			}
			if body, ok := b.Open(start, sealed, header, 7, false); !ok || string(body) != "15 and a body"[len("15 and a body")-len(body):] {
				t.Errorf("got %q, %v", body, ok)
			}
		})
	}
}

// Two sides talk over a network that loses, delays and repeats, and renew their keys all the time. Nothing authentic is
// refused unless it comes later than old keys are kept, and neither side is ever more than one generation ahead.
func TestKeysAreRenewedInStep(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := mathrand.New(mathrand.NewPCG(seed, 0))
	a, b := keyPair(t, tls.TLS_AES_128_GCM_SHA256)
	sides := [2]*Keys{a, b}
	for _, k := range sides {
		k.packetsMax = 200
	}
	type packet struct {
		b      []byte
		number uint64
		phase  bool
		at     time.Time
	}
	var wires [2][]packet
	var numbers [2]uint64
	now := start
	for range 50_000 {
		now = now.Add(time.Duration(rng.IntN(int(2 * time.Millisecond))))
		from := rng.IntN(2)
		if rng.IntN(2) == 0 {
			numbers[from]++
			phase := sides[from].Phase(now)
			sealed := sides[from].Protect([]byte("hbody"), 1, numbers[from])
			if rng.IntN(5) > 0 {
				wires[from] = append(wires[from], packet{sealed, numbers[from], phase, now})
			}
		}
		if q := wires[from]; len(q) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(min(len(q), 10))
			p := q[i]
			wires[from] = append(q[:i:i], q[i+1:]...)
			if body, ok := sides[1-from].Open(now, p.b, 1, p.number, p.phase); !ok || string(body) != "body" {
				t.Fatalf("seed %d: packet %d of side %d was refused %v after it left", seed, p.number, from, now.Sub(p.at))
			}
		}
		if d := int64(a.Generation()) - int64(b.Generation()); d < -1 || d > 1 {
			t.Fatalf("seed %d: generations %d and %d", seed, a.Generation(), b.Generation())
		}
	}
	if a.Generation() < 20 {
		t.Errorf("seed %d: only %d generations", seed, a.Generation())
	}
}

func TestKeysAreRenewedByTimeAndOldOnesForgotten(t *testing.T) {
	a, b := keyPair(t, tls.TLS_AES_128_GCM_SHA256)
	a.Phase(start)
	late, later := a.Protect([]byte("hlate"), 1, 1), a.Protect([]byte("hlater"), 1, 2)
	now := start.Add(keyLifeMax)
	if !a.Phase(now) {
		t.Fatal("the keys were not renewed")
	}
	if body, ok := b.Open(now, a.Protect([]byte("hnew"), 1, 3), 1, 3, true); !ok || string(body) != "new" {
		t.Fatalf("the peer did not follow: %q, %v", body, ok)
	}
	if !b.Phase(now) {
		t.Error("the peer does not answer under the new keys")
	}
	if a.Phase(now.Add(2 * keyLifeMax)); a.Generation() != 1 {
		t.Errorf("generation %d before the peer was heard of", a.Generation())
	}
	if _, ok := b.Open(now.Add(OldKeysLife/2), late, 1, 1, false); !ok {
		t.Error("a packet that was overtaken was refused")
	}
	if _, ok := b.Open(now.Add(OldKeysLife), later, 1, 2, false); ok {
		t.Error("the old keys are still good")
	}
}

// Forged packets of either phase must not cost memory, nor make anybody renew keys.
func TestForgedPacketsCostNoAllocations(t *testing.T) {
	for name, suite := range suites {
		a, b := keyPair(t, suite)
		forged := make([]byte, 200)
		for _, phase := range []bool{false, true} {
			b.Open(start, forged, wire.PacketHeaderBytes, 9, phase) // The next generation is derived once.
			if n := testing.AllocsPerRun(100, func() {
				b.Open(start, forged, wire.PacketHeaderBytes, 9, phase)
			}); n > 0 {
				t.Errorf("%s, phase %v: %v allocations", name, phase, n)
			}
		}
		if b.Phase(start) {
			t.Errorf("%s: a forged packet made it renew its keys", name)
		}
		if body, ok := b.Open(start, a.Protect([]byte("hbody"), 1, 10), 1, 10, false); !ok || string(body) != "body" {
			t.Errorf("%s: %q, %v", name, body, ok)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for name, suite := range suites {
		for _, size := range []int{100, 1200} {
			b.Run(name+"/"+map[int]string{100: "100", 1200: "1200"}[size], func(b *testing.B) {
				send, recv := keyPair(b, suite)
				send.packetsMax = 1 << 60
				packet := make([]byte, size, size+wire.SealBytes)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for n := uint64(1); b.Loop(); n++ {
					sealed := send.Protect(packet, wire.PacketHeaderBytes, n)
					if _, ok := recv.Open(start, sealed, wire.PacketHeaderBytes, n, false); !ok {
						b.Fatal("not opened")
					}
				}
			})
		}
	}
}
