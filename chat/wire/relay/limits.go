package relay

const (
	// TextBytesMax is the largest text of a SEND or FORWARD, and the largest Content-length. It is also the core's
	// largest. A SEND that says more is an Incomplete.
	TextBytesMax = 64 << 10

	// headBytesMax is the longest head of a message: everything before its text. Names have 64 bytes, so it is generous; but
	// there is a program that repeats all it has read, which is a kilobyte, in its receipt.
	// A longer one is a *SyntaxError, and the end of the stream: nobody knows where the next message begins.
	headBytesMax = 4 << 10

	// digitsMax is how many digits a Content-length may have.
	digitsMax = 7

	// bufferKeptBytes is the largest buffer a decoder keeps when it holds nothing.
	bufferKeptBytes = 2 << 10

	// lineShownBytes is how much of a line a SyntaxError or an Unknown shows.
	lineShownBytes = 64
)
