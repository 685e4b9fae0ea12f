package reliable

import (
	"bytes"
	"slices"
	"time"

	"udpchat/reliable/internal/wire"
)

// A packet that was cut for a larger way than there is now travels in pieces (SPEC.md 5.4): packets in a row, each with a
// part of its frames. It happens to what the ARQ has in flight when the size shrinks, and to nothing else.

// A whole is a packet that travels in pieces, to the sender.
type whole struct {
	cargo   cargo
	missing int // pieces of which it is not known that they arrived
}

// sendPieces sends the packet in b, which is too large and not yet sealed, in pieces.
func (m *Machine) sendPieces(b []byte, c cargo) {
	const overhead = wire.PacketHeaderBytes + wire.PieceFrameBytes + wire.SealBytes
	frames := bytes.Clone(b[wire.PacketHeaderBytes:])
	part := m.mtu.size - overhead
	n := (len(frames) + part - 1) / part
	w := &whole{cargo: c, missing: n}
	m.stats.Pieces += uint64(n)
	for i := range n {
		if i > 0 {
			m.number++
		}
		m.head.Number = m.number
		p := wire.AppendPacketHeader(m.packet[:0], m.head)
		p = wire.AppendPiece(p, uint8(i), uint8(n), frames[i*part:min((i+1)*part, len(frames))])
		m.remember(cargo{whole: w}, len(p)+wire.SealBytes)
		m.transmit(p)
	}
}

// pieceArrived notes that a piece was acknowledged. When all have been, so is the packet.
func (m *Machine) pieceArrived(w *whole) {
	if w.missing--; w.missing == 0 {
		m.arrivedAtPeer(w.cargo)
	}
}

// assemblies are the packets of which some pieces have come.
type assemblies struct {
	open  []*assembly // the oldest first, at most assembliesMax
	floor uint64      // up to that number of a first piece no packet is begun: one was given up
}

// An assembly is one of them.
type assembly struct {
	first uint64 // packet number of its first piece
	parts [wire.PiecesMax][]byte
	came  int
}

// takes reports whether a piece can be of use. One that cannot must not be acknowledged, as other pieces of its packet
// have been: the sender would take the whole for arrived.
func (a *assemblies) takes(number uint64, f wire.Frame) bool {
	first := number - uint64(f.Piece)
	return uint64(f.Piece) < number && (first > a.floor || a.find(first) >= 0)
}

func (a *assemblies) find(first uint64) int {
	return slices.IndexFunc(a.open, func(p *assembly) bool { return p.first == first })
}

// add keeps a piece and returns the frames of its packet if it was the last that was missing, otherwise nil.
func (a *assemblies) add(number uint64, f wire.Frame) (frames []byte) {
	first := number - uint64(f.Piece)
	i := a.find(first)
	if i < 0 {
		if len(a.open) == assembliesMax {
			a.giveUp()
		}
		i = len(a.open)
		a.open = append(a.open, &assembly{first: first})
	}
	p := a.open[i]
	p.parts[f.Piece] = bytes.Clone(f.Part)
	if p.came++; p.came < int(f.Pieces) {
		return nil
	}
	if a.open = slices.Delete(a.open, i, i+1); len(a.open) == 0 {
		a.open = nil
	}
	return slices.Concat(p.parts[:f.Pieces]...)
}

// giveUp forgets the oldest.
func (a *assemblies) giveUp() {
	a.floor = max(a.floor, a.open[0].first)
	a.open = slices.Delete(a.open, 0, 1)
}

// handlePiece takes a piece, and with the last one the whole packet.
func (m *Machine) handlePiece(now time.Time, f wire.Frame) error {
	if m.inside {
		return errBroken
	}
	m.owesAck = true
	m.busy()
	if frames := m.assemblies.add(m.arriving, f); frames != nil {
		m.inside = true
		m.handleFrames(now, frames)
		m.inside = false
	}
	return nil
}

// uselessPiece reports whether a packet has a piece that comes too late.
func (m *Machine) uselessPiece(number uint64, frames []byte) bool {
	if len(frames) == 0 || wire.FrameType(frames[0]) != wire.FramePiece {
		return false
	}
	f, _, err := wire.ParseFrame(frames)
	return err == nil && !m.assemblies.takes(number, f)
}
