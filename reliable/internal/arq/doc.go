// Package arq makes a byte stream of symbols that may be lost, repeated or reordered (SPEC.md 6).
//
// It is KCP's state machine (github.com/xtaci/kcp-go, the core only, in stream mode with the no-delay profile) behind
// a few methods, and the guard in front of it: the core believes whatever it is handed, so Input refuses every
// segment that a correct peer cannot have sent. It sends when something is handed to Send and when a timer of its
// own is due, never on a ticker; a stream with nothing in flight needs no timer, and may be put to Sleep, which takes it
// to some 200 bytes.
//
// The core reads the clock of package time itself, so tests of this package and all above it run in bubbles of
// testing/synctest. A Stream belongs to one goroutine.
package arq
