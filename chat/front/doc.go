// Package front says what a protocol front-end is, and picks the right one by the first bytes a peer sends.
//
// A front-end stands between a session and the chat core: it turns what one peer sends into calls of the core, and
// events of the core into what that peer understands. There is one package per protocol below this one.
//
// Sniff lets several front-ends share one port: it shows the first bytes to each in turn until one recognises them,
// then gives them back to the session, so that the front-end reads them as if nobody had looked.
//
// A Front serves many sessions at the same time and must be safe for that; a session has one goroutine, the one in
// Serve. The package keeps nothing between calls and does no I/O of its own.
package front
