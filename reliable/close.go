package reliable

import (
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// closing is what a connection needs to end (SPEC.md 9): first everything written is delivered, then the close frame
// is repeated until the peer's own close frame shows that it came.
type closing struct {
	code  uint32
	text  string
	until time.Time // linger: when to stop waiting for acknowledgements
	late  bool      // something written was not delivered: linger ran out, or it was broken off
	tries int       // close frames sent
	at    time.Time // when the next is due
	frame []byte    // the sealed packet, for latecomers after the end
}

// Close begins an orderly end: what was written is still delivered, for at most Config.Linger, then the peer is told
// code and text. Only the first call counts.
func (m *Machine) Close(now time.Time, code uint32, text string) {
	m.now = now
	switch m.state {
	case stateHello, stateHalf:
		m.closing.code, m.closing.text = code, text
		m.end(&CloseError{Code: code, Text: text})
	case stateOpen:
		m.closing.code, m.closing.text = code, text
		m.closing.until = now.Add(m.cfg.Linger)
		m.state = stateLinger
	default:
	}
}

// Abort ends the connection at once: the peer is told once, nothing is delivered any more.
func (m *Machine) Abort(now time.Time, code uint32, text string) {
	m.now = now
	if m.state == stateEnded {
		return
	}
	m.closing.code, m.closing.text = code, text
	m.closing.late = m.closing.late || m.Waiting()
	if m.state > stateHalf {
		m.sendClose()
	}
	m.end(&CloseError{Code: code, Text: text})
}

// advanceLinger goes on to the close frame when nothing written is waiting, or no longer.
func (m *Machine) advanceLinger(now time.Time) {
	if m.state != stateLinger {
		return
	}
	m.closing.late = m.Waiting()
	if m.closing.late && now.Before(m.closing.until) && m.cfg.Planted != planted.LingerShort {
		return
	}
	m.state, m.closing.at = stateClosing, now
	m.release()
	m.advanceClosing(now)
}

// advanceClosing repeats the close frame.
func (m *Machine) advanceClosing(now time.Time) {
	if now.Before(m.closing.at) {
		return
	}
	if m.closing.tries > len(closeGaps) || m.closing.tries > 0 && m.cfg.Planted == planted.CloseOnce {
		m.endClosing()
		return
	}
	m.sendClose()
	gap := closeGaps[min(m.closing.tries, len(closeGaps)-1)]
	m.closing.tries++
	m.closing.at = now.Add(gap)
}

func (m *Machine) endClosing() {
	if m.closing.late {
		m.end(errLinger)
		return
	}
	m.end(&CloseError{Code: m.closing.code, Text: m.closing.text})
}

// handleClose takes the peer's close frame. If it answers ours, all is said; if not, ours is the answer. The peer sent
// it when everything it wrote was acknowledged or given up, so nothing readable is lost.
func (m *Machine) handleClose(code uint32, text string) {
	if m.state == stateClosing {
		m.closing.frame = nil // The peer knows.
		m.endClosing()
		return
	}
	if m.cfg.Planted == planted.CloseReasonLost {
		code, text = CodeNone, ""
	}
	m.closing.code = code
	m.sendClose()
	m.end(&CloseError{Code: code, Text: text, Remote: true})
}

// fail ends the connection because the peer broke the protocol.
func (m *Machine) fail(err error) {
	if m.state == stateEnded {
		return
	}
	if m.state > stateHalf {
		m.closing.code, m.closing.text = CodeProtocol, err.Error()
		m.sendClose()
	}
	m.end(err)
}

// closeFrameBytesMax is the size of the longest close frame.
const closeFrameBytesMax = 1 + 4 + 1 + wire.CloseTextBytesMax

// sendClose sends the close frame. Who did not get everything must not take the end for an ordinary one.
func (m *Machine) sendClose() {
	m.owesAck = false
	code, text := m.closing.code, m.closing.text
	if code == CodeNone && m.closing.late {
		code, text = CodeIncomplete, "closed before everything was delivered"
	}
	b := wire.AppendClose(m.startPacket(closeFrameBytesMax), code, text)
	m.sendPacket(b, cargo{}, false)
	m.closing.frame = append(m.closing.frame[:0], m.packet[:len(b)+wire.SealBytes]...)
}

// end makes err the reason why the connection ended. What arrived can still be read.
func (m *Machine) end(err error) {
	if m.state == stateEnded {
		return
	}
	m.state = stateEnded
	m.err = err
	m.endHandshake()
	if m.cfg.Planted == planted.EndForgets {
		m.main.arq = nil
	}
	m.release()
}

// release gives back what only sending needs.
func (m *Machine) release() {
	for _, s := range m.streams {
		s.out = fifo{}
	}
	m.sent, m.repairs, m.enc, m.resets = nil, nil, nil, nil
	m.repairBytes = 0
}
