package reliable

import (
	"time"

	"udpchat/reliable/internal/wire"
)

// Limits of one connection. What a peer can make us hold is bounded by their sum: about 3 MiB when every queue is full,
// some kilobytes when it is idle. Further streams come on top, see streamsMax.
const (
	// windowSegments is how many segments are in flight, and how many wait for order or the reader, at most. At 100 ms
	// RTT it carries 2.8 MB/s. The peer stops sending when it is reached.
	windowSegments = 256

	// expressWindowSegments and bulkWindowSegments are the same for other streams. A bulk stream needs some three round trips'
	// worth on a link with loss, since a segment that is lost twice holds up all behind it: at 100 ms it carries 3 MB/s
	// without loss and 20 Mbit/s with 10 %.
	expressWindowSegments = 64
	bulkWindowSegments    = 1024

	// sendBufferBytes is how much is taken ahead of the network, once by Conn.Write, which then blocks, and once by the
	// machine below it.
	sendBufferBytes = 64 << 10

	// recvBufferBytes is how much is kept for Read before the window closes.
	recvBufferBytes = 256 << 10

	// lastWordsMax is how many ended streams of a connection are remembered, to tell a peer that missed the end; what comes
	// for one that is forgotten is answered by a reset.
	lastWordsMax = 128

	// resetsMax is how many resets wait for their acknowledgement; the oldest is forgotten. Only a peer that goes on opening
	// streams that are refused, and acknowledges nothing, can have so many.
	resetsMax = 256

	// inboxDatagrams is how many datagrams wait for a connection's turn; more are dropped and counted.
	inboxDatagrams = 256

	// strangerDatagrams is how many of them may be from other addresses than the peer's: a client that has moved, or
	// somebody who has seen the connection's ID and cannot forge the address. More are dropped.
	strangerDatagrams = 64

	// tokenTriesMax is how many packets carry a token that is not acknowledged.
	tokenTriesMax = 4

	// sentPacketsMax is how many packets are remembered until they are acknowledged. The oldest are forgotten: a packet
	// that 64 later ones overtook cannot be acknowledged any more.
	sentPacketsMax = 2048

	// repairGroupsMax and repairBytesMax bound the groups that have repair symbols to send; the oldest loses them. On a
	// link of a millisecond several windows leave within the 150 ms in which their repair symbols do.
	repairGroupsMax = 256
	repairBytesMax  = 512 << 10

	// packetsMax ends a connection before its 48-bit packet numbers run out.
	packetsMax = 1<<48 - 1<<16
)

// streamsMax is how many streams of a lane each side may have opened at once; opening more is an error. A peer that
// allows fewer (Config.Streams) refuses them. Where all are open and nobody reads, those of one side hold 12 MiB in their windows,
// 24 if the peer sends another window while the first is full, and recvBufferBytes each besides: at most some 41 MiB, and with those
// of the other side 82.
var streamsMax = [lanes]int{Express: 64, Bulk: 4}

// Limits of following a client to another address.
const (
	// routesMax is how many ways to a client are known beside the proven one; the oldest is forgotten.
	routesMax = 4

	// unprovenFactor is how many times the bytes that came from an address may go there before it is proven (RFC 9000, 8.1).
	unprovenFactor = 3

	// pathChecksMax is how many addresses are checked in a row, and pathCheckEvery when one more may be. More do not move
	// the connection, but their packets count.
	pathChecksMax  = 8
	pathCheckEvery = time.Second

	// pathCheckLife is how long an address has to answer.
	pathCheckLife = 5 * time.Second

	// oldPathLife is how long the address before may become the current one again without a check.
	oldPathLife = 10 * time.Second

	// challengeBytes is a packet with a challenge and an acknowledgement: less than three times the shortest ping.
	challengeBytes = wire.PacketHeaderBytes + wire.AckFrameBytes + wire.ChallengeFrameBytes + wire.SealBytes
)

