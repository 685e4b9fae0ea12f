package message

// A Config is what Readers, Decoders and Writers can be told. The zero value is usable.
type Config struct {
	// MessageBytesMax is the longest message to send or receive. 0 means BytesMaxDefault; more than BytesMax means
	// BytesMax.
	MessageBytesMax int

	// BufferBytes is the buffer of a Reader, which is also how much it reads ahead, or of a Decoder. Messages that fit
	// are received without allocations and never refused for lack of budget. 0 means BufferBytesDefault. A client with
	// one connection can afford more. Writers ignore it.
	BufferBytes int

	// Budget bounds what all Readers and Decoders that share it hold beyond their buffers. nil means no bound but
	// MessageBytesMax for each. Writers ignore it.
	Budget *Budget
}

func (c Config) withDefaults() Config {
	if c.MessageBytesMax <= 0 {
		c.MessageBytesMax = BytesMaxDefault
	}
	c.MessageBytesMax = min(c.MessageBytesMax, BytesMax)
	if c.BufferBytes <= 0 {
		c.BufferBytes = BufferBytesDefault
	}
	c.BufferBytes = max(c.BufferBytes, bufferBytesMin)
	return c
}
