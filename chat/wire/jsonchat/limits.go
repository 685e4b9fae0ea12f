package jsonchat

// What a peer may make a decoder hold.
const (
	// JSONBytesMax is the longest JSON text of a frame. A header that announces more is a [FrameError], before anything
	// is kept for it.
	JSONBytesMax = 1 << 20

	// skipBytesMax is the longest frame that is read past when its JSON is too long: a photograph that somebody sends as
	// it is. A longer one ends the stream.
	skipBytesMax = 64 << 20

	// bufferKeptBytes is the largest buffer a decoder keeps while it holds nothing, so that thousands of idle
	// connections do not each keep the buffer of their largest frame.
	bufferKeptBytes = 1 << 10

	// wordShownBytes is how much of a word that is not understood is repeated in errors: enough to recognise it.
	wordShownBytes = 64
)
