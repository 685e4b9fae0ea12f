package native

import "time"

const (
	// readBytes is the read buffer of a session: small, since every idle connection has one, and enough for a message or
	// two. transferBytes is that of a session that carries a file.
	readBytes     = 512
	transferBytes = 32 << 10

	// budgetBytes bounds what all sessions together hold of messages that have come in part. Beyond it longer ones are
	// refused with error 31, and their sessions end.
	budgetBytes = 64 << 20

	// requestsPerSecond and requestsBurst bound what one connection may ask, unless configured. Beyond it requests are
	// refused with error 23 and the time to wait, and not carried out.
	requestsPerSecond = 1000
	requestsBurst     = 2000

	// disturbingPerSecond and disturbingBurst are the same for what reaches others at once and is kept nowhere: typing,
	// presence, whispers, introductions, requests to be a contact; and for revocations, for which each server looks through its
	// tickets, whether there is such a device or not.
	disturbingPerSecond = 5
	disturbingBurst     = 30

	// searchesPerSecond and searchesBurst are the same for what an account asks about everybody and everything: who is
	// there, all rooms, all conversations. The answer is put together of tables that all others wait for meanwhile.
	searchesPerSecond = 20
	searchesBurst     = 100

	// newRoomsBurst and newRoomsPerSecond bound the rooms of which the server knows nothing yet and that an account may
	// join, and newRoomsNetworkShare how many accounts' worth a network: the server keeps each of them, and has room for
	// 10,000.
	newRoomsBurst        = 128
	newRoomsPerSecond    = 0.1
	newRoomsNetworkShare = 8

	// payBytes is how much of a request counts as another one: what is stored costs by its size.
	payBytes = 4 << 10

	// accountShare and networkShare are how many connections' worth of requests an account, and a network (IPv4 /24, IPv6
	// /56; loopback is exempt), may make: all devices of a person, and a school behind one address.
	accountShare = 2
	networkShare = 20

	// limitedMax is how many accounts and how many networks have an allowance of their own, in about 100 bytes each. Others
	// share one, until somebody has not asked for so long that the whole allowance is back.
	limitedMax = 16 << 10

	// sweepInterval is how often those are looked for.
	sweepInterval = time.Second

	// networkBits4 and networkBits6 are what a network is.
	networkBits4 = 24
	networkBits6 = 56

	// refusedMax is how many requests in a row may be too fast, and malformedMax how many malformed. The last one ends the
	// session (SPEC.md 7).
	refusedMax   = 100
	malformedMax = 3

	// inFlightMax and inFlightBytesMax are how many requests of a session, and bytes of them, may be under way. Beyond it
	// the session is not read, so that the peer's transport waits.
	inFlightMax      = 256
	inFlightBytesMax = 256 << 10

	// helloTimeout is how long a session may take to begin, and logInTimeout to log in: a person types the password.
	helloTimeout = 30 * time.Second
	logInTimeout = 5 * time.Minute

	// requestTimeout is how long a request may wait for the store: longer than a cluster needs for a new leader. Then it is
	// answered with error 31.
	requestTimeout = 20 * time.Second

	// whisperTimeout is how long whoever is whispered to may take to say that it came: clients take a server that owes an
	// answer for longer to be gone. It may come all the same.
	whisperTimeout = 2 * time.Second

	// presenceQueuedBytesMax is how much may wait for a client that is still told at once who comes and goes in its rooms.
	// With more waiting it is told later, and then only how it is.
	presenceQueuedBytesMax = 16 << 10

	// drainGrace is how long requests under way may take when the server goes down, or the client has gone.
	drainGrace = 1500 * time.Millisecond

	// closeTimeout is how long the core has to take notice that a device has gone.
	closeTimeout = 5 * time.Second

	// heldBytesMax is what may wait of a log for the answer that announces it. Beyond it the session ends as too slow.
	heldBytesMax = 1 << 20

	// pageBytes is when an answer with events ends, whatever was asked for: two of them and what else is said fit into the
	// smallest outbox there may be (128 KiB) with one text of 64 KiB. A longer text goes alone.
	pageBytes = 24 << 10

	// longBytes is what makes an answer a long one.
	longBytes = 4 << 10

	// eventHeadBytes is what an event takes besides its texts, about.
	eventHeadBytes = 60

	// roomsMax is how many rooms a list has at most; roomsDefault is how many it has unless asked for fewer or more.
	roomsMax     = 200
	roomsDefault = 100

	// roomBytes is what a room takes in a list, besides its name and its topic, about.
	roomBytes = 24

	// conversationBytes is what a conversation takes in a list, besides twice its name and its topic, about.
	conversationBytes = 60

	// peopleMax is how many persons an answer has.
	peopleMax = 500

	// contactsBytes is when a list of contacts ends before that: like pageBytes, but nobody asks for two of them at once.
	// personBytes is what a person takes in it besides its names, about.
	contactsBytes = 2 * pageBytes
	personBytes   = 30

	// contactSince is how far back Contacts looks for when somebody was last there.
	contactSince = 30 * 24 * time.Hour

	// retryUnavailable is what error 31 tells the client to wait.
	retryUnavailable = 2 * time.Second

	// textBytesMax is the longest text unless configured, as in all protocols.
	textBytesMax = 64 << 10

	// comeBackAfter is how long clients are told to stay away when the server goes down, unless configured.
	comeBackAfter = 2 * time.Second

	// panicTextBytesMax is the length at which the text of a panic is cut in the log: it may quote a peer.
	panicTextBytesMax = 300

	// pagesQueuedBytesMax is how much may wait for the client before a long answer follows: more, and answers that were all
	// asked for at once would fill the outbox.
	pagesQueuedBytesMax = 32 << 10

	// orderTimeout is for how long a message that was not stored holds up those behind it, unless it is repeated.
	orderTimeout = 30 * time.Second

	// orderFailedMax is how many messages of a log may wait to be repeated so that the order is sure to hold.
	orderFailedMax = 512

	// orderLogsMax is in how many logs of a session that may be the case. In others what comes behind is not held up.
	orderLogsMax = 256

	// referenceMax bounds the numbers by which internal errors are found in the log.
	referenceMax = 1 << 16
)

// Transfers.
const (
	// ticketLife is how long a ticket is good for: to open another connection on a bad network.
	ticketLife = 2 * time.Minute

	// ticketsMax is how many tickets there may be, and ticketsPerAccount of one account. More are refused with error 21.
	ticketsMax        = 10_000
	ticketsPerAccount = 32

	// transfersPerAccount is how many transfers of an account may be under way. More are refused with error 21.
	transfersPerAccount = 8

	// partsPerAccount is how many uploads of an account may be unfinished, and partLife how long what has come of one is
	// kept. More are refused with error 21.
	partsPerAccount = 16
	partLife        = 24 * time.Hour

	// partsInterval is how often unfinished uploads are looked through for those that are too old.
	partsInterval = time.Hour

	// chunkBytes is how a file is cut for a client: little enough that the next thing is not kept waiting, much enough that
	// the heads do not matter.
	chunkBytes = 32 << 10

	// queuedBytesMax is how much of a file may wait for the client.
	queuedBytesMax = 64 << 10

	// transferTimeout is how long a transfer may stand still.
	transferTimeout = time.Minute

	// evictTimeout is how long a transfer waits for another one of the same file to end. Then it is refused with error 31.
	evictTimeout = 2 * time.Second

	// storeTimeout is how long the store may take for a file.
	storeTimeout = 5 * time.Minute

	// fileBytesMax is the longest file unless configured.
	fileBytesMax = 256 << 20
)
