package message

const (
	// BytesMax is the longest message of all, whatever is configured: 64 MiB. Who announces more does not speak this
	// protocol; the stream cannot go on.
	BytesMax = 64 << 20

	// BytesMaxDefault is the longest message unless configured otherwise: a page of history with room to spare. Longer
	// ones are refused with a *TooLongError and skipped.
	BytesMaxDefault = 1 << 20

	// HeaderBytesMax is the longest head of a frame.
	HeaderBytesMax = 4

	// BufferBytesDefault is the buffer of a stream unless configured otherwise: two or three chat messages. It is small
	// because a server has one for each of thousands of idle connections.
	BufferBytesDefault = 512

	// bufferBytesMin is the smallest buffer; smaller ones are made this large.
	bufferBytesMin = 64

	// BudgetBytesDefault is what all streams that share a Budget may hold unless configured otherwise. The longest
	// message needs 96 MiB while it moves to its last array.
	BudgetBytesDefault = 128 << 20

	// wholeBytesMax is the longest frame that a Writer copies in order to send it with one Write. Beyond a few
	// datagrams one call more costs nothing, while a copy would.
	wholeBytesMax = 4 << 10

	// pieceBytesMax is the most that a Writer hands to one Write, so that a stream which copies or queues what it is
	// given does not hold a long message whole.
	pieceBytesMax = 64 << 10

	// emptyReadsMax is how often in a row a stream may return no bytes and no error. Then reading fails with
	// io.ErrNoProgress instead of spinning.
	emptyReadsMax = 100
)
