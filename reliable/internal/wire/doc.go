// Package wire is what a datagram of the reliable layer looks like (SPEC.md 2 and 3): bytes to values and back.
//
// It has no state, no clock and does no I/O. Decoded values point into the datagram they were read from and
// are valid as long as it is. Appending never fails; parsing returns an error and never panics, whatever the
// bytes are, and allocates nothing.
//
//	header   1 byte    1vvv pttt   high bit set: never an ASCII letter; version; key phase; type
//	packet   8 bytes   connection ID, chosen by the receiver of the datagram
//	         6 bytes   packet number, rising, never reused
//	         frames until the end of the datagram, sealed
package wire
