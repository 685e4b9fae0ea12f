package jsonchat

import (
	"encoding/binary"
	"math"
)

// A Form is one of the two headers in use (PROTOCOL.md 1.1).
type Form uint8

const (
	// Long is the header of today: 4 bytes of JSON length, 8 of payload length.
	Long Form = iota
	// Short is the one of the document and of older programs: 4 and 4.
	Short
)

const (
	longHeaderBytes  = 12
	shortHeaderBytes = 8
)

// PayloadMax is the longest payload the form can announce, in bytes.
func (f Form) PayloadMax() int64 {
	if f == Short {
		return math.MaxInt32
	}
	return math.MaxInt64
}

// headerBytes is how long the header is.
func (f Form) headerBytes() int {
	if f == Short {
		return shortHeaderBytes
	}
	return longHeaderBytes
}

// AppendFrame appends a header and the JSON text. payloadBytes is how many bytes the caller writes behind it. Both must
// be within what the form and JSONBytesMax allow; more is the caller's mistake.
func AppendFrame(b []byte, form Form, text []byte, payloadBytes int64) []byte {
	if payloadBytes < 0 || payloadBytes > form.PayloadMax() || len(text) > math.MaxInt32 {
		panic("BUG: jsonchat: a length that the header cannot hold")
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	if form == Short {
		b = binary.LittleEndian.AppendUint32(b, uint32(payloadBytes))
	} else {
		b = binary.LittleEndian.AppendUint64(b, uint64(payloadBytes))
	}
	return append(b, text...)
}

// detect returns the form of the header that b begins with; b has at least shortHeaderBytes+1 bytes. A long header has
// a fifth payload byte where the JSON of a short one begins: '{' there would announce half a terabyte.
func detect(b []byte) Form {
	if b[shortHeaderBytes] == '{' {
		return Short
	}
	return Long
}

// Looks reports whether a stream that begins with prefix can be this protocol's, and whether that is sure
// (PROTOCOL.md 1.2): a length that no text has, and the brace of an object behind either header. Lengths beyond the limits
// are this protocol's to refuse.
func Looks(prefix []byte) (can, sure bool) {
	if len(prefix) < 4 {
		return !isLine(prefix), false
	}
	n := binary.LittleEndian.Uint32(prefix)
	if n < uint32(len("{}")) || n > math.MaxInt32 || isText(prefix[:4]) || isTLS(prefix) {
		return false, false
	}
	if len(prefix) > shortHeaderBytes && prefix[shortHeaderBytes] == '{' {
		return true, true
	}
	if len(prefix) > longHeaderBytes {
		can = prefix[longHeaderBytes] == '{'
		return can, can
	}
	return true, false
}

// isLine reports whether b, of less than four bytes, is a line that nobody who waits for an answer will go on with. The first
// bytes of a length look so if it is of a text of thousands of bytes, and only if the stream is cut behind one of them.
func isLine(b []byte) bool {
	return len(b) > 1 && isText(b) && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r')
}

// isText reports whether b looks like the beginning of a line.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// isTLS reports whether b, of at least four bytes, begins a TLS record with a ClientHello (RFC 8446 5.1), which is short
// enough to be taken for a length.
func isTLS(b []byte) bool {
	return b[0] == 0x16 && b[1] == 3 && 1 <= b[2] && b[2] <= 4 && len(b) > 5 && b[5] == 1
}
