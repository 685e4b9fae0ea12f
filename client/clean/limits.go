package clean

const (
	// lineRunesMax bounds the result of Line, in characters. A chat message has at most 64 KiB and
	// so at most this many characters: only what no server should have sent is cut. The last
	// character of a cut line is an ellipsis.
	lineRunesMax = 64 << 10

	// textLinesMax bounds the result of Text, in lines: one message must not scroll everything else
	// out of a terminal's memory. The last line of a cut text is an ellipsis.
	textLinesMax = 500

	// nameRunesMax bounds the result of Name, in characters. Servers allow names of 64 bytes. The
	// last character of a cut name is an ellipsis.
	nameRunesMax = 64

	// combiningMax is the number of combining marks one character may carry. Vietnamese needs two,
	// pointed Hebrew and decomposed Hangul three; floods of them write over the lines above and
	// below. Further marks are dropped.
	combiningMax = 4
)