// Limits of the search for larger datagrams, and of noticing that they are too large.
const (
	// mtuSlack is by how much a datagram with a full symbol may fall short of the largest size: it has no acknowledgement.
	mtuSlack = 40

	// mtuTries is how many probes of a size must get lost; mtuProbeLife is after what time one is forgotten of which nothing
	// is known.
	mtuTries     = 3
	mtuProbeLife = time.Second

	// mtuRaise is after what time sizes are tried again that did not arrive (RFC 8899, 5.1.1); after a black hole it is
	// holeAgain first, twice that after the next, and so on.
	mtuRaise  = 10 * time.Minute
	holeAgain = 30 * time.Second

	// holeLosses large datagrams must be lost in a row, over at least holeSpan, of them holeAfter after a small one that
	// arrived, and holeSmall acknowledgements of small ones come. Random loss, bursts and outages make no difference between
	// large and small.
	holeLosses = 8
	holeAfter  = 4
	holeSmall  = 2
	holeSpan   = 250 * time.Millisecond

	// Of holeFew lost in a row and more it is also certain when chance would do that with a probability of holeChance at most,
	// if large ones were lost as often as the small ones of the same time.
	holeFew    = 4
	holeChance = 1e-3

	// holeAskMin is how long large datagrams wait for any acknowledgement, at least, before a ping asks whether small ones
	// arrive; holeAsksMax is how many do. A dead way is asked by the usual probes.
	holeAskMin  = 150 * time.Millisecond
	holeAsksMax = 6

	// assembliesMax is how many packets may have pieces missing; the oldest is forgotten.
	assembliesMax = 16
)

// Limits of a client's questions to a server that has fallen silent.
const (
	// quietGaps is after how many times the usual gap between packets a silence is one; quietMin and quietMax bound it.
	// Where packets are rarer nothing is asked. quietSamples is over about how many gaps the average goes.
	quietGaps    = 3
	quietMin     = 100 * time.Millisecond
	quietMax     = 3 * time.Second
	quietSamples = 8

	// quietAgain is the pause between questions; after quietTries of them it doubles up to quietMax.
	quietAgain = 200 * time.Millisecond
	quietTries = 20
)

