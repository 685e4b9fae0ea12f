package jetstream

import "time"

const (
	// shardsDefault is how many streams the rooms are spread over unless configured. It is part of how rooms are found, so
	// it never changes for a cluster that has rooms.
	shardsDefault = 8

	// payloadBytesMin is what the servers must take as one message (max_payload; their default).
	payloadBytesMin = 1 << 20

	// messageBytesMax is the largest message, and valueBytesMax the largest record: a payload, less room for headers. Larger
	// ones are refused with chat.ErrTooLarge.
	messageBytesMax = payloadBytesMin - 16<<10
	valueBytesMax   = payloadBytesMin - 16<<10

	// nameBytesMax is the longest room, id, bucket and key: two of them in a subject must fit into a line of the servers'
	// protocol (4 KiB). Longer ones are refused with chat.ErrTooLarge.
	nameBytesMax = 1 << 10

	// blobBytesMax is the largest file unless configured; larger ones are refused with chat.ErrTooLarge. chunkBytes is how
	// large its pieces are.
	blobBytesMax = 4 << 30
	chunkBytes   = 128 << 10

	// forgetBytesMax and forgetAge are how much of all rooms together streams in memory keep, and how long.
	forgetBytesMax = 256 << 20
	forgetAge      = 24 * time.Hour

	// duplicates is the window in which the servers recognise message ids.
	duplicates = 2 * time.Minute

	// attemptTimeout is how long one attempt may take before the next one begins, retryMin and retryMax what lies between.
	attemptTimeout = 3 * time.Second
	retryMin       = 20 * time.Millisecond
	retryMax       = time.Second

	// openTimeout is how long Open tries, and subscribeTimeout Subscribe, which has no ctx.
	openTimeout      = 30 * time.Second
	subscribeTimeout = 10 * time.Second

	// Connections are probed every pingInterval and given up after pingsMax probes without an answer.
	pingInterval = 2 * time.Second
	pingsMax     = 2
	reconnect    = 200 * time.Millisecond

	// feedMessagesMax is how many live messages wait for one shard's feed. Those beyond it are lost to us and read from the
	// stream.
	feedMessagesMax = 16 << 10

	// feedTick is how often a feed looks whether what this node has stored came back, and every pollTicks of them without a
	// message it asks for the last number.
	feedTick  = 250 * time.Millisecond
	pollTicks = 8

	// batchMessages and batchBytes are how much is asked for at a time.
	batchMessages = 512
	batchBytes    = 8 << 20

	// readMessagesMax is how much one Read returns. Callers read on.
	readMessagesMax = 10_000

	// writersMax is of how many pairs of a room and a device we remember the last message; beyond it those that nobody waits
	// for are forgotten and asked for again. recentMax is how many ids of each are recognised without asking.
	writersMax = 20_000
	recentMax  = 8

	// dropsMax is how many messages dropped one by one are remembered, so that a replica that lags does not show them.
	dropsMax = 1_000

	// listParallel is how many records are fetched at the same time.
	listParallel = 32

	// uploadAge is after what time an upload that has not ended is taken for one whose node died.
	uploadAge = 24 * time.Hour
)
