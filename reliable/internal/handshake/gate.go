package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// A Gate makes and checks cookies. It holds two secrets and nothing about any client.
type Gate struct {
	random  io.Reader
	slot    int64 // the slot of secrets[0]
	secrets [2][32]byte
}

// NewGate returns a gate that draws its secrets from random, which must be a source of unguessable bytes.
func NewGate(now time.Time, random io.Reader) (*Gate, error) {
	g := &Gate{random: random, slot: slotOf(now)}
	for i := range g.secrets {
		if _, err := io.ReadFull(random, g.secrets[i][:]); err != nil {
			return nil, fmt.Errorf("handshake: making a cookie secret: %w", err)
		}
	}
	return g, nil
}

// Admit reports whether the hello carries a valid cookie for the address it came from. If not it returns the datagram
// to answer with, appended to b.
func (g *Gate) Admit(now time.Time, from netip.AddrPort, h wire.Hello, b []byte) (retry []byte, ok bool, err error) {
	if err := g.rotate(now); err != nil {
		return nil, false, err
	}
	if g.valid(from, h) {
		return nil, true, nil
	}
	cookie := g.cookie(0, from, h)
	return wire.AppendRetry(b, wire.Retry{Dest: h.Source, Nonce: h.Nonce, Cookie: cookie}), false, nil
}

// A cookie is the low byte of its slot, which picks the secret, and the MAC.
func (g *Gate) cookie(secret int, from netip.AddrPort, h wire.Hello) []byte {
	c := make([]byte, 1, 1+sha256.Size)
	c[0] = byte(g.slot - int64(secret))
	mac := hmac.New(sha256.New, g.secrets[secret][:])
	addr := from.Addr().As16()
	var fixed [16 + 2 + 8 + 8]byte
	copy(fixed[:], addr[:])
	binary.BigEndian.PutUint16(fixed[16:], from.Port())
	binary.BigEndian.PutUint64(fixed[18:], uint64(h.Source))
	binary.BigEndian.PutUint64(fixed[26:], uint64(h.Call))
	mac.Write(fixed[:]) // A hash never returns an error.
	mac.Write(h.Nonce[:])
	return mac.Sum(c)[:1+cookieMACBytes]
}

func (g *Gate) valid(from netip.AddrPort, h wire.Hello) bool {
	if len(h.Cookie) != 1+cookieMACBytes {
		return false
	}
	for i := range g.secrets {
		if h.Cookie[0] == byte(g.slot-int64(i)) {
			return hmac.Equal(h.Cookie, g.cookie(i, from, h))
		}
	}
	return false
}

// rotate replaces secrets whose time is over: a cookie of the current or the previous slot is valid, no other.
func (g *Gate) rotate(now time.Time) error {
	slot := slotOf(now)
	steps := slot - g.slot
	if steps < 0 {
		return nil // The clock went back: the secrets in hand stay good.
	}
	for range min(steps, int64(len(g.secrets))) {
		g.secrets[1] = g.secrets[0]
		if _, err := io.ReadFull(g.random, g.secrets[0][:]); err != nil {
			return fmt.Errorf("handshake: making a cookie secret: %w", err)
		}
	}
	g.slot = slot
	return nil
}

func slotOf(now time.Time) int64 { return now.UnixNano() / int64(CookieLifetime) }