// Limits of an endpoint.
const (
	// workersMax is how many goroutines run the turns of an endpoint's connections, where GOMAXPROCS is not less: more
	// would only fight for the queue. What they do not get done waits, first in the sockets' and then in their inboxes.
	workersMax = 32

	// arrivalsMax is how many messages are read with one system call, while that many come, and arrivalBytes how long one
	// may be: the kernel joins datagrams of one peer. An endpoint to which nothing comes holds the memory of one.
	arrivalsMax  = 16
	arrivalBytes = 64 << 10

	// farAway is how far a time must be away to be rounded up to the next multiple of farGrain.
	farAway  = 15 * time.Second
	farGrain = 50 * time.Millisecond

	// readDatagramsMax is how many datagrams of those are handed on at a time, so that connections do not run over.
	readDatagramsMax = 64

	// batchDatagrams and batchBytes are how much a worker collects to send it with one system call, and batchWait how long it does
	// if it does not run out of work before.
	batchDatagrams = 64
	batchBytes     = 64 << 10
	batchWait      = time.Millisecond

	// cutBytesMax is how much the system is given to cut it into datagrams: what it takes, and no more than a queue on the way
	// may get at once.
	cutBytesMax = 63 << 10

	// ancillaryBytes is room for what the kernel tells of a datagram: local address and mark, of either family.
	ancillaryBytes = 128

	// controlsMax is how many control messages are kept to be used again, one for each of our own addresses and mark. Then all
	// are made anew.
	controlsMax = 64

	// readBytes is the size of the buffer a datagram is read into; a longer one is cut and then refused as too long.
	readBytes = 2048

	// halfOpenMax is how many clients may be between hello and Finished before newcomers have to prove their address. Each
	// costs some 25 KB and one signature. A client is there for one round trip.
	halfOpenMax = 64

	// halfOpenProvenMax is how many there may be with those who have proven it; more are refused.
	halfOpenProvenMax = 1024

	// tokensMax is how many servers' tokens an endpoint keeps; any one is forgotten for the next.
	tokensMax = 1024

	// timeWaitMax is how many ended connections are remembered to answer latecomers; the oldest is forgotten.
	timeWaitMax = 4096

	// timeWait is how long: twice the life of a cookie, so that no replayed hello makes a ghost.
	timeWait = 30 * time.Second

	// resetsPerSecond is how many packets of connections that nobody knows are answered, resetsBurst how many at once after
	// a silence; others are dropped, and the client asks again. 10,000 clients of a server that was started again hear of it within
	// 5 s, about as fast as it can make handshakes. What junk with a forged source has us send there is 94 kB/s at most.
	resetsPerSecond = 2000
	resetsBurst     = 1000

	// resetFillMax is by how many bytes a stateless reset may be longer than the shortest packet.
	resetFillMax = 16

	// callsMax is how many calls may be under way; more fail at once.
	callsMax = 1024

	// callsPerHostMax is how many of them may go to one host, and how many one host may have asked for: a host that
	// wants none gets some 40 small packets a second at most, and nobody can have all calls. More fail at once.
	callsPerHostMax = 64

	// candidatesMax is at how many addresses a peer is looked for: those it has, those its NATs have, and those from which it
	// is heard. Others are left out.
	candidatesMax = 16

	// candidatesOwnMax is how many addresses of its own an endpoint names. Others are left out.
	candidatesOwnMax = 8

	// meetingsMax is how many meetings an endpoint may be at; one more fails.
	meetingsMax = 16

	// meetHellosMax is how many connections hellos of one meeting may begin, and how often one address is dialled for it: who has
	// read the nonce on the way must not make more of them. More are refused.
	meetHellosMax = 16
	meetTriesMax  = 3

	// meetTryTimeout is how long one address may take to answer, which it does at once if it does at all. Then others are tried.
	meetTryTimeout = 3 * time.Second

	// finishBytesMax is how long the end of a client's handshake may be, with its certificate: it must fit one datagram of
	// 1,200 bytes. A longer one ends the handshake.
	finishBytesMax = 1100

	// socketBufferBytes is what we ask the kernel to keep for us each way.
	socketBufferBytes = 4 << 20

	// callQueue is how many CALL packets wait for AwaitCall; more are dropped.
	callQueue = 4
)

// callGaps are the pauses between the CALL packets of one call: at most three go to an address that may not want any.
var callGaps = [...]time.Duration{200 * time.Millisecond, 800 * time.Millisecond}

// Time limits of handshakes, liveness and closing.
const (
	// halfOpenLife is how long a server waits for the end of a client's handshake after its latest hello: 16 tries at
	// worst. A client that repeats its hello has not had our answer, whenever it began.
	halfOpenLife = 5 * time.Second

	// silenceMax is how long a peer may say nothing at all while something waits for its acknowledgement. It outlives the
	// outages of trains and tunnels.
	silenceMax = 20 * time.Second

	// idleState is how long nothing may move on a connection until it gives up what only traffic needs. Of what was on
	// its way then, nothing is any more.
	idleState = 10 * time.Second

	// waitingSilence is how long it may say nothing while something waits before it is probed.
	waitingSilence = 2 * time.Second

	// probeGap is the pause between probes of a silent peer. A living one answers the first that arrives, so that even at
	// 60 % loss both ways hardly any is taken for dead.
	probeGap = 500 * time.Millisecond

	// resetGap is the shortest pause between repetitions of a reset that is not acknowledged.
	resetGap = 100 * time.Millisecond

	// rtoMin and rtoMax bound the age up to which a lost symbol is rebuilt.
	rtoMin = 100 * time.Millisecond
	rtoMax = time.Second
)

// closeGaps are the pauses between repetitions of a close frame that nobody answers. After the last the peer is left to
// its own timeout.
var closeGaps = [...]time.Duration{
	30 * time.Millisecond, 70 * time.Millisecond, 150 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, 500 * time.Millisecond,
}
