package netem

import "time"

// Limits of a link.
const (
	// headerBytes is what IPv4 and UDP add to a payload. The bottleneck and the MTU count it, because the
	// wire does; IPv6 would add 20 more, which no result depends on. Packets given to PushIP have theirs.
	headerBytes = 28

	// inFlightPacketsMax and inFlightBytesMax bound what one link keeps. A link without a rate would
	// otherwise keep whatever a busy sender pushes during its delay. What comes on top is dropped as
	// DroppedFull.
	inFlightPacketsMax = 1 << 16
	inFlightBytesMax   = 64 << 20

	// queueBytesMin is the smallest drop-tail queue, two full packets: one bandwidth-delay product of a
	// short or slow line would not hold one, and such a queue passes nothing but singles.
	queueBytesMin = 2 * 1500

	// eventsMax bounds the events of one Params, because every packet asks each of them.
	eventsMax = 64

	// momentsMax bounds the recorded packets of one direction: an hour of 50 packets a second.
	momentsMax = 200_000

	// holdsMax bounds how many holds that follow each other at once keep the same packet, so that events
	// which together cover all time release it at last.
	holdsMax = 64

	// BurstMeanMin is the shortest mean of bursts. It and stepMin bound how often a chain or a rate changes: its history is
	// walked step by step when time passes.
	BurstMeanMin = 10 * time.Microsecond
	stepMin      = time.Millisecond

	// rateMin is the slowest line in bits per second. Slower ones would make one packet last for minutes.
	rateMin = 1000

	// verdictsMax bounds the verdicts a Path records; later ones are not kept.
	verdictsMax = 1 << 20
)

// Limits of a network in memory.
const (
	// datagramBytesMax is the largest UDP payload over IPv4; WriteTo refuses more, as a kernel does.
	datagramBytesMax = 65507

	// receiveBytesDefault bounds what waits in a socket for its reader, in payload bytes plus headers;
	// SetReadBuffer changes it. What does not fit is dropped and counted, as a kernel does.
	receiveBytesDefault = 1 << 20

	// ephemeralPortFirst is where ListenPacket starts to look when it is asked for port 0 (RFC 6335).
	ephemeralPortFirst = 49152
)

// Limits of the proxy.
const (
	// clientsMax bounds the client sources a proxy serves at a time, because each has a socket and a
	// goroutine. Datagrams from more sources are refused and counted.
	clientsMax = 1024

	// clientIdleAfter is how long a client may be silent in both directions before its socket is closed.
	// It is longer than any keep-alive and any NAT's memory.
	clientIdleAfter = 10 * time.Minute

	// expireEvery is how often the proxy looks for idle clients.
	expireEvery = 30 * time.Second

	// socketErrorsMax is how many errors in a row, without one datagram between them, a socket may give
	// before the proxy stops reading it. Single ones are normal: a closed port answers each datagram with one.
	socketErrorsMax = 1000

	// recordsMax bounds the verdicts that wait to be written down; more are dropped and counted.
	recordsMax = 1 << 16

	// socketBufferBytes is asked of the kernel for every socket of the proxy, so that loss comes from the
	// link and not from the kernel. What the kernel grants instead is fine too.
	socketBufferBytes = 4 << 20
)
