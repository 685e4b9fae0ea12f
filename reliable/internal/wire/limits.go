package wire

// Sizes of datagrams, in bytes of UDP payload.
const (
	// DatagramBytesBase is the largest datagram we send to a way of which nothing is known: it passes every path that
	// carries IPv6 (1,280 bytes) with room for a tunnel's header. No datagram of a handshake is longer.
	DatagramBytesBase = 1200

	// DatagramBytesMax is the largest we ever send: what IPv4 leaves of an Ethernet frame. Longer ones are dropped on
	// arrival.
	DatagramBytesMax = 1472

	// DatagramBytesMin is what passes where not even the base does: what IPv4 leaves of the 576 bytes that every host takes
	// (RFC 1122, 3.3.2).
	DatagramBytesMin = 548

	// HelloBytesMin is the shortest hello. It is longer than every answer to it that a server with an ordinary key gives,
	// so that one is enough; a server never answers a hello by more bytes than it has (SPEC.md 4.1).
	HelloBytesMin = 512

	// CallBytesMax bounds a CALL packet, the only datagram sent to an address that did not ask (SPEC.md 4.9).
	CallBytesMax = 60

	// CookieBytesMax is the longest cookie a client must be ready to carry back.
	CookieBytesMax = 64

	// PiecesMax is into how many parts the frames of a packet may be cut.
	PiecesMax = 4

	// CloseTextBytesMax bounds the reason in a close frame; longer texts are cut.
	CloseTextBytesMax = 200
)

// Sizes of parts, fixed by the format.
const (
	connIDBytes       = 8
	packetNumberBytes = 6
	nonceBytes        = 16
	callNonceBytes    = 8
	checkBytes        = 8
	challengeBytes    = 8

	// HelloBytes, AcceptBytes and CryptoFrameBytes are the sizes without cookie, data and padding.
	HelloBytes       = 1 + connIDBytes + nonceBytes + callNonceBytes + 2 + 2 + 2 + 2 + 1 + checkBytes
	AcceptBytes      = 1 + 2*connIDBytes + nonceBytes + 2 + 2 + checkBytes
	CryptoFrameBytes = 1 + 2

	// PacketHeaderBytes is what stands before the frames of a packet.
	PacketHeaderBytes = 1 + connIDBytes + packetNumberBytes
	// AckFrameBytes is the most an acknowledgement takes. SourceFrameBytes, BareFrameBytes and RepairFrameBytes are the sizes
	// of frames without their symbols.
	AckFrameBytes = 1 + 3 + 2 + 2 + 1 + 8
	// AckMarksBytes is what the marks of an acknowledgement add. No room is kept for them.
	AckMarksBytes    = 2 + 2
	SourceFrameBytes = 1 + 3 + 2
	BareFrameBytes   = 1 + 2
	RepairFrameBytes = 1 + 3 + 1 + 2 + 2
	// DataFrameBytes is the size of a data frame without its symbol, ResetFrameBytes of a reset frame.
	DataFrameBytes  = 1 + 2
	ResetFrameBytes = 1 + 4 + 4
	// TokenFrameBytes is the size of a token frame without its token.
	TokenFrameBytes = 1 + 1
	// ResetTokenBytes is the size of what ends a stateless reset, StatelessResetBytes of a whole one, which is never shorter
	// than a packet, and ResetTokenFrameBytes of the frame that announces it.
	ResetTokenBytes      = 16
	StatelessResetBytes  = PacketHeaderBytes + ResetTokenBytes
	ResetTokenFrameBytes = TokenFrameBytes + resetTokenFrameData
	resetTokenFrameData  = 1 + connIDBytes + ResetTokenBytes
	// ChallengeFrameBytes and PieceFrameBytes are the sizes of a challenge or response, and of a piece without its part.
	ChallengeFrameBytes = 1 + challengeBytes
	PieceFrameBytes     = 1 + 1 + 1 + 2
	// SealBytes is the size of the authentication tag that ends every packet.
	SealBytes = 16
	// SymbolBytesMax is the longest symbol of all.
	SymbolBytesMax = DatagramBytesMax - symbolOverheadBytes

	symbolOverheadBytes = PacketHeaderBytes + AckFrameBytes + RepairFrameBytes + 2 + SealBytes
)

// SymbolBytes returns the longest symbol that fits into a datagram of so many bytes as source and, with the two-byte length
// a repair symbol adds, as repair, beside an acknowledgement.
func SymbolBytes(datagram int) int { return datagram - symbolOverheadBytes }
