package plain

// Stats counts what a Listener did. Every datagram that came in is in Delivered, Repeats or one of
// the Dropped fields for incoming datagrams.
type Stats struct {
	Conns    int // open connections
	Unproven int // those of them that are not proven

	Accepted uint64 // connections made, accepted or not yet
	Idle     uint64 // connections ended by silence
	Evicted  uint64 // connections ended to make room

	ReceivedDatagrams uint64
	ReceivedBytes     uint64
	SentDatagrams     uint64 // handed to Send, repeated answers included
	SentBytes         uint64
	Delivered         uint64 // put where Read finds them
	Repeats           uint64 // repeats, whether they were answered or not
	RepeatedAnswers   uint64 // answers sent again

	// Incoming datagrams dropped.
	DroppedEmpty    uint64 // no bytes
	DroppedTooLong  uint64 // more than DatagramBytesMax
	DroppedForged   uint64 // from our own address or from port 0
	DroppedAnswer   uint64 // what servers say; see Config.IsAnswer
	DroppedQueue    uint64 // too many wait to be read on the connection
	DroppedMemory   uint64 // too many bytes wait to be read on all connections
	DroppedConns    uint64 // too many connections, and none to evict
	DroppedBacklog  uint64 // too many connections wait for Accept
	DroppedShutdown uint64 // new source after Close

	// Outgoing datagrams dropped.
	DroppedUnproven  uint64 // more than an unproven source may get
	DroppedOversized uint64 // more than WriteBytesMax
	DroppedSend      uint64 // Send failed
}
