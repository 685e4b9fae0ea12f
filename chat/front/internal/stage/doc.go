// Package stage is where tests of text protocols play conversations: a server in a synctest bubble, with a real hub and
// engine and any front-ends, and clients that are connections in memory: streams, reliable UDP or plain datagrams, both of
// which can be called back. It is imported by tests only.
//
// Transcripts plays files that hold all that clients send and all that the server sends to each of them; a World is the
// same for tests that are written in Go.
package stage
