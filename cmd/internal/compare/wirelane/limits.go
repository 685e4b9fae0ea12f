package wirelane

import "time"

const (
	// runsPerCore is how many runs of weight 1 a core takes at a time: each wakes up a thousand times a second at most, and
	// is late when others are in the way.
	runsPerCore = 16

	// startWithin bounds what a run takes beyond its job: starting the process, making namespaces, ending it.
	startWithin = 10 * time.Second

	// lateAfter is from when on a packet counts as written late. Delays of links are tens of milliseconds.
	lateAfter = 2 * time.Millisecond

	// packetBytesMax is the largest IP packet.
	packetBytesMax = 65535

	// mtu of both devices, that of the Internet.
	mtu = 1500

	// deviceQueuePackets is how many packets may wait between the kernel and the wire: the wire's own queue is to drop
	// them, not this one.
	deviceQueuePackets = 10_000

	// readsAtOnce is how many packets are taken from one device before the other has its turn and what is due is written.
	readsAtOnce = 64

	// waitMax is the longest the wire sleeps, so that it notices the end of a run.
	waitMax = 50 * time.Millisecond

	// dropsMax bounds the dropped packets that are reported one by one; the counts have all of them.
	dropsMax = 20_000

	// stderrBytesMax bounds what is kept of what a child complained about.
	stderrBytesMax = 16 << 10

	// replyBytesMax bounds one line of a child's reply: a result with every sample of a long run.
	replyBytesMax = 64 << 20
)
