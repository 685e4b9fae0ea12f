package handshake

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

var (
	start  = time.Unix(1_000_000_000, 0)
	client = netip.MustParseAddrPort("192.0.2.1:5000")
)

func newGate(t testing.TB) *Gate {
	t.Helper()
	g, err := NewGate(start, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// admitted runs one hello through the gate and returns the cookie it answered with, or nil when it admitted it.
func admitted(t *testing.T, g *Gate, now time.Time, from netip.AddrPort, h wire.Hello) (cookie []byte) {
	t.Helper()
	hello := wire.AppendHello(nil, h, 0)
	b, ok, err := g.Admit(now, from, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		return nil
	}
	if len(b) > len(hello) {
		t.Errorf("retry is %d bytes, hello only %d", len(b), len(hello))
	}
	r, err := wire.ParseRetry(b)
	if err != nil {
		t.Fatal(err)
	}
	return r.Cookie
}

func TestGateAdmitsOnlyTheAddressAndHelloOfTheCookie(t *testing.T) {
	g := newGate(t)
	h := wire.Hello{Source: 1, Nonce: wire.Nonce{1}, Call: 5}
	h.Cookie = admitted(t, g, start, client, h)
	if h.Cookie == nil {
		t.Fatal("a hello without a cookie was admitted")
	}
	if admitted(t, g, start, client, h) != nil {
		t.Error("the hello with its cookie was not admitted")
	}
	for name, mutate := range map[string]func(from *netip.AddrPort, h *wire.Hello){
		"port":   func(from *netip.AddrPort, _ *wire.Hello) { *from = netip.AddrPortFrom(from.Addr(), 5001) },
		"addr":   func(from *netip.AddrPort, _ *wire.Hello) { *from = netip.MustParseAddrPort("192.0.2.2:5000") },
		"nonce":  func(_ *netip.AddrPort, h *wire.Hello) { h.Nonce[0]++ },
		"source": func(_ *netip.AddrPort, h *wire.Hello) { h.Source++ },
		"call":   func(_ *netip.AddrPort, h *wire.Hello) { h.Call++ },
		"cookie": func(_ *netip.AddrPort, h *wire.Hello) { h.Cookie = append([]byte{}, h.Cookie...); h.Cookie[5] ^= 1 },
		"length": func(_ *netip.AddrPort, h *wire.Hello) { h.Cookie = h.Cookie[:9] },
	} {
		from, other := client, h
		mutate(&from, &other)
		if admitted(t, g, start, from, other) == nil {
			t.Errorf("admitted with another %s", name)
		}
	}
}

func TestCookieExpires(t *testing.T) {
	g := newGate(t)
	h := wire.Hello{Source: 1}
	h.Cookie = admitted(t, g, start, client, h)
	if admitted(t, g, start.Add(CookieLifetime), client, h) != nil {
		t.Error("refused at the end of its life")
	}
	if admitted(t, g, start.Add(2*CookieLifetime), client, h) == nil {
		t.Error("admitted after twice its life")
	}
	// The slot's low byte comes round after 256 slots; the secret does not.
	if admitted(t, g, start.Add(256*CookieLifetime), client, h) == nil {
		t.Error("admitted when the slot number came round")
	}
}

func TestWindowKnowsWhatArrived(t *testing.T) {
	seed := time.Now().UnixNano()
	rng := mathrand.New(mathrand.NewPCG(uint64(seed), 1))
	var w Window
	seen := map[uint64]bool{}
	highest := uint64(0)
	for range 200_000 {
		n := highest + uint64(rng.IntN(5))
		if rng.IntN(3) == 0 {
			n = highest - min(highest, uint64(rng.IntN(3000)))
		}
		if rng.IntN(5000) == 0 {
			n = highest + uint64(rng.IntN(5000))
		}
		tooOld := n+windowBits <= highest
		if got, want := w.Fresh(n), !seen[n] && !tooOld; got != want {
			t.Fatalf("seed %d: Fresh(%d) = %v with highest %d, want %v", seed, n, got, highest, want)
		}
		if w.Fresh(n) {
			w.Mark(n)
			seen[n] = true
			highest = max(highest, n)
		}
		bitmap := w.Below(highest)
		for i := range uint64(64) {
			if i < highest && (bitmap>>i&1 == 1) != seen[highest-1-i] {
				t.Fatalf("seed %d: Below(%d) bit %d is wrong", seed, highest, i)
			}
		}
	}
}
