package fec

// DecoderStats counts what a Decoder did since it was made.
type DecoderStats struct {
	Fresh     uint64 // source symbols seen for the first time
	Rebuilt   uint64 // source symbols handed to out
	Useless   uint64 // repair symbols of which nothing was needed
	Duplicate uint64 // source symbols already seen or rebuilt
	Late      uint64 // symbols of groups too old to rebuild or, for source symbols, to remember
	Astray    uint64 // symbols with a group number too far ahead to be believed
	Bad       uint64 // symbols with impossible numbers or lengths
	Conflicts uint64 // groups given up because their symbols contradict each other
	Evicted   uint64 // groups given up because a limit was reached
	Aged      uint64 // groups given up because they grew older than the age limit

	KeptGroups int // groups kept for rebuilding now
	KeptBytes  int // what they count against DecoderBytesMax
}
