package reliable

import (
	"bytes"
	"errors"
	"time"

	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// Handle takes a datagram from the peer's address. The bytes are not kept, but may be changed: they are decrypted in
// place. A datagram that makes no sense is counted
// and dropped and changes nothing.
//
//	datagram → type → packet: state, replay window, seal → frames → ARQ, FEC, acknowledgements, close
func (m *Machine) Handle(now time.Time, d Datagram) {
	m.now = now
	if m.cfg.Trace != nil {
		defer m.traceHandled(m.stats.Drops, len(d.Bytes))
	}
	datagram := d.Bytes
	m.stats.DatagramsReceived++
	m.stats.BytesReceived += uint64(len(datagram))
	if m.dialled && d.Path.Remote != m.path.Remote {
		m.drop(DropAddress) // A client stays with the server it dialled.
		return
	}
	typ, err := wire.ParseType(datagram)
	switch {
	case err != nil:
		m.drop(DropMalformed)
	case m.state == stateEnded:
		m.drop(DropEnded)
	case typ == wire.TypePacket, typ == wire.TypeFinish:
		m.handlePacket(now, d)
	case typ == wire.TypeHello && d.Path.Remote != m.path.Remote:
		m.drop(DropAddress) // An address in a handshake is proven by an answer to it.
	case typ == wire.TypeHello:
		m.handleHello(datagram)
	case typ == wire.TypeRetry, typ == wire.TypeAccept, typ == wire.TypeRefuse:
		m.handleAnswer(now, typ, datagram)
	default:
		m.drop(DropUnexpected)
	}
}

func (m *Machine) drop(reason Drop) { m.stats.Drops[reason]++ }

func (m *Machine) handlePacket(now time.Time, d Datagram) {
	datagram := d.Bytes
	h, _, err := wire.ParsePacketHeader(datagram)
	if err == nil && m.isReset(h.Dest) {
		m.handleStatelessReset(datagram)
		return
	}
	if err != nil || h.Dest != m.local {
		m.drop(DropMalformed)
		return
	}
	if !m.arrived.Fresh(h.Number) && m.cfg.Planted != planted.ReplayTaken {
		m.drop(DropRepeated)
		return
	}
	frames, reason := m.open(now, h, datagram)
	if reason != dropNone {
		m.drop(reason)
		m.busy() // Who sends junk must not have the ciphers made again and again.
		if m.stats.Drops[DropSeal] >= handshake.ForgedPacketsMax {
			m.fail(errBroken)
		}
		return
	}
	if m.uselessPiece(h.Number, frames) {
		m.drop(DropRepeated)
		return
	}
	m.heardFrom(now, h)
	m.quiet.heard()
	m.arriving = h.Number
	m.follow(now, d.Path, len(datagram), h.Number > m.largest)
	m.arrived.Mark(h.Number)
	m.received++
	m.countMark(d.ECN)
	m.heardAt = now
	if h.Number > m.largest {
		m.largest, m.askedAt = h.Number, now
	}
	m.lossIn.report(m.largest, m.received)
	m.tracePacket(EventReceived, h.Number, len(datagram), frames)
	m.handleFrames(now, frames)
	if m.owesAck {
		m.unacked++
		if m.unacked >= ackPackets && m.state <= stateLinger {
			m.sendOwedAck() // An acknowledgement reaches back only so far.
		}
	}
}

// handleFrames takes the frames of an authentic packet. A peer that breaks the protocol here has a bug or is hostile:
// the connection ends.
func (m *Machine) handleFrames(now time.Time, b []byte) {
	for len(b) > 0 && m.state != stateEnded {
		f, rest, err := wire.ParseFrame(b)
		if err == nil {
			m.stats.Received.count(f.Type, len(b)-len(rest))
			err = m.handleFrame(now, f)
		}
		if err != nil {
			m.drop(DropMalformed)
			m.fail(err)
			return
		}
		b = rest
	}
}

func (m *Machine) handleFrame(now time.Time, f wire.Frame) error {
	if m.state == stateHalf && f.Type != wire.FrameCrypto {
		return errBroken // It stands first.
	}
	if m.state == stateClosing && f.Type != wire.FrameClose {
		return nil // All that counts now is whether the peer heard that we close.
	}
	switch f.Type {
	case wire.FramePing:
		if m.cfg.Planted == planted.PingUnanswered {
			return nil
		}
		m.owesAck = true
		m.tellWindows() // The peer may be waiting for a window update that was lost.
	case wire.FrameBare:
		return m.input(f.Symbol, false, 0)
	case wire.FrameSource:
		return m.handleSource(now, f)
	case wire.FrameData:
		m.owesAck = true
		return m.input(f.Symbol, false, 0)
	case wire.FrameReset:
		m.owesAck = true
		return m.handleReset(f.Stream, f.Code)
	case wire.FrameRepair:
		return m.handleRepair(now, f)
	case wire.FrameAck:
		return m.handleAck(now, f.Ack, nil)
	case wire.FrameAckMarks:
		return m.handleAck(now, f.Ack, &f.Marks)
	case wire.FrameClose:
		m.handleClose(f.Code, string(f.Text))
	case wire.FrameCrypto:
		return m.handleFinished(f.Data)
	case wire.FrameToken:
		return m.handleToken(f.Data)
	case wire.FrameChallenge:
		m.handleChallenge(f.Challenge)
	case wire.FrameResponse:
		m.handleResponse(now, f.Challenge)
	case wire.FramePiece:
		return m.handlePiece(now, f)
	case wire.FramePadding:
	}
	return nil
}

// Below the ARQ, symbols are de-duplicated: every duplicate that reaches it is acknowledged again (SPEC.md 7.3).
func (m *Machine) handleSource(now time.Time, f wire.Frame) error {
	m.heardData(now)
	m.owesAck = true
	var rebuilt error
	d := m.decoder()
	known := d.Stats()
	fresh := d.Source(now.Sub(m.start), wire.NearGroup(d.Newest(), f.Group), f.Index, f.Symbol, func(sym []byte) {
		rebuilt = errors.Join(rebuilt, m.input(sym, true, 0))
	})
	if now := m.dec.Stats(); !fresh && (now.Duplicate != known.Duplicate || now.Bad != known.Bad) {
		return rebuilt
	}
	// The acknowledgement of the packet tells the peer that the symbol came, so also one that is too old to tell whether it
	// was seen before goes on to the ARQ, which knows.
	return errors.Join(m.input(f.Symbol, false, 0), rebuilt)
}

func (m *Machine) handleRepair(now time.Time, f wire.Frame) error {
	m.stats.RepairReceived++
	m.heardData(now)
	var err error
	d := m.decoder()
	out := d.Repair(now.Sub(m.start), wire.NearGroup(d.Newest(), f.Group), f.K, fec.RepairMax, f.Index, f.Symbol, func(sym []byte) {
		err = errors.Join(err, m.input(sym, true, f.Age))
	})
	switch out {
	case fec.Bad:
		return errBroken
	case fec.Useless, fec.Late:
		m.stats.RepairUseless++
		// The group was acknowledged when it was complete. That is repeated only if the acknowledgement seems lost: the peer,
		// which knows the round trip, says so.
		if f.Asks {
			m.owesAck = true
			m.tellWindows() // It carries the ARQ's own acknowledgement, which was lost too.
		}
	default:
		m.owesAck = true
	}
	return err
}

// decoder returns the decoder, set to rebuild nothing older than about one retransmission timeout: the ARQ would answer
// a later symbol with its old timestamp, and the peer's timeout would explode (SPEC.md 7.3).
func (m *Machine) decoder() *fec.Decoder {
	if m.dec == nil {
		m.dec = fec.NewDecoder(&m.shared.codecs)
	}
	m.busy()
	if m.rtt.smoothed > 0 {
		m.dec.SetMaxAge(m.rtt.timeout())
	}
	return m.dec
}

// advanceDecoder lets the decoder forget what is too old to be of use.
func (m *Machine) advanceDecoder(now time.Time) {
	if m.dec != nil {
		m.dec.Expire(now.Sub(m.start))
	}
}

// input hands a symbol to the stream it is for. Age is how much later than the symbol itself what it was rebuilt from was
// sent.
func (m *Machine) input(symbol []byte, rebuilt bool, age time.Duration) error {
	s, err := m.streamFor(symbol)
	if s == nil {
		return err
	}
	s.heard = true
	defer m.stirred(s)
	if rebuilt && m.cfg.Planted == planted.RebuiltWrong {
		symbol = bytes.Clone(symbol)
		symbol[len(symbol)-1] ^= 1
	}
	if rebuilt {
		return s.arq.InputRebuilt(symbol, age)
	}
	return s.arq.Input(symbol)
}

// tellWindows has all streams tell how much they take.
func (m *Machine) tellWindows() {
	for _, s := range m.streams {
		if s.arq != nil {
			s.arq.TellWindow()
		}
	}
}
