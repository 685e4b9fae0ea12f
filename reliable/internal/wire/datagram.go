package wire

import (
	"encoding/binary"
	"errors"
)

// Version is the version of the format this package speaks.
const Version = 2

// A Type says what a datagram is.
type Type uint8

// Types of datagrams.
const (
	TypePacket Type = iota // frames of an established connection
	TypeHello              // a client asks for a connection
	TypeRetry              // the server's cookie: come back with it
	TypeAccept             // the connection exists
	TypeRefuse             // there will be no connection, and why
	TypeCall               // please dial back to this address
	TypeFinish             // a packet under the keys of the handshake: it carries the end of the client's handshake
)

// A ConnID names a connection to the side that chose it. Zero is never used.
type ConnID uint64

// A Nonce makes a hello unique.
type Nonce [nonceBytes]byte

// A CallNonce ties a hello to the CALL packet that asked for it. Zero: the hello answers no call.
type CallNonce uint64

// Errors of parsing. Each is one reason to drop a datagram.
var (
	ErrNotOurs   = errors.New("wire: not a datagram of this layer")
	ErrVersion   = errors.New("wire: unknown version")
	ErrTruncated = errors.New("wire: truncated")
	ErrMalformed = errors.New("wire: malformed")
)

const (
	highBit     = 0x80
	versionMask = 0x70
	phaseBit    = 0x08
	typeMask    = 0x07
)

func firstByte(t Type) byte { return highBit | Version<<4 | byte(t) }

// IsText reports whether b is not a datagram of this layer but may be plain text: its first byte is an ASCII letter.
func IsText(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	c := b[0] | 0x20
	return b[0] < highBit && 'a' <= c && c <= 'z'
}

// ParseType returns the type of the datagram b.
func ParseType(b []byte) (Type, error) {
	switch {
	case len(b) == 0 || b[0]&highBit == 0:
		return 0, ErrNotOurs
	case b[0]&versionMask != Version<<4:
		return 0, ErrVersion
	case b[0]&typeMask > byte(TypeFinish) || b[0]&phaseBit != 0 && b[0]&typeMask != byte(TypePacket):
		return 0, ErrMalformed
	}
	return Type(b[0] & typeMask), nil
}

// A PacketHeader stands before the frames of a packet.
type PacketHeader struct {
	Type   Type // TypePacket or TypeFinish
	Phase  bool // which of two generations of keys; TypePacket only
	Dest   ConnID
	Number uint64 // 48 bits
}

// AppendPacketHeader appends h to b.
func AppendPacketHeader(b []byte, h PacketHeader) []byte {
	first := firstByte(h.Type)
	if h.Phase {
		first |= phaseBit
	}
	b = append(b, first)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Dest))
	return appendNumber(b, h.Number)
}

// ParsePacketHeader reads the header of a packet, whose type must be one of its two, and returns the sealed frames behind
// it.
func ParsePacketHeader(b []byte) (h PacketHeader, frames []byte, err error) {
	if len(b) < PacketHeaderBytes {
		return h, nil, ErrTruncated
	}
	h.Type, h.Phase = Type(b[0]&typeMask), b[0]&phaseBit != 0
	h.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	h.Number = parseNumber(b[1+connIDBytes:])
	return h, b[PacketHeaderBytes:], nil
}

// appendNumber appends the low 48 bits of n, most significant byte first.
func appendNumber(b []byte, n uint64) []byte {
	return append(b, byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func parseNumber(b []byte) uint64 {
	_ = b[5]
	return uint64(b[0])<<40 | uint64(b[1])<<32 | uint64(b[2])<<24 | uint64(b[3])<<16 | uint64(b[4])<<8 | uint64(b[5])
}

// Dest returns the connection ID that follows the first byte of every datagram but hello and call.
func Dest(b []byte) (ConnID, bool) {
	if len(b) < 1+connIDBytes {
		return 0, false
	}
	return ConnID(binary.BigEndian.Uint64(b[1:])), true
}
