package wire

import (
	"encoding/binary"
	"time"
)

// A FrameType says what a frame is.
type FrameType uint8

// Types of frames. Padding fills the rest of the packet.
const (
	FramePadding   FrameType = iota
	FramePing                // asks for an acknowledgement
	FrameSource              // a source symbol of a group; asks for an acknowledgement
	FrameBare                // a symbol outside any group: acknowledgements of the ARQ, which repeat themselves
	FrameRepair              // a repair symbol of a group; asks for an acknowledgement
	FrameAck                 // what arrived of the peer's packets
	FrameClose               // the connection ends
	FrameCrypto              // the end of the client's handshake, in packets of TypeFinish only
	FrameToken               // spares the client a cookie next time
	FrameChallenge           // is somebody of ours at the address this goes to?
	FrameResponse            // yes, with the challenge's data
	FramePiece               // a part of the frames of a packet that was too large for the path
	FrameData                // a symbol outside any group; asks for an acknowledgement
	FrameReset               // a stream is broken off; asks for an acknowledgement
)

// A Frame is one decoded frame; Type says which fields count. Slices point into the packet.
type Frame struct {
	Type FrameType

	Group  uint32        // source, repair: the group's number
	Index  uint8         // source: 0…K-1; repair: 0…R-1
	K, R   uint8         // repair: source and repair symbols of the group
	Age    time.Duration // repair: how much later than the group's first symbol it left; whole ms up to 65 s
	Symbol []byte        // source, bare, repair, data

	Ack Ack // ack

	Stream uint32 // reset: which

	Code uint32 // close, reset: why, as a number
	Text []byte // close: why, for people

	Data []byte // crypto: bytes of TLS; token: the token

	Challenge Challenge // challenge, response

	Piece, Pieces uint8  // piece: which, from 0, of how many
	Part          []byte // piece
}

// A Challenge is what only who got it can answer.
type Challenge [challengeBytes]byte

// An Ack reports which packets arrived.
type Ack struct {
	Largest  uint64        // highest packet number that arrived
	Delay    time.Duration // how long the receiver held it, in steps of 100 µs up to 6.5 s
	Received uint32        // how many different packets arrived so far, modulo 2^32: the loss report
	Bitmap   uint64        // bit i: packet Largest-1-i arrived
}

// Has reports whether the acknowledgement covers packet number n.
func (a Ack) Has(n uint64) bool {
	if n >= a.Largest {
		return n == a.Largest
	}
	d := a.Largest - 1 - n
	return d < 64 && a.Bitmap>>d&1 == 1
}

const ackDelayUnit = 100 * time.Microsecond

// AppendPing appends a ping frame.
func AppendPing(b []byte) []byte { return append(b, byte(FramePing)) }

// AppendSource appends a source symbol of at most SymbolBytesMax bytes.
func AppendSource(b []byte, group uint32, index uint8, symbol []byte) []byte {
	b = append(b, byte(FrameSource))
	b = binary.BigEndian.AppendUint32(b, group)
	b = append(b, index)
	return appendSymbol(b, symbol)
}

// AppendBare appends a symbol outside any group.
func AppendBare(b []byte, symbol []byte) []byte {
	return appendSymbol(append(b, byte(FrameBare)), symbol)
}

// AppendData appends a symbol outside any group that asks for an acknowledgement.
func AppendData(b []byte, symbol []byte) []byte {
	return appendSymbol(append(b, byte(FrameData)), symbol)
}

// AppendReset appends a reset frame.
func AppendReset(b []byte, stream, code uint32) []byte {
	b = append(b, byte(FrameReset))
	b = binary.BigEndian.AppendUint32(b, stream)
	return binary.BigEndian.AppendUint32(b, code)
}

// A Repair is a repair symbol: number Index of R for a group of K, sent Age after the group's first symbol.
type Repair struct {
	Group       uint32
	K, R, Index uint8
	Age         time.Duration
	Symbol      []byte
}

// AppendRepair appends a repair symbol.
func AppendRepair(b []byte, r Repair) []byte {
	b = append(b, byte(FrameRepair))
	b = binary.BigEndian.AppendUint32(b, r.Group)
	b = append(b, r.K, r.R, r.Index)
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(r.Age, 0)/time.Millisecond, 1<<16-1)))
	return appendSymbol(b, r.Symbol)
}

// AppendAck appends an acknowledgement.
func AppendAck(b []byte, a Ack) []byte {
	b = append(b, byte(FrameAck))
	b = appendNumber(b, a.Largest)
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(a.Delay, 0)/ackDelayUnit, 1<<16-1)))
	b = binary.BigEndian.AppendUint32(b, a.Received)
	return binary.BigEndian.AppendUint64(b, a.Bitmap)
}

// AppendClose appends a close frame. Text longer than CloseTextBytesMax is cut.
func AppendClose(b []byte, code uint32, text string) []byte {
	text = text[:min(len(text), CloseTextBytesMax)]
	b = append(b, byte(FrameClose))
	b = binary.BigEndian.AppendUint32(b, code)
	b = append(b, byte(len(text)))
	return append(b, text...)
}

// AppendCrypto appends a crypto frame.
func AppendCrypto(b, data []byte) []byte {
	return appendSymbol(append(b, byte(FrameCrypto)), data)
}

