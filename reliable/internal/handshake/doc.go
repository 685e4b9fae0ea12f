// Package handshake makes two strangers agree on a connection and on keys that nobody else has (SPEC.md 4).
//
// It is TLS 1.3 of the standard library, without its records: a Client's hello datagrams carry the TLS client hello, a
// Server's accept datagrams all of the server's part, and the client's Finished message rides in its first packets. What
// comes of it are Keys, which seal packets in both directions and are renewed by count and by time. A Window keeps
// packets from being taken twice.
//
// Gate proves addresses where that is necessary, by cookies and tokens, and keeps nothing about anybody.
//
// All are pure machines that get the time and return bytes; crypto/tls runs a goroutine of its own in a Client or Server,
// which Close ends. None may be used by two goroutines at once, but Identity.
package handshake
