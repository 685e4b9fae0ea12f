package session

import "time"

const (
	// outboxBytesDefault is how many bytes may wait for a peer when Config does not say. It is some ten thousand chat
	// messages, minutes of a busy room for a link that stalls. More than that ends the session with ErrSlow.
	outboxBytesDefault = 1 << 20

	// drainTimeoutDefault is how long Close goes on writing when Config does not say: enough for a farewell over a
	// satellite, short enough for somebody who waits for the server to stop. What is unwritten then is lost.
	drainTimeoutDefault = 2 * time.Second

	// writeTimeout is how long one Write may take. The largest message (64 KiB) passes a link of 20 kbit/s in half of
	// it. A Write that takes longer ends the session with ErrSlow.
	writeTimeout = time.Minute

	// joinedBytesMax is the most that waiting messages are copied together for one Write to a stream: a tenth of a
	// system call's price per message, and little to hold for a session that catches up. A larger message goes alone.
	joinedBytesMax = 16 << 10

	// lingerTimeout is how long Close waits for the peer to close a TCP connection too, after ours is closed for
	// writing. Closing with unread bytes would make the kernel reset the connection and throw away what we said last.
	// After it the connection is closed anyway.
	lingerTimeout = 300 * time.Millisecond

	// lingerBytes is the buffer for what a peer says while we linger; it is read and thrown away.
	lingerBytes = 512
)
