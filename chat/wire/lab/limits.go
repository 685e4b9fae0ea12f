package lab

// What a peer may make a decoder hold. Beyond any of these the message is given up with a [SyntaxError] whose
// TooLong is set, and the decoder skips to where the next message can begin (PROTOCOL.md 2.4).
const (
	// TextBytesMax bounds the text of one chat message, inner newlines included: the largest message this
	// server carries over any transport.
	TextBytesMax = 64 << 10

	// LineBytesMax bounds one line without its newline: a text of full size behind its key. A longer line is
	// skipped up to its newline without being kept.
	LineBytesMax = TextBytesMax + lineKeyBytes

	// NameBytesMax is the longest name of a client or a room. The decoders do not enforce it, so that the
	// server can say what is wrong with the name instead of "malformed" (error 6).
	NameBytesMax = 64

	// headBytesMax bounds all values of a message together, the text aside. It is as large as a line, so that
	// a very long name is still refused as a name; it keeps a peer from growing a message field by field.
	headBytesMax = TextBytesMax

	// lineKeyBytes is room for the longest key, colon, spaces and carriage return before and after a text.
	lineKeyBytes = 32

	// lineShownBytes is how much of a bad line a SyntaxError repeats: enough to recognise it.
	lineShownBytes = 64

	// bufferKeptBytes is the largest buffer a decoder keeps while it holds nothing, so that thousands of idle
	// connections do not each keep the buffer of their largest message.
	bufferKeptBytes = 1 << 10
)
