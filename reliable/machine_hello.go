package reliable

import (
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// The handshake (SPEC.md 4). A client sends hellos until the server's part is there; then it is open. A server answers
// hellos until the end of the client's part is there, which comes in the client's first packets.

// advanceHello repeats the hello (SPEC.md 4.2).
func (m *Machine) advanceHello(now time.Time) {
	if !now.Before(m.helloUntil) {
		m.end(errHandshake)
		return
	}
	for {
		b, due := m.client.AppendDue(now, m.packet[:0])
		if m.cfg.Planted == planted.HelloOnce && m.stats.DatagramsSent >= 2 {
			due = false
		}
		if !due {
			return
		}
		m.send(b)
	}
}

// advanceHalf answers the first hello and gives up a client that does not finish.
func (m *Machine) advanceHalf(now time.Time) {
	if !now.Before(m.helloUntil) {
		m.end(errHandshake)
		return
	}
	if hello := m.hello; hello != nil {
		m.hello = nil
		m.handleHello(hello)
	}
}

// handleHello answers a hello, a repeated one by the same accept: the first one was lost (SPEC.md 4.3).
func (m *Machine) handleHello(datagram []byte) {
	h, err := wire.ParseHello(datagram)
	switch {
	case err != nil:
		m.drop(DropMalformed)
		return
	case m.server == nil || !m.server.Same(h):
		m.drop(DropUnexpected) // Or late: the client has had its answer, or will get none.
		return
	case m.cfg.Planted == planted.HelloUnanswered && m.stats.DatagramsSent > 0:
		return
	}
	b, err := m.server.HandleHello(h, len(datagram), m.packet[:0])
	if err != nil {
		// The place stays taken until its time is over: who sends such hellos must not get any number of places for them.
		m.drop(DropHandshake)
		m.endHandshake()
		return
	}
	m.helloUntil = m.now.Add(halfOpenLife) // The client is still there, and may get this answer first of all.
	if len(b) > 0 {
		m.send(b)
	}
}

// handleAnswer takes the server's answer to our hello.
func (m *Machine) handleAnswer(now time.Time, typ wire.Type, datagram []byte) {
	if m.state != stateHello {
		if typ != wire.TypeAccept || !m.dialled { // Accepts are repeated as often as hellos.
			m.drop(DropUnexpected)
		}
		return
	}
	switch typ {
	case wire.TypeRetry:
		if r, err := wire.ParseRetry(datagram); err != nil {
			m.drop(DropMalformed)
		} else if !m.client.HandleRetry(now, r) {
			m.drop(DropUnasked)
		}
	case wire.TypeRefuse:
		if r, err := wire.ParseRefuse(datagram); err != nil {
			m.drop(DropMalformed)
		} else if !m.client.HandleRefuse(r) {
			m.drop(DropUnasked)
		} else {
			m.end(&RefusedError{r.Code})
		}
	default:
		m.handleAccept(now, datagram)
	}
}

func (m *Machine) handleAccept(now time.Time, datagram []byte) {
	a, err := wire.ParseAccept(datagram)
	if err != nil {
		m.drop(DropMalformed)
		return
	}
	r, ours, err := m.client.HandleAccept(now, a)
	switch {
	case !ours:
		m.drop(DropUnasked)
	case err != nil:
		m.drop(DropHandshake)
		m.end(err)
	case r != nil:
		m.client.Close()
		m.client = nil
		if len(r.Finished) > finishBytesMax {
			m.end(errFinishLong)
			return
		}
		m.remote, m.peerKey, m.keys = r.Server, r.Key, r.Keys
		m.finish = finish{data: r.Finished, seal: r.First, at: now, until: now.Add(silenceMax)}
		m.state, m.heardAt = stateOpen, now
	}
}

// handleFinished takes the end of the client's handshake: its address is proven and packets may go there.
func (m *Machine) handleFinished(data []byte) error {
	if m.dialled {
		return errBroken
	}
	m.owesAck = true // Whatever else is in the packet: the client repeats it until it hears from us.
	if m.server == nil {
		return nil
	}
	keys, err := m.server.HandleFinished(data)
	if err != nil {
		return err
	}
	m.keys, m.finish.seal, m.peerKey = keys, m.server.Finish(), m.server.ClientKey()
	m.server.Close()
	m.server, m.hello = nil, nil
	m.state = stateOpen
	return nil
}

// endHandshake gives back what the handshake needs.
func (m *Machine) endHandshake() {
	if m.client != nil {
		m.client.Close()
	}
	if m.server != nil {
		m.server.Close()
	}
	m.client, m.server, m.hello = nil, nil, nil
}

// open authenticates and decrypts a packet and returns its frames, or why it is dropped.
func (m *Machine) open(now time.Time, h wire.PacketHeader, datagram []byte) (frames []byte, reason Drop) {
	seal := m.finish.seal
	switch {
	case h.Type == wire.TypeFinish && m.dialled:
		return nil, DropUnexpected
	case h.Type == wire.TypeFinish && m.server != nil:
		seal = m.server.Finish()
		fallthrough
	case h.Type == wire.TypeFinish:
		if seal == nil {
			return nil, DropEarly
		}
	case m.keys == nil:
		return nil, DropEarly
	}
	var raw []byte
	if m.cfg.Planted == planted.SealUnchecked {
		raw = append(raw, datagram...)
	}
	var ok bool
	if h.Type == wire.TypeFinish {
		frames, ok = seal.Open(datagram, wire.PacketHeaderBytes, h.Number)
	} else {
		frames, ok = m.keys.Open(now, datagram, wire.PacketHeaderBytes, h.Number, h.Phase)
	}
	switch {
	case ok:
		return frames, dropNone
	case len(raw) >= wire.PacketHeaderBytes+wire.SealBytes:
		return raw[wire.PacketHeaderBytes : len(raw)-wire.SealBytes], dropNone
	}
	return nil, DropSeal
}

// heardFrom takes note of an authentic packet: it shows the client that the server has its Finished, and the server that
// the client knows so.
func (m *Machine) heardFrom(now time.Time, h wire.PacketHeader) {
	switch f := &m.finish; {
	case f.seal == nil:
	case h.Type == wire.TypeFinish:
		if h.Number > m.largest {
			f.until = time.Time{} // Who still sends them has not heard of us. What is too large for them goes without.
		}
	case m.dialled:
		*f = finish{}
	case f.until.IsZero():
		f.until = now.Add(handshake.OldKeysLife)
	case !now.Before(f.until):
		*f = finish{}
	}
}
