package wire

import "encoding/binary"

// A Piece is a part of what one side has to say in the handshake: all of it, if that fits a datagram.
type Piece struct {
	Total  uint16 // bytes of the whole
	Offset uint16 // where Data begins
	Data   []byte
}

func (p Piece) valid() bool { return int(p.Offset)+len(p.Data) <= int(p.Total) }

// A Hello asks for a connection.
type Hello struct {
	Source ConnID    // the ID the client wants to be addressed by
	Nonce  Nonce     // random, the same in every repetition of this hello
	Call   CallNonce // from the CALL that this hello answers; 0: none
	Cookie []byte    // from a retry, or a token; empty in the first hello to a server
	Want   uint16    // how many bytes of the server's answer the client has
	Piece  Piece     // of the TLS client hello
}

// AppendHello appends h to b, padded with zeros to size bytes, at least HelloBytesMin.
func AppendHello(b []byte, h Hello, size int) []byte {
	start := len(b)
	b = append(b, firstByte(TypeHello))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Source))
	b = append(b, h.Nonce[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Call))
	b = binary.BigEndian.AppendUint16(b, h.Want)
	b = binary.BigEndian.AppendUint16(b, h.Piece.Total)
	b = binary.BigEndian.AppendUint16(b, h.Piece.Offset)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.Piece.Data)))
	b = append(b, byte(len(h.Cookie)))
	b = append(b, h.Cookie...)
	b = append(b, h.Piece.Data...)
	for size = max(size, HelloBytesMin); len(b)-start < size-checkBytes; {
		b = append(b, 0)
	}
	return appendCheck(b, start)
}

// ParseHello reads a hello. What follows its data is padding and ignored.
func ParseHello(b []byte) (h Hello, err error) {
	if len(b) < HelloBytesMin {
		return h, ErrTruncated
	}
	b, ok := cutCheck(b)
	if !ok {
		return h, ErrMalformed
	}
	const fixed = HelloBytes - checkBytes
	h.Source = ConnID(binary.BigEndian.Uint64(b[1:]))
	rest := b[1+connIDBytes:]
	copy(h.Nonce[:], rest)
	rest = rest[nonceBytes:]
	h.Call = CallNonce(binary.BigEndian.Uint64(rest))
	rest = rest[callNonceBytes:]
	h.Want = binary.BigEndian.Uint16(rest)
	h.Piece.Total = binary.BigEndian.Uint16(rest[2:])
	h.Piece.Offset = binary.BigEndian.Uint16(rest[4:])
	data, cookie := int(binary.BigEndian.Uint16(rest[6:])), int(b[fixed-1])
	if h.Source == 0 || cookie > CookieBytesMax || fixed+cookie+data > len(b) {
		return h, ErrMalformed
	}
	h.Cookie = b[fixed : fixed+cookie]
	h.Piece.Data = b[fixed+cookie : fixed+cookie+data]
	if !h.Piece.valid() {
		return h, ErrMalformed
	}
	return h, nil
}

// A Retry carries a cookie to the address a hello came from.
type Retry struct {
	Dest   ConnID // Hello.Source
	Nonce  Nonce  // Hello.Nonce: only who saw the hello can answer it
	Cookie []byte
}

// AppendRetry appends r to b.
func AppendRetry(b []byte, r Retry) []byte {
	start := len(b)
	b = append(b, firstByte(TypeRetry))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Dest))
	b = append(b, r.Nonce[:]...)
	b = append(b, byte(len(r.Cookie)))
	b = append(b, r.Cookie...)
	return appendCheck(b, start)
}

// ParseRetry reads a retry.
func ParseRetry(b []byte) (r Retry, err error) {
	const fixed = 1 + connIDBytes + nonceBytes + 1
	b, ok := cutCheck(b)
	if !ok || len(b) < fixed {
		return r, ErrTruncated
	}
	r.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	copy(r.Nonce[:], b[1+connIDBytes:])
	n := int(b[fixed-1])
	if n == 0 || n > CookieBytesMax || fixed+n != len(b) {
		return r, ErrMalformed
	}
	r.Cookie = b[fixed:]
	return r, nil
}

// An Accept is the server's part of the handshake, or a piece of it, and tells by which ID the server wants to be
// addressed.
type Accept struct {
	Dest   ConnID // Hello.Source
	Source ConnID
	Nonce  Nonce // Hello.Nonce
	Piece  Piece
}

// AppendAccept appends a to b.
func AppendAccept(b []byte, a Accept) []byte {
	start := len(b)
	b = append(b, firstByte(TypeAccept))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Dest))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Source))
	b = append(b, a.Nonce[:]...)
	b = binary.BigEndian.AppendUint16(b, a.Piece.Total)
	b = binary.BigEndian.AppendUint16(b, a.Piece.Offset)
	b = append(b, a.Piece.Data...)
	return appendCheck(b, start)
}

// ParseAccept reads an accept.
func ParseAccept(b []byte) (a Accept, err error) {
	const fixed = AcceptBytes - checkBytes
	b, ok := cutCheck(b)
	if !ok || len(b) < fixed {
		return a, ErrTruncated
	}
	a.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	a.Source = ConnID(binary.BigEndian.Uint64(b[1+connIDBytes:]))
	copy(a.Nonce[:], b[1+2*connIDBytes:])
	a.Piece.Total = binary.BigEndian.Uint16(b[fixed-4:])
	a.Piece.Offset = binary.BigEndian.Uint16(b[fixed-2:])
	a.Piece.Data = b[fixed:]
	if a.Source == 0 || !a.Piece.valid() {
		return a, ErrMalformed
	}
	return a, nil
}

// A Refuse tells the client why there is no connection.
type Refuse struct {
	Dest  ConnID
	Nonce Nonce
	Code  uint32
}

// AppendRefuse appends r to b.
func AppendRefuse(b []byte, r Refuse) []byte {
	start := len(b)
	b = append(b, firstByte(TypeRefuse))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Dest))
	b = append(b, r.Nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, r.Code)
	return appendCheck(b, start)
}

// ParseRefuse reads a refuse.
func ParseRefuse(b []byte) (r Refuse, err error) {
	b, ok := cutCheck(b)
	if !ok || len(b) != 1+connIDBytes+nonceBytes+4 {
		return r, ErrTruncated
	}
	r.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	copy(r.Nonce[:], b[1+connIDBytes:])
	r.Code = binary.BigEndian.Uint32(b[1+connIDBytes+nonceBytes:])
	return r, nil
}