// AppendToken appends a token frame. The token has 1 to CookieBytesMax bytes.
func AppendToken(b, token []byte) []byte {
	return append(append(b, byte(FrameToken), byte(len(token))), token...)
}

// AppendChallenge appends a path challenge.
func AppendChallenge(b []byte, c Challenge) []byte {
	return append(append(b, byte(FrameChallenge)), c[:]...)
}

// AppendResponse appends the answer to a path challenge.
func AppendResponse(b []byte, c Challenge) []byte {
	return append(append(b, byte(FrameResponse)), c[:]...)
}

// AppendPiece appends part number piece, from 0, of so many. It must be the last frame of its packet.
func AppendPiece(b []byte, piece, pieces uint8, part []byte) []byte {
	return appendSymbol(append(b, byte(FramePiece), piece, pieces), part)
}

// AppendPadding appends n bytes, at least 1, that mean nothing.
func AppendPadding(b []byte, n int) []byte {
	for range n {
		b = append(b, byte(FramePadding))
	}
	return b
}

// ParseFrame reads the first frame of b and returns what follows it. Padding comes as one frame that takes the rest.
func ParseFrame(b []byte) (f Frame, rest []byte, err error) {
	if len(b) == 0 {
		return f, nil, ErrTruncated
	}
	f.Type = FrameType(b[0])
	b = b[1:]
	switch f.Type {
	case FramePadding:
		return f, nil, nil
	case FramePing:
		return f, b, nil
	case FrameSource:
		if len(b) < SourceFrameBytes-1 {
			return f, nil, ErrTruncated
		}
		f.Group, f.Index = binary.BigEndian.Uint32(b), b[4]
		f.Symbol, rest, err = parseSymbol(b[5:])
		return f, rest, err
	case FrameBare, FrameData:
		f.Symbol, rest, err = parseSymbol(b)
		return f, rest, err
	case FrameReset:
		if len(b) < ResetFrameBytes-1 {
			return f, nil, ErrTruncated
		}
		f.Stream, f.Code = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		return f, b[ResetFrameBytes-1:], nil
	case FrameRepair:
		if len(b) < RepairFrameBytes-1 {
			return f, nil, ErrTruncated
		}
		f.Group, f.K, f.R, f.Index = binary.BigEndian.Uint32(b), b[4], b[5], b[6]
		f.Age = time.Duration(binary.BigEndian.Uint16(b[7:])) * time.Millisecond
		f.Symbol, rest, err = parseSymbol(b[9:])
		return f, rest, err
	case FrameAck:
		return parseAck(f, b)
	case FrameClose:
		return parseClose(f, b)
	case FrameCrypto:
		f.Data, rest, err = parseSymbol(b)
		return f, rest, err
	case FrameToken:
		return parseToken(f, b)
	case FrameChallenge, FrameResponse:
		if len(b) < challengeBytes {
			return f, nil, ErrTruncated
		}
		return f, b[copy(f.Challenge[:], b):], nil
	case FramePiece:
		return parsePiece(f, b)
	}
	return f, nil, ErrMalformed
}

func parseAck(f Frame, b []byte) (Frame, []byte, error) {
	if len(b) < AckFrameBytes-1 {
		return f, nil, ErrTruncated
	}
	f.Ack = Ack{
		Largest:  parseNumber(b),
		Delay:    time.Duration(binary.BigEndian.Uint16(b[6:])) * ackDelayUnit,
		Received: binary.BigEndian.Uint32(b[8:]),
		Bitmap:   binary.BigEndian.Uint64(b[12:]),
	}
	return f, b[AckFrameBytes-1:], nil
}

func parseClose(f Frame, b []byte) (Frame, []byte, error) {
	if len(b) < 5 {
		return f, nil, ErrTruncated
	}
	f.Code = binary.BigEndian.Uint32(b)
	n := int(b[4])
	if n > CloseTextBytesMax || len(b) < 5+n {
		return f, nil, ErrMalformed
	}
	f.Text = b[5 : 5+n]
	return f, b[5+n:], nil
}

func parseToken(f Frame, b []byte) (Frame, []byte, error) {
	if len(b) < 1 {
		return f, nil, ErrTruncated
	}
	n := int(b[0])
	if n == 0 || n > CookieBytesMax || len(b) < 1+n {
		return f, nil, ErrMalformed
	}
	f.Data = b[1 : 1+n]
	return f, b[1+n:], nil
}

func parsePiece(f Frame, b []byte) (Frame, []byte, error) {
	if len(b) < 2 {
		return f, nil, ErrTruncated
	}
	f.Piece, f.Pieces = b[0], b[1]
	if f.Pieces < 2 || f.Pieces > PiecesMax || f.Piece >= f.Pieces {
		return f, nil, ErrMalformed
	}
	var rest []byte
	var err error
	f.Part, rest, err = parseSymbol(b[2:])
	return f, rest, err
}

func appendSymbol(b, symbol []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(symbol)))
	return append(b, symbol...)
}

// parseSymbol reads a length and that many bytes. An empty symbol is malformed: nothing sends one.
func parseSymbol(b []byte) (symbol, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if n == 0 || n > len(b) {
		return nil, nil, ErrMalformed
	}
	return b[:n], b[n:], nil
}
