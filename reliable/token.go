package reliable

import (
	"bytes"
	"net/netip"
	"sync"

	"udpchat/reliable/internal/wire"
)

// A token is a server's present to a client on its way: with it the client need not prove its address by a cookie the
// next time (SPEC.md 4.5). It is a convenience, so it is not sent for ever.
type token struct {
	send  []byte               // server: nil: nothing to send, or enough
	reset *wire.StatelessReset // server: leaves with it; nil: there is none
	first uint64               // server: number of the first packet that had it
	tries int                  // server: packets that had it
	got   []byte               // client: nil: nothing new
}

// append appends the token frames if there are any to send and they leave so much room in a
// datagram of so many bytes.
func (t *token) append(b []byte, number uint64, room, limit int) []byte {
	if t.send == nil || len(b)+wire.ResetTokenFrameBytes+wire.TokenFrameBytes+len(t.send)+room+wire.SealBytes > limit {
		return b
	}
	if t.first == 0 {
		t.first = number
	}
	if t.reset != nil {
		b = wire.AppendResetToken(b, *t.reset)
	}
	b = wire.AppendToken(b, t.send)
	if t.tries++; t.tries == tokenTriesMax {
		t.send, t.reset = nil, nil
	}
	return b
}

func (t *token) acknowledged(a wire.Ack) {
	if t.first > 0 && a.Has(t.first) {
		t.send, t.reset = nil, nil
	}
}

// handleToken takes a token from the server.
func (m *Machine) handleToken(b []byte) error {
	if !m.dialled {
		return errBroken
	}
	if r, ok := wire.ParseResetToken(b); ok {
		m.handleResetToken(r)
		return nil
	}
	m.token.got = bytes.Clone(b)
	return nil
}

// takeToken returns a token that came since the last call, nil if none did.
func (m *Machine) takeToken() []byte {
	b := m.token.got
	m.token.got = nil
	return b
}

// A TokenStore keeps what servers have given to their clients, for the next connection: it lets them skip a round trip
// when the server is under attack. It is safe for concurrent use and must not block. A token is worth nothing to
// anybody at another address.
type TokenStore interface {
	// Token returns what StoreToken has kept for that server; nil: nothing.
	Token(server netip.AddrPort) []byte
	// StoreToken keeps a token; the bytes are the store's now.
	StoreToken(server netip.AddrPort, token []byte)
}

// memoryTokens is a TokenStore that forgets with the process. The zero value is empty.
type memoryTokens struct {
	mu sync.Mutex
	m  map[netip.AddrPort][]byte // guarded by mu
}

func (t *memoryTokens) Token(server netip.AddrPort) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.m[server]
}

func (t *memoryTokens) StoreToken(server netip.AddrPort, token []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[netip.AddrPort][]byte)
	}
	if _, known := t.m[server]; !known && len(t.m) >= tokensMax {
		for other := range t.m { // Any: the server that loses its token asks for a cookie.
			delete(t.m, other)
			break
		}
	}
	t.m[server] = token
}
