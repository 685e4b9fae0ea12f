package hashchat

const (
	// TextBytesMax is the largest text of a SEND. It is also the core's largest.
	TextBytesMax = 64 << 10

	// LineBytesMax is the longest line a decoder takes, without its newline: the largest text and some hundred names
	// before it. A longer one is given up and is one *SyntaxError.
	LineBytesMax = TextBytesMax + 8<<10

	// NamesMax is how many names one SEND may have; the rest is not looked at. Each costs a look-up and a delivery.
	NamesMax = 100

	// OnlineBytesMax is the longest ONLINE: some thousand names. Everybody gets one whenever somebody comes or goes, so
	// without a limit a crowd would cost its square in bytes. Names that came later are left out.
	OnlineBytesMax = 64 << 10

	// bufferKeptBytes is the largest buffer a decoder keeps when it holds nothing.
	bufferKeptBytes = 2 << 10

	// lineShownBytes is how much of a line a SyntaxError shows.
	lineShownBytes = 64
)
