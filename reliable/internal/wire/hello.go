package wire

import "encoding/binary"

// A Hello asks for a connection. It is padded to HelloBytesMin.
type Hello struct {
	Source ConnID    // the ID the client wants to be addressed by
	Nonce  Nonce     // random, the same in every repetition of this hello
	Call   CallNonce // from the CALL that this hello answers; 0: none
	Cookie []byte    // from a retry; empty in the first hello
}

// AppendHello appends h to b.
func AppendHello(b []byte, h Hello) []byte {
	start := len(b)
	b = append(b, firstByte(TypeHello))
	b = binary.BigEndian.AppendUint64(b, uint64(h.Source))
	b = append(b, h.Nonce[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Call))
	b = append(b, byte(len(h.Cookie)))
	b = append(b, h.Cookie...)
	for len(b)-start < HelloBytesMin {
		b = append(b, 0)
	}
	return b
}

// ParseHello reads a hello. What follows the cookie is padding and ignored.
func ParseHello(b []byte) (h Hello, err error) {
	const fixed = 1 + connIDBytes + nonceBytes + callNonceBytes + 1
	if len(b) < HelloBytesMin {
		return h, ErrTruncated
	}
	h.Source = ConnID(binary.BigEndian.Uint64(b[1:]))
	copy(h.Nonce[:], b[1+connIDBytes:])
	h.Call = CallNonce(binary.BigEndian.Uint64(b[1+connIDBytes+nonceBytes:]))
	n := int(b[fixed-1])
	if h.Source == 0 || n > CookieBytesMax || fixed+n > len(b) {
		return h, ErrMalformed
	}
	h.Cookie = b[fixed : fixed+n]
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
	b = append(b, firstByte(TypeRetry))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Dest))
	b = append(b, r.Nonce[:]...)
	b = append(b, byte(len(r.Cookie)))
	return append(b, r.Cookie...)
}

// ParseRetry reads a retry.
func ParseRetry(b []byte) (r Retry, err error) {
	const fixed = 1 + connIDBytes + nonceBytes + 1
	if len(b) < fixed {
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

// An Accept tells the client that the connection exists and by which ID the server wants to be addressed.
type Accept struct {
	Dest   ConnID // Hello.Source
	Source ConnID
	Nonce  Nonce           // Hello.Nonce
	Tag    [SealBytes]byte // seals what stands before it; packet number 0 of the server's direction
}

// AppendAccept appends a to b.
func AppendAccept(b []byte, a Accept) []byte {
	b = append(b, firstByte(TypeAccept))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Dest))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Source))
	b = append(b, a.Nonce[:]...)
	return append(b, a.Tag[:]...)
}

// ParseAccept reads an accept.
func ParseAccept(b []byte) (a Accept, err error) {
	if len(b) != 1+2*connIDBytes+nonceBytes+SealBytes {
		return a, ErrTruncated
	}
	a.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	a.Source = ConnID(binary.BigEndian.Uint64(b[1+connIDBytes:]))
	copy(a.Nonce[:], b[1+2*connIDBytes:])
	copy(a.Tag[:], b[1+2*connIDBytes+nonceBytes:])
	if a.Source == 0 {
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
	b = append(b, firstByte(TypeRefuse))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Dest))
	b = append(b, r.Nonce[:]...)
	return binary.BigEndian.AppendUint32(b, r.Code)
}

// ParseRefuse reads a refuse.
func ParseRefuse(b []byte) (r Refuse, err error) {
	if len(b) != 1+connIDBytes+nonceBytes+4 {
		return r, ErrTruncated
	}
	r.Dest = ConnID(binary.BigEndian.Uint64(b[1:]))
	copy(r.Nonce[:], b[1+connIDBytes:])
	r.Code = binary.BigEndian.Uint32(b[1+connIDBytes+nonceBytes:])
	return r, nil
}

// AppendCall appends a CALL packet: "dial back to the address this came from, with this nonce".
func AppendCall(b []byte, n CallNonce) []byte {
	b = append(b, firstByte(TypeCall))
	return binary.BigEndian.AppendUint64(b, uint64(n))
}

// ParseCall reads a CALL packet.
func ParseCall(b []byte) (CallNonce, error) {
	if len(b) != 1+callNonceBytes {
		return 0, ErrTruncated
	}
	n := CallNonce(binary.BigEndian.Uint64(b[1:]))
	if n == 0 {
		return 0, ErrMalformed
	}
	return n, nil
}
