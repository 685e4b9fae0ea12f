package fec

import "time"

const (
	// SourceMax is the largest number of source symbols in a group. A flush with more makes more
	// groups. 32 fit one machine word, and a group of 32 full packets is rebuilt in less than 0.1 ms.
	SourceMax = 32

	// RepairMax is the largest number of repair symbols of a group; Close asks for no more, and
	// repair symbols with a larger index are refused as Bad. Half of SourceMax survives one third
	// loss in the largest group.
	RepairMax = 16

	// SymbolBytesMax is the longest source symbol: what fits a datagram on Ethernet. Longer ones
	// from the peer are refused as Bad, from our own side they are a bug.
	SymbolBytesMax = 1500

	// RepairBytesMax is the longest repair symbol: a source symbol and its length. Longer ones are
	// refused as Bad.
	RepairBytesMax = SymbolBytesMax + lengthBytes

	// lengthBytes is the size of the length in front of a symbol inside a shard.
	lengthBytes = 2

	// DecoderGroupsMax is the number of newest groups whose symbols are kept for rebuilding; older
	// groups are evicted. Bulk traffic paced by acknowledgements makes about one group a
	// millisecond, so this covers the repairs that leave 10, 30 and 70 ms late.
	DecoderGroupsMax = 256

	// DecoderBytesMax bounds the symbols a Decoder keeps, in bytes of symbols and bookkeeping. When
	// it is reached the oldest group is evicted. It is 100 ms of 20 Mbit/s.
	DecoderBytesMax = 256 << 10

	// HistoryGroups is the number of newest groups whose symbols are recognised as duplicates.
	// Everything older is dropped as late, which is no worse than loss. A power of two.
	HistoryGroups = 1024

	// jumpGroupsMax is how far ahead of the newest group a symbol may be and move the window at
	// once. A symbol further ahead is dropped and must be confirmed by a second one near it, so a
	// single corrupted group number cannot make everything that follows look old.
	jumpGroupsMax = HistoryGroups / 2

	// confirmGroupsMax is how near the second far-off symbol must be to the first.
	confirmGroupsMax = 64

	// MaxAgeDefault is the age limit for rebuilding until SetMaxAge is called: the round trip of a
	// bad link, as nothing has been measured yet.
	MaxAgeDefault = 250 * time.Millisecond

	// MaxAgeMax bounds SetMaxAge: beyond it memory would be held for a link that is as good as dead.
	MaxAgeMax = 2 * time.Second

	// storedOverheadBytes and groupOverheadBytes are what one kept symbol and one kept group cost
	// beside the bytes of the symbols; they count towards DecoderBytesMax so that tiny symbols
	// cannot hold much more memory than the limit says.
	storedOverheadBytes = 48
	groupOverheadBytes  = 160
)
