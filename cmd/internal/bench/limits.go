package bench

import "time"

const (
	// setupTimeout bounds dialling and joining of one member.
	setupTimeout = 20 * time.Second

	// dialsAtOnce is how many members connect at a time: more would only queue in the server's backlog.
	dialsAtOnce = 64

	// connsPerEndpoint is how many reliable connections share one client socket.
	connsPerEndpoint = 50

	// stallMax is how long no delivery at all may happen before a run is given up.
	stallMax = 15 * time.Second

	// cutOffMax is how long a run waits for the server to cut off members that do not read: it must fill the kernel's
	// buffers first.
	cutOffMax = time.Minute

	// messagesOnWay and bytesOnWay are how much is on its way to the slowest member in the fastest phase: enough to keep
	// everybody busy, and less than a server's outbox holds.
	messagesOnWay = 32
	bytesOnWay    = 256 << 10

	// messagesFlying is how many messages each client has on their way while it says as many as it can: what package client
	// sends without waiting.
	messagesFlying = 128

	// pagesRead and pageMessages are how much history is read.
	pagesRead    = 500
	pageMessages = 50
)
