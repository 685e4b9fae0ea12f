package lab

import "time"

const (
	// idleFlush is the silence after which a message without its end is taken as ended (PROTOCOL.md 2.3): longer
	// than a segment is late, shorter than a person finds slow.
	idleFlush = 150 * time.Millisecond

	// callTimeout is how long a client has to call back. Then its JOIN is refused with error 9, which is to arrive
	// within 5 s of the JOIN (PROTOCOL.md 8).
	callTimeout = 4500 * time.Millisecond

	// requestsPerSecond and requestsBurst bound what one connection may ask, counting every message and unknown
	// line. It is far above what people and test programs do, and below what would keep a server busy. Beyond it
	// requests are refused with error 10 and not carried out.
	requestsPerSecond = 1000
	requestsBurst     = 2000

	// newRoomsBurst and newRoomsPerSecond bound the rooms that did not exist before and that one connection, its callback
	// connections included, may make: so many at once, then one in ten seconds. The server has a place for some thousand
	// rooms and keeps each until another needs it, so that one client could drive out all empty ones by going in and out. It is
	// enough for a client to fill its 64 rooms, leave them all and fill as many others. More are refused with error 10; rooms that
	// exist can be joined all the same.
	newRoomsBurst     = 128
	newRoomsPerSecond = 0.1

	// malformedMax is how many malformed or too long messages in a row a connection may send. The last of them ends it
	// (PROTOCOL.md 5.6).
	malformedMax = 3

	// namesMax is how many clients may be on one connection, callbacks included. One more is refused with error 8.
	namesMax = 64

	// callbacksMax is how many callback connections one connection may have, and callsWaitingMax how many JOINs
	// may wait for one of them. More are refused with error 8.
	callbacksMax    = 8
	callsWaitingMax = 64

	// closeTimeout is how long the engine has for the leave notices of a connection that has ended.
	closeTimeout = 5 * time.Second

	// readBytes is the read buffer of a session: small, since every idle connection has one, and enough for a message or
	// two. readPlainBytes is that for plain datagrams: larger than the largest (1,200 bytes), which must come in one piece.
	readBytes      = 512
	readPlainBytes = 2 << 10

	// panicTextBytesMax is the length at which the text of a panic is cut in the log: it may quote a peer.
	panicTextBytesMax = 300

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)
