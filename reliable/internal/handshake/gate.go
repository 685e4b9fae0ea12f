package handshake

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// A Gate knows clients whose address is proven: by a cookie it sent there moments ago, or by a token it gave to the
// client when that was here before. It holds four secrets and nothing about any client.
type Gate struct{ cookies, tokens *mint }

// What a proof is: its first byte.
const (
	kindCookie = 1
	kindToken  = 2
)

// NewGate returns a gate that draws its secrets from random, which must be a source of unguessable bytes.
func NewGate(now time.Time, random io.Reader) (*Gate, error) {
	cookies, err := newMint(now, kindCookie, CookieLifetime, random)
	if err != nil {
		return nil, err
	}
	tokens, err := newMint(now, kindToken, TokenLifetime, random)
	return &Gate{cookies, tokens}, err
}

// Admit reports whether the hello carries a valid cookie or token for the address it came from. If not it returns the
// datagram to answer with, appended to b.
func (g *Gate) Admit(now time.Time, from netip.AddrPort, h wire.Hello, b []byte) (retry []byte, ok bool, err error) {
	if err := errors.Join(g.cookies.rotate(now), g.tokens.rotate(now)); err != nil {
		return nil, false, err
	}
	what := cookieFor(from, h)
	if g.cookies.valid(h.Cookie, what) || g.tokens.valid(h.Cookie, tokenFor(from.Addr())) {
		return nil, true, nil
	}
	cookie := g.cookies.strike(0, what)
	return wire.AppendRetry(b, wire.Retry{Dest: h.Source, Nonce: h.Nonce, Cookie: cookie}), false, nil
}

// Token returns a token for a client whose address is about to be proven.
func (g *Gate) Token(now time.Time, from netip.Addr) ([]byte, error) {
	if err := g.tokens.rotate(now); err != nil {
		return nil, err
	}
	return g.tokens.strike(0, tokenFor(from)), nil
}

// cookieFor is what a cookie proves: this very hello came from this address and port.
func cookieFor(from netip.AddrPort, h wire.Hello) []byte {
	addr := from.Addr().As16()
	b := append(make([]byte, 0, 64), addr[:]...)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint64(b, uint64(h.Source))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Call))
	return append(b, h.Nonce[:]...)
}

// tokenFor is what a token proves: somebody at this address got it from us. The port will be another next time.
func tokenFor(from netip.Addr) []byte {
	addr := from.As16()
	return addr[:]
}
