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

func newGate(t *testing.T) *Gate {
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
	hello := wire.AppendHello(nil, h)
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

func TestClientRepeatsQuicklyThenSlowly(t *testing.T) {
	c := NewClient(start, 1, wire.Nonce{9}, 0)
	now, hellos := start, 0
	for now.Before(start.Add(5 * time.Second)) {
		if _, due := c.AppendDue(now, nil); !due {
			t.Fatalf("nothing due at NextAt, %v after the start", now.Sub(start))
		}
		hellos++
		if hellos == 2 && now.Sub(start) > 50*time.Millisecond {
			t.Errorf("the first repetition came only after %v", now.Sub(start))
		}
		now = c.NextAt()
	}
	if hellos < 10 || hellos > 20 {
		t.Errorf("%d hellos in 5 s, want 10 to 20", hellos)
	}
}

func TestClientAnswersACookieOnceAtOnce(t *testing.T) {
	c := NewClient(start, 1, wire.Nonce{9}, 0)
	c.AppendDue(start, nil)
	at := start.Add(20 * time.Millisecond)
	r := wire.Retry{Dest: 1, Nonce: wire.Nonce{9}, Cookie: []byte("abc")}
	if !c.HandleRetry(at, r) {
		t.Fatal("our retry was not recognised")
	}
	b, due := c.AppendDue(at, nil)
	if h, err := wire.ParseHello(b); !due || err != nil || string(h.Cookie) != "abc" {
		t.Fatalf("got hello %+v, due %v, %v, want it at once with the cookie", h, due, err)
	}
	c.HandleRetry(at, r)
	if _, due := c.AppendDue(at, nil); due {
		t.Error("a repeated retry was answered again at once")
	}
	if c.HandleRetry(at, wire.Retry{Dest: 1, Cookie: []byte("x")}) || c.HandleRetry(at, wire.Retry{Dest: 2, Nonce: wire.Nonce{9}}) {
		t.Error("a stranger's retry was taken for ours")
	}
	if c.HandleAccept(wire.Accept{Dest: 1, Source: 3}) || !c.HandleAccept(wire.Accept{Dest: 1, Source: 3, Nonce: wire.Nonce{9}}) {
		t.Error("accept is matched wrongly")
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

func TestSealFindsEveryFlippedBit(t *testing.T) {
	toServer, toClient, err := Seals(wire.Nonce{1}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	sealed := toServer.Append([]byte("some packet"), 7)
	if body, ok := toServer.Open(sealed, 7); !ok || string(body) != "some packet" {
		t.Fatalf("got %q, %v", body, ok)
	}
	if _, ok := toClient.Open(sealed, 7); ok {
		t.Error("opened with the key of the other direction")
	}
	if _, ok := toServer.Open(sealed, 8); ok {
		t.Error("opened under another number")
	}
	for i := range len(sealed) * 8 {
		sealed[i/8] ^= 1 << (i % 8)
		if _, ok := toServer.Open(sealed, 7); ok {
			t.Errorf("opened with bit %d flipped", i)
		}
		sealed[i/8] ^= 1 << (i % 8)
	}
	for n := range wire.SealBytes {
		if _, ok := toServer.Open(sealed[:n], 7); ok {
			t.Errorf("opened %d bytes", n)
		}
	}
}
