package compare

import "time"

const (
	// leadDefault is before the first message: every transport has shaken hands by then unless it lost several packets.
	leadDefault = time.Second

	// waitDefault is how long after the last message is waited for what is still missing. It is reported as undelivered then.
	waitDefault = 10 * time.Second

	// fileDefault is how long a file is sent.
	fileDefault = 20 * time.Second

	// besideDefault is how long two share a link, and besideSettle how long of that they have to find their rates before it
	// counts.
	besideDefault = 30 * time.Second
	besideSettle  = 5 * time.Second

	// messagesVirtual and messagesWire are the messages of a run.
	messagesVirtual = 1000
	messagesWire    = 300

	// messagesCold is how many connections a run of the workload connect makes.
	messagesCold = 100

	// connectMax bounds one handshake. TCP and QUIC try for that long at 30 % loss.
	connectMax = 60 * time.Second

	// cutOffAfter is how long a run may take beyond what it should before it is killed.
	cutOffAfter = 5 * time.Second

	// fileWeight is how many chats a file is worth to the machine: thousands of packets a second instead of ten.
	fileWeight = 8

	// chunkBytes is how much of a file is written at once.
	chunkBytes = 16 << 10

	// dropsMax bounds the losses a result names; later ones are only counted.
	dropsMax = 20_000

	// runWallMax is how long one run on virtual time may take by the clock on the wall. It takes milliseconds; what takes
	// longer hangs.
	runWallMax = 2 * time.Minute

	// connectionsPerCore is how many connections may run in real time at once: more would disturb each other.
	connectionsPerCore = 16

	// fileBytesMax bounds a file of figures that is read. A large comparison writes 20 MB.
	fileBytesMax = 512 << 20

	// headerBytes is what IPv4 and UDP add to a datagram.
	headerBytes = 28

	// receiveBytes is the receive buffer of a socket in memory: large, so that losses are the link's.
	receiveBytes = 4 << 20
)
