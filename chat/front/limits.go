package front

import "time"

// prefixBytesMax is how many first bytes are shown to the front-ends. The longest beginning that tells a protocol from
// the others has about 15 bytes; the rest is for blank lines and spaces before it. If no front-end is sure by then,
// the last one takes the session.
const prefixBytesMax = 64

// readBytes is the read buffer of a Loop: small, since every idle session has one, and enough for a message or two.
const readBytes = 512

// arrivalPause is how often a Pacer looks whether something has arrived. It is short beside any pause, and only runs while
// something waits.
const arrivalPause = 10 * time.Millisecond
