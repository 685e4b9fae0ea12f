package wire

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Datagrams of the handshake end with a check: whoever sees them can make one, but a damaged datagram must not spoil a
// handshake, and UDP's own checksum misses too much (SPEC.md 2).

// appendCheck appends the check of what b holds from start on.
func appendCheck(b []byte, start int) []byte {
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:checkBytes]...)
}

// cutCheck cuts the check off and reports whether it is right. What it returns is never empty.
func cutCheck(b []byte) (body []byte, ok bool) {
	cut := len(b) - checkBytes
	if cut < 1 {
		return nil, false
	}
	sum := sha256.Sum256(b[:cut])
	return b[:cut], subtle.ConstantTimeCompare(sum[:checkBytes], b[cut:]) == 1
}
