package lab

import "time"

const (
	// eventsMax is the capacity of the Events channel. When it is full, reading from the server stops until the
	// program takes an event.
	eventsMax = 256

	// unreturnedMax bounds the own messages of which the server has not sent our copy yet. Say waits when it is
	// reached: a script that sends faster than the link carries is slowed to the speed of the link.
	unreturnedMax = 256

	// unreturnedWait is how long Say waits at unreturnedMax before it gives up: a server that returns nothing for so
	// long is not going to.
	unreturnedWait = 10 * time.Second

	// writeWait bounds one write to a stream. A server that accepts nothing for so long is lost.
	writeWait = 10 * time.Second

	// namesMax bounds the names of rooms kept after leaving them (notices arrive later). Beyond it those of rooms we
	// are not in are forgotten; events of such rooms carry the reference only.
	namesMax = 4096

	// callTriesMax is how many calls from the server may fail before we stop answering. The server reports the
	// failure to the JOIN that wanted the call.
	callTriesMax = 3

	// readBytes is the buffer of one reader.
	readBytes = 4 << 10
)

// Plain datagrams.
const (
	// datagramBytesMax is the largest request sent as a plain datagram; servers refuse longer ones, and they would
	// not fit every path. Say fails with ErrTooLong.
	datagramBytesMax = 1200

	// datagramReadBytes holds any datagram UDP can carry.
	datagramReadBytes = 64 << 10

	// A server takes a datagram identical to the previous one for a repeat if it comes within repeatWindow. Requests
	// are therefore sent sendsMax times, repeatEvery apart, the last one well inside the window; answerWait after the
	// first one they fail. At 20 % loss each way that is two in a thousand.
	repeatWindow = time.Second
	repeatEvery  = 150 * time.Millisecond
	sendsMax     = 6
	answerWait   = 1500 * time.Millisecond

	// surplusMax bounds the answered requests whose further answers (to the repeats) are dropped instead of shown
	// twice. When it is reached the oldest is forgotten.
	surplusMax = 16

	// aliveEvery is how long a plain client is silent at most: servers drop one after 5 minutes. aliveFailuresMax
	// unanswered signs of life in a row mean that the server is gone.
	aliveEvery       = 2 * time.Minute
	aliveFailuresMax = 2

	// heloPadBytes makes our HELO so long that its answer is less than three times as long: a server sends no more
	// than that to an address that has proved nothing.
	heloPadBytes = 80
)
