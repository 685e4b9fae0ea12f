package wire

import "encoding/binary"

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
