package reliable

import (
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A finish is the end of the client's handshake under way. The client has the keys of the connection before the server
// does, so its first packets travel under keys of the handshake and carry its Finished message, until anything comes
// from the server, which shows that it has it (SPEC.md 4.4).
type finish struct {
	data  []byte          // client: for the crypto frame; nil: nothing to repeat
	seal  *handshake.Seal // client: to send them; server: to open them, also late ones; nil: no more
	tries int             // client: packets with it
	at    time.Time       // client: when the next is due if nothing else leaves
	until time.Time       // client: when it is given up; server: how long late ones are taken, zero: not yet known
}

// rideFinish reports whether the next packet, with frames of so many bytes, carries the Finished. A packet that is too
// large for it is sent without, but not before the server has had a chance to understand it.
func (m *Machine) rideFinish(room int) bool {
	f := &m.finish
	if f.data == nil {
		return false
	}
	n := wire.PacketHeaderBytes + wire.CryptoFrameBytes + len(f.data) + room + wire.SealBytes
	if m.owesAck {
		n += wire.AckFrameBytes
	}
	if n <= m.mtu.size {
		return true
	}
	if !m.now.Before(f.at) {
		m.sendFinish()
	}
	return false
}

// advanceFinish repeats the Finished when nothing took it along.
func (m *Machine) advanceFinish(now time.Time) {
	f := &m.finish
	switch {
	case f.data == nil || m.state > stateLinger:
	case !now.Before(f.until):
		m.end(errHandshake)
	case m.cfg.Planted == planted.FinishOnce && f.tries > 0:
		f.at = f.until
	case !now.Before(f.at):
		m.sendFinish()
	}
}

func (m *Machine) sendFinish() { m.sendPacket(m.startPacket(0), cargo{}, true) }

// protect seals a packet that carries the Finished.
func (f *finish) protect(now time.Time, b []byte, number uint64) []byte {
	f.at = now.Add(handshake.Gap(f.tries))
	f.tries++
	return f.seal.Protect(b, wire.PacketHeaderBytes, number)
}

// rest forgets the server's key for packets of the handshake when they have become too late.
func (f *finish) rest(now time.Time) {
	if !f.until.IsZero() && !now.Before(f.until) && f.data == nil {
		*f = finish{}
	}
}
