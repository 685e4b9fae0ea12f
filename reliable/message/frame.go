package message

import (
	"encoding/binary"
	"fmt"
)

// FrameBytes returns the length of the frame of a message of n bytes.
func FrameBytes(n int) int { return lengthBytes(n) + n }

// Append appends the frame of message m to b. It panics if m is longer than BytesMax.
func Append(b, m []byte) []byte { return append(appendLength(b, len(m)), m...) }

// Frame makes a frame in place, without a copy: the first HeaderBytesMax bytes of b are room for the length, the rest is
// the message. The frame is the end of b and shares its memory; a length shorter than the room leaves bytes unused
// before it. It panics if there is no room or the message is longer than BytesMax.
func Frame(b []byte) []byte {
	n := len(b) - HeaderBytesMax
	if n < 0 {
		panic(fmt.Sprintf("BUG: message: Frame of %d bytes, which has no room for a length", len(b)))
	}
	start := HeaderBytesMax - lengthBytes(n)
	appendLength(b[:start], n)
	return b[start:]
}

// lengthBytes returns how many bytes the length n takes in its shortest form. It panics if no message may be that long.
func lengthBytes(n int) int {
	switch {
	case n < 0 || n > BytesMax:
		panic(fmt.Sprintf("BUG: message: frame of %d bytes, %d are the most", n, BytesMax))
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	default:
		return 4
	}
}

// appendLength appends the length n to b.
func appendLength(b []byte, n int) []byte {
	switch lengthBytes(n) {
	case 1:
		return append(b, byte(n))
	case 2:
		return binary.BigEndian.AppendUint16(b, 1<<14|uint16(n))
	default:
		return binary.BigEndian.AppendUint32(b, 2<<30|uint32(n))
	}
}

// parseLength returns the length that b begins with and how many bytes it takes: 0 if b does not hold all of it. The
// length may be above BytesMax.
func parseLength(b []byte) (n, used int, err error) {
	if len(b) == 0 {
		return 0, 0, nil
	}
	switch form := b[0] >> 6; {
	case form == 0:
		return int(b[0]), 1, nil
	case form == 1 && len(b) >= 2:
		n, used = int(binary.BigEndian.Uint16(b)&(1<<14-1)), 2
	case form == 2 && len(b) >= 4:
		n, used = int(binary.BigEndian.Uint32(b)&(1<<30-1)), 4
	case form == 3:
		return 0, 0, fmt.Errorf("%w: it has 8 bytes, 4 are the most", ErrLength)
	default:
		return 0, 0, nil
	}
	// RFC 9000 16 allows longer forms than needed, the package comment does not.
	if n <= BytesMax && lengthBytes(n) != used {
		return 0, 0, fmt.Errorf("%w: %d is written in %d bytes, %d are enough", ErrLength, n, used, lengthBytes(n))
	}
	return n, used, nil
}
