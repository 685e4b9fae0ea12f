package reliable

import (
	"bytes"
	"slices"
	"time"

	"udpchat/reliable/internal/wire"
)

// A packet that was cut for a larger way than there is now travels in pieces (SPEC.md 5.4): packets in a row, each with a
// part of its frames. It happens to what the ARQ has in flight when the size shrinks, and to nothing else.

// sendPieces sends the packet in b, which is too large and not yet sealed, in pieces.
func (m *Machine) sendPieces(b []byte) {
	const overhead = wire.PacketHeaderBytes + wire.PieceFrameBytes + wire.SealBytes
	frames := bytes.Clone(b[wire.PacketHeaderBytes:])
	part := m.mtu.size - overhead
	n := (len(frames) + part - 1) / part
	m.stats.Pieces += uint64(n)
	for i := range n {
		if i > 0 {
			m.number++
		}
		m.head.Number = m.number
		p := wire.AppendPacketHeader(m.packet[:0], m.head)
		p = wire.AppendPiece(p, uint8(i), uint8(n), frames[i*part:min((i+1)*part, len(frames))])
		m.remember(nil, len(p)+wire.SealBytes)
		m.transmit(p)
	}
}

// An assembly is a packet of which some pieces have come.
type assembly struct {
	first uint64 // packet number of its first piece
	parts [wire.PiecesMax][]byte
	came  int
}

// handlePiece takes a piece, and with the last one the whole packet.
func (m *Machine) handlePiece(now time.Time, f wire.Frame) error {
	m.owesAck = true
	m.busy()
	if m.inside || uint64(f.Piece) >= m.arriving {
		return errBroken
	}
	first := m.arriving - uint64(f.Piece)
	i := slices.IndexFunc(m.assemblies, func(p *assembly) bool { return p.first == first })
	if i < 0 {
		if len(m.assemblies) == assembliesMax {
			m.assemblies = slices.Delete(m.assemblies, 0, 1)
		}
		i = len(m.assemblies)
		m.assemblies = append(m.assemblies, &assembly{first: first})
	}
	p := m.assemblies[i]
	p.parts[f.Piece] = bytes.Clone(f.Part)
	if p.came++; p.came < int(f.Pieces) {
		return nil
	}
	if m.assemblies = slices.Delete(m.assemblies, i, i+1); len(m.assemblies) == 0 {
		m.assemblies = nil
	}
	m.inside = true
	m.handleFrames(now, slices.Concat(p.parts[:f.Pieces]...))
	m.inside = false
	return nil
}
