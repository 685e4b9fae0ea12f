package simulate

import (
	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/wire"
)

// A kind is what a datagram is for. A packet is of the first kind below of which it has a frame.
type kind uint8

const (
	kindOther kind = iota // acknowledgements
	kindHello
	kindRetry
	kindAccept
	kindClose
	kindData
	kindRepair
	kindPing
	kinds
)

var kindNames = [kinds]string{"acknowledgement", "hello", "retry", "accept", "close", "data", "repair", "ping"}

// String returns the kind's name.
func (k kind) String() string { return kindNames[k] }

// A sight is what can be seen of a datagram from the outside.
type sight struct {
	kind   kind
	id     wire.ConnID // hello, accept: the sender's
	number uint64      // packets
	packet bool
	closed bool // a symbol in it says that the receive window is full
	asks   bool // it wants an answer even if it brings nothing new
	piece  bool // it is a part of a packet, which gets no answer if other parts of it have been given up
	acks   bool // ack is set
	ack    wire.Ack

	challenged, response bool // challenge is asked, or answered
	challenge            wire.Challenge
}

// look reads a datagram that a correct side sent, but for what a packet has encrypted.
func look(b []byte) sight {
	typ, err := wire.ParseType(b)
	if err != nil {
		return sight{}
	}
	switch typ {
	case wire.TypeHello:
		h, _ := wire.ParseHello(b) // Ours: it has no errors.
		return sight{kind: kindHello, id: h.Source}
	case wire.TypeRetry:
		return sight{kind: kindRetry}
	case wire.TypeAccept:
		a, _ := wire.ParseAccept(b) // Ours: it has no errors.
		return sight{kind: kindAccept, id: a.Source}
	case wire.TypePacket, wire.TypeFinish:
		return sight{packet: true}
	case wire.TypeRefuse, wire.TypeCall:
	}
	return sight{}
}

// lookInto reads a packet before it was encrypted.
func lookInto(b []byte) sight {
	h, frames, err := wire.ParsePacketHeader(b)
	if err != nil {
		return sight{}
	}
	s := sight{packet: true, number: h.Number}
	ranks := [...]kind{
		wire.FrameClose: kindClose, wire.FrameSource: kindData, wire.FrameRepair: kindRepair, wire.FramePing: kindPing,
		wire.FrameToken: kindOther, wire.FrameChallenge: kindOther, wire.FrameResponse: kindOther,
		wire.FramePiece: kindData, wire.FrameData: kindData,
		wire.FrameReset:    kindPing, // It asks for an answer, too.
		wire.FrameAckMarks: kindOther,
	}
	for len(frames) > 0 {
		f, rest, err := wire.ParseFrame(frames)
		if err != nil {
			return s
		}
		if k := ranks[f.Type]; k != kindOther && (s.kind == kindOther || k < s.kind) {
			s.kind = k
		}
		s.asks, s.piece = s.asks || f.Asks, s.piece || f.Type == wire.FramePiece
		if f.Type == wire.FrameAck || f.Type == wire.FrameAckMarks {
			s.acks, s.ack = true, f.Ack
		}
		if f.Type == wire.FrameChallenge || f.Type == wire.FrameResponse {
			s.challenged, s.response = f.Type == wire.FrameChallenge, f.Type == wire.FrameResponse
			s.challenge = f.Challenge
		}
		// Every segment of the ARQ says how many more its sender takes.
		if f.Type == wire.FrameSource || f.Type == wire.FrameBare || f.Type == wire.FrameData {
			window, ok := arq.Window(f.Symbol)
			s.closed = s.closed || ok && window == 0
		}
		frames = rest
	}
	return s
}
