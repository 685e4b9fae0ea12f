package jsonchat

import "time"

const (
	// requestsPerSecond and requestsBurst bound what one connection may ask unless configured, far above what a client does
	// that is used by a person. More are refused. What is expensive has bounds of its own.
	requestsPerSecond = 1000
	requestsBurst     = 2000

	// fileBytesMax is the largest file unless configured. Larger ones are refused before they are read. How many an account
	// may store is its quota's to say.
	fileBytesMax = 256 << 20

	// largeBytes is from which size on what has come of a JSON text is large, largeBytesMax how many bytes there may be in all
	// of large ones that are not all there, and frameTime how long any may take to come in. Beyond these the connection is
	// closed: what has come of it is in memory. What was only announced does not count, or strangers could keep others from
	// sending images with next to nothing. At 20 kbit/s the largest takes seven minutes.
	largeBytes    = 64 << 10
	largeBytesMax = 128 << 20
	frameTime     = 10 * time.Minute

	// uploadsMax is how many files are being received at the same time. More are refused.
	uploadsMax = 64

	// busyPerAccountMax is how many uploads, and how many large answers, one account may have at the same time, so that it
	// cannot take the places of all others. More are refused.
	busyPerAccountMax = 4

	// payloadIdle is how long a client may pause within a payload. After it the connection is closed, because a file that
	// is not finished takes space.
	payloadIdle = time.Minute

	// usersMax is how many users are remembered, to find a number for a name. Beyond it all are forgotten, and asked for
	// again. One takes about 200 bytes.
	usersMax = 10_000

	// cursorsMax is how many users have a cursor on one token. Beyond it the one set longest ago is forgotten.
	cursorsMax = 16

	// eventsMax is how many events wait for a log-in to tell its connections. Beyond it the connections are closed as too
	// slow: their clients come back and fetch.
	eventsMax = 1024

	// parkedBytesMax is how many bytes of frames wait behind a frame that is larger than an outbox. Beyond it the
	// connection is closed as too slow. It has room for two images.
	parkedBytesMax = 4 << 20

	// pieceBytes is how much of a large frame is queued at a time, and aheadBytes how much of it may wait for the peer when
	// the next piece is queued. Both together are far below an outbox.
	pieceBytes = 32 << 10
	aheadBytes = 64 << 10

	// fetchMessagesMax and fetchBytesMax bound what one FETCHMSG gives: the newest. fetchesMax is how many answers of that
	// size are put together and sent at the same time; others wait for a place.
	fetchMessagesMax = 10_000
	fetchBytesMax    = 4 << 20
	fetchesMax       = 64

	// messageHeadBytes is what a message takes besides its content, about.
	messageHeadBytes = 250

	// fetchSlack is how much a client's clock may be ahead of ours, so that its messages are found behind a cursor.
	fetchSlack = 24 * time.Hour

	// repeatMessages is how many messages back in a conversation a repeated md5encoded is looked for: those that are in
	// memory.
	repeatMessages = 100

	// contactsBytesMax is how many bytes of avatars one FETCHCONTACT gives. Users beyond it come without.
	contactsBytesMax = 4 << 20

	// avatarBytesMax is the largest avatar, in base64. Larger ones are refused.
	avatarBytesMax = 256 << 10

	// md5BytesMax is the longest md5encoded, and fileNameBytesMax the longest name of a file; longer ones are refused.
	md5BytesMax      = 64
	fileNameBytesMax = 255

	// noteBytesMax is the longest text to oneself: what the core takes of a text to others. Longer ones are refused.
	noteBytesMax = 64 << 10

	// readBytes is the read buffer of a session: small, since every idle connection has one. payloadBytes is that while a
	// payload is read.
	readBytes    = 512
	payloadBytes = 32 << 10

	// endTimeout is how long the end of a log-in may take.
	endTimeout = 5 * time.Second

	// cursorStep is how often the cursor of a log-in is written down, at most.
	cursorStep = 2 * time.Second

	// recordTries is how often a change of a record is tried when others change it at the same time.
	recordTries = 20

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)
