package names

const (
	// BytesMax is the most bytes a name may have, in UTF-8. Names are shown in front of every line of
	// a chat, so longer ones would push the text away. Longer names are refused with TooLong.
	BytesMax = 64

	// AccountBytesMax is the most bytes the name of an account may have. Two of them and a prefix name the log of a
	// direct conversation. Longer names are refused with TooLong.
	AccountBytesMax = 48

	// guestBaseBytesMax is how much of the name a guest asked for becomes part of the one it gets: the rest is its number.
	guestBaseBytesMax = 24
)
