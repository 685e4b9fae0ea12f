package wire

import (
	"encoding/binary"
	"math/bits"
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

// FrameAckMarks is an acknowledgement that also tells how many packets came with marks.
const FrameAckMarks FrameType = 15

var frameNames = [...]string{
	"padding", "ping", "source", "bare", "repair", "ack", "close", "crypto", "token", "challenge", "response", "piece",
	"data", "reset", 15: "ack_marks",
}

// String returns the type's name.
func (t FrameType) String() string {
	if int(t) < len(frameNames) && frameNames[t] != "" {
		return frameNames[t]
	}
	return "unknown"
}

// A Frame is one decoded frame; Type says which fields count. Slices point into the packet.
type Frame struct {
	Type FrameType

	Group  uint32        // source, repair: the low GroupBits of the group's number
	Index  uint8         // source: 0…K-1; repair: from 0
	K      uint8         // repair: source symbols of the group
	Asks   bool          // repair: wants an acknowledgement even if it brings nothing new
	Age    time.Duration // repair: how much later than the group's first symbol it left; whole ms up to 65 s
	Symbol []byte        // source, bare, repair, data

	Ack   Ack   // ack, ack with marks
	Marks Marks // ack with marks

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
	Largest uint64        // highest packet number that arrived; when just parsed, the low PacketBits of it
	Delay   time.Duration // how long the receiver held it, in steps of 100 µs up to 6.5 s
	Lost    uint16        // how many up to Largest did not arrive, modulo 2^16: the loss report
	Bitmap  uint64        // bit i: packet Largest-1-i arrived
}

// Marks are how many packets came with marks (RFC 3168) since the connection began, modulo 2^16.
type Marks struct {
	ECT0 uint16 // ECT(0): the way bears marks
	CE   uint16 // a router has a queue that is too long
}

// Has reports whether the acknowledgement covers packet number n.
func (a Ack) Has(n uint64) bool {
	if n >= a.Largest || n == 0 {
		return n == a.Largest
	}
	d := a.Largest - 1 - n
	return d < 64 && a.Bitmap>>d&1 == 1
}

const ackDelayUnit = 100 * time.Microsecond

// Numbers that rise travel as their low bits. The receiver knows about where the sender is, and takes the number next to that.
const (
	// GroupBits: half of them is more groups than leave before a peer that hears nothing is given up.
	GroupBits = 19
	// PacketBits is the same for packets.
	PacketBits = 24
)

// NearGroup returns the number of the group of which low are the low GroupBits, next to one that is known.
func NearGroup(known, low uint32) uint32 {
	const rest = 32 - GroupBits
	return known + uint32(int32((low-known)<<rest)>>rest)
}

// Near completes a parsed acknowledgement by the number of the last packet sent.
func (a Ack) Near(sent uint64) Ack {
	const rest = 64 - PacketBits
	a.Largest = sent + uint64(int64((a.Largest-sent)<<rest)>>rest)
	return a
}

// AppendPing appends a ping frame.
func AppendPing(b []byte) []byte { return append(b, byte(FramePing)) }

// AppendSource appends a source symbol of at most SymbolBytesMax bytes.
func AppendSource(b []byte, group uint32, index uint8, symbol []byte) []byte {
	b = append(b, byte(FrameSource))
	return appendSymbol(append24(b, group<<indexBits|uint32(index)), symbol)
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

// A source symbol's group and index are three bytes, so are a repair symbol's, with a bit for Asks.
const (
	indexBits  = 24 - GroupBits
	indexMax   = 1<<indexBits - 1
	repairAsks = 1 << (indexBits - 1)
)

// A Repair is repair symbol Index of a group of K, sent Age after the group's first symbol. Index is at most 15.
type Repair struct {
	Group    uint32
	K, Index uint8
	Asks     bool
	Age      time.Duration
	Symbol   []byte
}

// AppendRepair appends a repair symbol.
func AppendRepair(b []byte, r Repair) []byte {
	b = append(b, byte(FrameRepair))
	low := uint32(r.Index)
	if r.Asks {
		low |= repairAsks
	}
	b = append(append24(b, r.Group<<indexBits|low), r.K)
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(r.Age, 0)/time.Millisecond, 1<<16-1)))
	return appendSymbol(b, r.Symbol)
}

// AppendAck appends an acknowledgement.
func AppendAck(b []byte, a Ack) []byte { return appendAck(append(b, byte(FrameAck)), a) }

// AppendAckMarks appends an acknowledgement with marks.
func AppendAckMarks(b []byte, a Ack, m Marks) []byte {
	b = append(b, byte(FrameAckMarks))
	b = binary.BigEndian.AppendUint16(b, m.ECT0)
	b = binary.BigEndian.AppendUint16(b, m.CE)
	return appendAck(b, a)
}

func appendAck(b []byte, a Ack) []byte {
	b = append24(b, uint32(a.Largest))
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(a.Delay, 0)/ackDelayUnit, 1<<16-1)))
	b = binary.BigEndian.AppendUint16(b, a.Lost)
	bitmap := a.Bitmap
	n := (bits.Len64(^bitmap) + 7) / 8 // Bytes that are all ones at the end stay away.
	b = append(b, byte(n))
	for range n {
		b = append(b, byte(bitmap))
		bitmap >>= 8
	}
	return b
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
		f.Group, f.Index = parse24(b)>>indexBits, b[2]&indexMax
		f.Symbol, rest, err = parseSymbol(b[3:])
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
		f.Group, f.Index, f.K = parse24(b)>>indexBits, b[2]&(repairAsks-1), b[3]
		f.Asks = b[2]&repairAsks != 0
		f.Age = time.Duration(binary.BigEndian.Uint16(b[4:])) * time.Millisecond
		f.Symbol, rest, err = parseSymbol(b[6:])
		return f, rest, err
	case FrameAck:
		return parseAck(f, b)
	case FrameAckMarks:
		if len(b) < AckMarksBytes {
			return f, nil, ErrTruncated
		}
		f.Marks = Marks{ECT0: binary.BigEndian.Uint16(b), CE: binary.BigEndian.Uint16(b[2:])}
		return parseAck(f, b[AckMarksBytes:])
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
	const fixed = 3 + 2 + 2 + 1
	if len(b) < fixed {
		return f, nil, ErrTruncated
	}
	f.Ack = Ack{
		Largest: uint64(parse24(b)),
		Delay:   time.Duration(binary.BigEndian.Uint16(b[3:])) * ackDelayUnit,
		Lost:    binary.BigEndian.Uint16(b[5:]),
		Bitmap:  ^uint64(0),
	}
	n := int(b[7])
	b = b[fixed:]
	switch {
	case n > 8:
		return f, nil, ErrMalformed
	case len(b) < n:
		return f, nil, ErrTruncated
	case n > 0 && b[n-1] == 0xff:
		return f, nil, ErrMalformed
	}
	for i, c := range b[:n] {
		f.Ack.Bitmap &^= uint64(^c) << (8 * i)
	}
	return f, b[n:], nil
}

// append24 appends the low 24 bits of n, most significant byte first.
func append24(b []byte, n uint32) []byte { return append(b, byte(n>>16), byte(n>>8), byte(n)) }

func parse24(b []byte) uint32 {
	_ = b[2]
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
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
