package server

import "time"

const (
	sessionsMaxDefault     = 20_000           // Some 500 MB at 24 KB each. More are refused, and a warning says so.
	acceptPerSecondDefault = 50               // A class of students behind one address comes back within seconds.
	acceptBurstDefault     = 200              // All of them at once, after our restart. More are closed unread.
	sniffTimeoutDefault    = 10 * time.Second // A person types the first word; after it the last front-end takes over.

	// handshakeTimeoutDefault is how long TLS handshakes may take: three round trips of a very bad link. After it the
	// connection is closed.
	handshakeTimeoutDefault = 10 * time.Second

	// handshakesMax is how many TLS handshakes may be under way at once, each with at most 64 KiB of what its peer has
	// said. Connections beyond that are closed.
	handshakesMax = 2048

	// Networks. Limiting single addresses would not hinder anybody who has many.
	networkBits4 = 24
	networkBits6 = 56

	// networksMax is how many networks a listener's gate remembers, in about 3 MB. Networks that find no room share one
	// allowance: strangers may then hinder each other, but not those remembered.
	networksMax = 16 << 10

	// sweepInterval is how often the gate forgets networks that have their whole allowance back.
	sweepInterval = time.Minute

	// sweepIntervalFull is the same while there is no room: a sweep looks at all networks, so not for every connection.
	sweepIntervalFull = time.Second

	// Waiting times after Accept failed for want of descriptors or memory, doubling from one to the other. Meanwhile
	// connections wait in the kernel.
	acceptBackoffMin = 5 * time.Millisecond
	acceptBackoffMax = time.Second

	// noticeInterval is how often the same warning (refused, cannot accept) is logged; a count tells of those between.
	noticeInterval = 10 * time.Second

	// endLinesPerSecond and endLinesBurst are how many ended sessions are logged, each in a line of some 200 bytes: a
	// busy server's coming and going, and all members at once when something breaks. Beyond that they are counted.
	endLinesPerSecond = 50
	endLinesBurst     = 2000

	// abortGrace is how long Shutdown waits for sessions after it has cut them off, because its context had ended. They
	// can only be held up by a mistake of a front-end; Shutdown then returns and says how many there are.
	abortGrace = 2 * time.Second

	// errTextBytesMax is the length at which error texts in the log are cut: they may quote a peer.
	errTextBytesMax = 300

	// Keep-alive probes on TCP: a peer that vanished is noticed after two minutes, which is also what middleboxes that
	// forget idle connections usually allow.
	keepAliveIdle     = time.Minute
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 4
)
