// Package handshake makes two strangers agree on a connection (SPEC.md 4).
//
// Both sides are pure machines that get the time and return datagrams. Gate is the server's: it answers a hello
// without a cookie by a cookie and keeps nothing, so that a forged address costs one HMAC and gets fewer bytes
// than it sent. Client is the client's: it repeats its hello at growing gaps, like an urgent message, until the
// server accepts or refuses. Neither may be used by two goroutines at once.
//
// This version does not encrypt: it proves addresses, not identities.
package handshake
