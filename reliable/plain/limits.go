package plain

import "time"

const (
	// DatagramBytesMax is the longest datagram that reaches Read; longer ones are answered with
	// Config.TooLong. It is what surely fits through any network without fragments.
	DatagramBytesMax = 1200

	// WriteBytesMax is the longest datagram Write sends: what UDP over IPv4 can carry. Longer ones
	// are dropped and counted. Above DatagramBytesMax the network may have to fragment.
	WriteBytesMax = 65507

	// RepeatWindow is how long after a datagram an identical one is taken for a repeat. Repeats do
	// not prolong it, so a client that says the same thing every 900 ms is heard every other time
	// at least.
	RepeatWindow = time.Second

	// AnswersMax and AnswerBytesMax bound the answers kept for a repeat. Answers beyond are sent
	// once and not again.
	AnswersMax     = 8
	AnswerBytesMax = 8 << 10

	// AmplificationMax is how many times the bytes that came from an unproven source are sent to it
	// (as in RFC 9000 8). What is beyond is dropped and counted.
	AmplificationMax = 3

	// UnprovenBytes and UnprovenBytesPerSecond bound what is sent to an unproven source however much comes
	// from it: so much at once, so much in the long run since it was first heard. It is plenty for
	// who comes to join, which proves it, and little for a program that answers whatever it gets (an
	// echo, a quote of the day) and in whose name somebody sent us one datagram.
	UnprovenBytes          = 64 << 10
	UnprovenBytesPerSecond = 2 << 10

	// IdleTimeoutDefault is how long a source may be silent before it has left.
	IdleTimeoutDefault = 5 * time.Minute

	// ConnsMaxDefault bounds the connections. When it is reached an unproven one is evicted; when
	// there is none, new sources are refused.
	ConnsMaxDefault = 4096

	// UnprovenMaxDefault bounds the connections that are not proven, so that forged sources cannot
	// make more sessions than this. When it is reached the one longest silent is evicted.
	UnprovenMaxDefault = 1024

	// backlogMax bounds the connections nobody has accepted yet. When it is reached new sources are
	// refused.
	backlogMax = 128

	// queueMax bounds the datagrams of one connection that wait to be read. When it is reached new
	// ones are dropped; the client's repeat is then no repeat.
	queueMax = 32

	// queuedBytesMax bounds the bytes that wait to be read on all connections together. When it is
	// reached new datagrams are dropped.
	queuedBytesMax = 8 << 20
)
