package client

import "time"

// Connecting.
const (
	// raceHeadStart is how long the transport tried first is alone. One round trip of reliable UDP fits into it almost
	// everywhere, and who sits behind something that drops UDP waits no longer than that for TCP.
	raceHeadStart = 300 * time.Millisecond

	// connectWait bounds one attempt to connect and log in. Lost datagrams are repeated within milliseconds: who does not
	// answer by then is not there.
	connectWait = 10 * time.Second

	// memoryOfTCP is how long a server that only answered over TCP is tried over TCP first. After it reliable UDP gets its
	// head start back: what dropped it may be a network we have left.
	memoryOfTCP = 10 * time.Minute

	// A lost connection is tried again after a random time up to retryFirst, which doubles with each failure up to
	// retryMost: a server that comes back is found at once, and thousands of clients do not come in the same moment.
	retryFirst = 250 * time.Millisecond
	retryMost  = 15 * time.Second

	// steadyAfter is how long a connection must have lasted for the next loss to begin with retryFirst again: a server
	// that lets us in and drops us at once is not hammered.
	steadyAfter = 5 * time.Second

	// idleTimeout is after what silence of a reliable UDP server, which is probed from half of it on, it is lost.
	idleTimeout = 20 * time.Second

	// bulkWait bounds opening a connection for a file.
	bulkWait = 10 * time.Second
)

// What is kept between runs.
const (
	// counterBlock is how many message numbers are set aside by one write of the State. A program that dies wastes at
	// most that many of 2⁶⁴.
	counterBlock = 256

	// stateBytesMax is the longest state file that is read; ours have some hundred bytes.
	stateBytesMax = 64 << 10
)

// Time.
const (
	// clockSamples is of how many exchanges of times the quickest one is believed.
	clockSamples = 8
)
