package names

// BytesMax is the most bytes a name may have, in UTF-8. Names are shown in front of every line of
// a chat, so longer ones would push the text away. Longer names are refused with TooLong.
const BytesMax = 64
