package reliable

import (
	"io"
	"net/netip"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// A server that was killed and started again knows nothing of its connections, and their clients nothing of that. It answers
// their packets by stateless resets: datagrams that end in a token which only it can make, from its private key and the
// connection's ID, and which it has told to the client while the connection lived (SPEC.md 9.4; RFC 9000, 10.3).

// A resetter makes stateless resets, not more than resetsPerSecond. It is owned by an endpoint's reader.
type resetter struct {
	resets *handshake.Resets
	free   time.Time // when the bucket is full again
	buf    [wire.StatelessResetBytes + resetFillMax]byte
	fill   [1 + wire.StatelessResetBytes + resetFillMax]byte
}

// newResetter returns the resetter of the endpoint that has this identity, on this node, at this address.
func newResetter(id *Identity, node string, local netip.AddrPort) (*resetter, error) {
	resets, err := id.Resets(node + " " + local.String())
	if err != nil {
		return nil, err
	}
	return &resetter{resets: resets}, nil
}

// of returns the reset of a new connection, nil if there are none.
func (r *resetter) of(id wire.ConnID) *wire.StatelessReset {
	if r == nil {
		return nil
	}
	reset := r.resets.Of(id)
	return &reset
}

// due reports whether a packet of so many bytes is to be answered. The answer is shorter, so that nobody gets more than was sent in
// his name, and two endpoints that take each other's resets for packets soon fall silent (RFC 9000, 10.3.3).
func (r *resetter) due(now time.Time, n int) bool {
	if n <= wire.StatelessResetBytes {
		return false
	}
	const each = time.Second / resetsPerSecond
	if r.free.Sub(now) > (resetsBurst-1)*each {
		return false
	}
	r.free = later(r.free, now).Add(each)
	return true
}

// datagram returns the reset for a packet of n bytes, valid until the next call.
func (r *resetter) datagram(id wire.ConnID, n int, random io.Reader) []byte {
	if _, err := io.ReadFull(random, r.fill[:]); err != nil {
		return nil // Without randomness all would look alike.
	}
	const least = wire.StatelessResetBytes
	size := min(least+int(r.fill[len(r.fill)-1])%(resetFillMax+1), n-1)
	filler := r.fill[:1+size-(1+8+wire.ResetTokenBytes)]
	return wire.AppendStatelessReset(r.buf[:0], r.resets.Of(id), filler)
}

// handleResetToken takes what the server would say if it had forgotten us. Only the first counts: it never changes.
func (m *Machine) handleResetToken(r wire.StatelessReset) {
	if m.forgotten == nil && r.ID != 0 && r.ID != m.local {
		m.forgotten = &r
	}
}

// isReset reports whether packets to that ID are resets of this connection.
func (m *Machine) isReset(id wire.ConnID) bool { return m.forgotten != nil && id == m.forgotten.ID }

// handleStatelessReset ends the connection if the server has forgotten it. Who does not know the token can say nothing.
func (m *Machine) handleStatelessReset(datagram []byte) {
	switch {
	case !m.forgotten.Is(datagram):
		m.drop(DropSeal)
	case m.state == stateClosing: // Nothing but a goodbye is missing, and nobody to hear it.
		m.endClosing()
	default:
		m.end(ErrForgotten)
	}
}

// awaitReset has the reset of c's server find c. Another connection that has the ID keeps it: a server may not take what is
// meant for others.
func (e *Endpoint) awaitReset(c *Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := c.m.forgotten.ID
	if e.resets[id] == nil {
		e.resets[id] = c
	}
}
