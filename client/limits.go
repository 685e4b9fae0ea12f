package client

import "time"

// Connecting.
const (
	// raceHeadStart is how long the transport tried first is alone. One round trip of reliable UDP fits into it almost
	// everywhere, and who sits behind something that drops UDP waits no longer than that for TCP.
	raceHeadStart = 300 * time.Millisecond

	// connectWait bounds one attempt to connect. Lost datagrams are repeated within milliseconds: who does not answer by
	// then is not there.
	connectWait = 10 * time.Second

	// loginWait bounds logging in over a connection. Passwords are slow to check on purpose, and when everybody comes back at
	// once wait for each other.
	loginWait = 20 * time.Second

	// helloWait bounds the first answer of a server that has not let us in yet. It costs the server next to nothing: one that
	// says nothing by then speaks another protocol, or nobody is behind the port.
	helloWait = 10 * time.Second

	// openingBytes is how much of what a server says first is looked at.
	openingBytes = 16

	// memoryOfTCP is how long a server that only answered over TCP is tried over TCP first. After it reliable UDP gets its
	// head start back: what dropped it may be a network we have left.
	memoryOfTCP = 10 * time.Minute

	// A lost connection is tried again at once, and if nobody is there after random times up to retryQuick/4, retryQuick/2 and
	// then retryQuick, some four times a second, until there were retryQuickTries, for about ten seconds: who is back within
	// that time is found within retryQuick. 10,000 clients then make 20,000 attempts in the first tenth of a second and 40,000 a second
	// after that, on a machine that has no server: over TCP about 5 MB/s, each refused by its system within microseconds; over
	// UDP 10 MB/s of hellos, which go on within one attempt. When it has one they come within half a second. A handshake takes 0.4 ms of
	// a CPU, so with two the last is through after 2 or 3 s, long before connectWait; those the server turns away meanwhile come
	// back ever more slowly.
	retryQuick      = 400 * time.Millisecond
	retryQuickTries = 40

	// After that, and when somebody is there and does not let us in, it is a random time up to retryFirst, which doubles with
	// each failure up to retryMost.
	retryFirst = 250 * time.Millisecond
	retryMost  = 15 * time.Second

	// dialTriesMax is how often a server that answers may refuse to let us in, for a reason that passes, before Dial fails.
	dialTriesMax = 3

	// steadyAfter is how long a connection must have lasted for the next loss to be answered at once again: a server that lets us
	// in and drops us is not hammered. If it dies, which costs it more, forgiveBurst connections in a row may be shorter, and
	// one every forgiveEvery.
	steadyAfter  = 5 * time.Second
	forgiveBurst = 10
	forgiveEvery = time.Second

	// raceAgain is the pause after which a transport over which nobody was there is tried again while the other one has not
	// answered yet: only TCP is told so at once.
	raceAgain = 250 * time.Millisecond

	// idleTimeout is after what silence of a reliable UDP server, which is probed from half of it on, it is lost.
	idleTimeout = 20 * time.Second
)

// What is kept between runs.
const (
	// counterBlock is how many message numbers are set aside by one write of the State. A program that dies wastes at
	// most that many of 2⁶⁴.
	counterBlock = 256

	// counterSkip is how many numbers are left out when one turns out to be used: more than anybody says between two copies
	// of a State.
	counterSkip = 1 << 32

	// stateBytesMax is the longest state file that is read; ours have some hundred bytes.
	stateBytesMax = 64 << 10
)

// Time.
const (
	// clockSamples is of how many exchanges of times the quickest one is believed.
	clockSamples = 8

	// clockDrift is by which fraction of the time that passes two clocks may come apart while nobody sets them, and
	// clockStep how much more is no sign that somebody did. What seems to have been under way for longer than clockDoubt
	// has the clocks compared again.
	clockDrift = 1000
	clockStep  = 20 * time.Millisecond
	clockDoubt = 10 * time.Second
)

// What we say.
const (
	// outboxMax and outboxBytesMax bound our messages that are not stored yet. Beyond them Send fails with ErrFull: who
	// writes faster than the link carries must wait for some to be stored.
	outboxMax      = 4096
	outboxBytesMax = 4 << 20

	// messageBytes is what a message counts beside its text.
	messageBytes = 256

	// flyingMax is how many messages are on their way at once. A server stores them in batches, so a script is limited by
	// this number for each round trip; all of them are sent again after a loss.
	flyingMax = 128

	// A server that finds us too fast gets a message each paceLeast at most, and if it still does after paceHold half as many,
	// to one each paceMost; with each that is stored the time between them becomes shorter by a part in paceFaster.
	paceLeast  = 2 * time.Millisecond
	paceMost   = time.Second
	paceHold   = 500 * time.Millisecond
	paceFaster = 128

	// paceBurst is how many may follow each other at once to make up for time in which none was sent.
	paceBurst = 32

	// sayRetry is the time until a message is sent again that the server could not store just now, if it does not say, and
	// sayTriesMax how often it is when the server has made a mistake. One that is only busy, or full, is asked for ever, and so
	// is one that says that the number is used, of each that the message gets: at once so often.
	sayRetry    = 500 * time.Millisecond
	sayTriesMax = 5
)

// What is said to us.
const (
	// eventsMax and eventsBytesMax bound the events the program has not taken. Beyond them what happens in logs is left to
	// be read again when the program has taken half of them, and what is true only now (typing) is dropped. Of presence the
	// newest of lateMax people is kept beside them: more than a room has whose members' presence is told.
	eventsMax      = 4096
	eventsBytesMax = 8 << 20
	lateMax        = 16 << 10

	// pageEvents is how many events are asked for at once when some were missed.
	pageEvents = 200

	// logRetry is the least time until a log is attached, or read, again when the server has refused to.
	logRetry = time.Second

	// logsMax bounds the logs that are followed; beyond it joining another fails with ErrFull.
	logsMax = 4096

	// conversationsMax is how many logs of the account are listed, about; a server that has more to tell is not listened to.
	conversationsMax = 1 << 16

	// contactsMax is the same for the account's contacts and those who have it as theirs, peopleMax for who is there.
	contactsMax = 1 << 14
	peopleMax   = 1 << 17
)

// What we ask.
const (
	// requestsMax bounds requests that are not answered. Beyond it more fail with ErrFull.
	requestsMax = 1024

	// frameBytesMax bounds the requests that are not written yet; beyond it no more messages are sent for now.
	frameBytesMax = 256 << 10

	// readBytes is the buffer of a connection's reader.
	readBytes = 16 << 10

	// garbledMax is how many messages in a row the server may send that make no sense; then another connection is tried.
	garbledMax = 16

	// writeWait bounds one write. A server that takes nothing for so long is lost.
	writeWait = 20 * time.Second

	// lateAfter is after what silence a server that owes an answer is asked whether it is there.
	lateAfter = 1500 * time.Millisecond

	// suspectAfter is after what silence of a server that owes an answer we try whether a new connection finds it: over UDP a
	// server that was killed tells nobody before it runs again, and it may be another one that does. On the worst links an answer takes a second or two.
	suspectAfter = 3 * time.Second

	// pingEvery is how often the server's clock is asked for; the first times come quicker, pingFirst after the beginning
	// and doubling.
	pingEvery = 5 * time.Minute
	pingFirst = time.Second

	// aliveEvery is how long we are silent over TCP at most, where nothing below us notices that the server is gone.
	aliveEvery = 30 * time.Second

	// markEvery is how often the server is told at most how far a log was read: only the newest counts.
	markEvery = 2 * time.Second

	// drainWait bounds waiting for answers after the server has announced its end.
	drainWait = 2 * time.Second

	// drainMost is the longest time we stay away because a server asks for it.
	drainMost = time.Minute
)

// Direct connections.
const (
	// privatesMax bounds direct connections and wishes for them. Beyond it ours fail with ErrFull and those of others are ignored.
	privatesMax = 16

	// privateAnswerWait is how long a wish waits for somebody to accept it.
	privateAnswerWait = time.Minute

	// privateTellWait bounds telling the other something through the server.
	privateTellWait = 10 * time.Second

	// privateRoomWait is how often is looked whether the program has taken events, when there are too many for what comes directly.
	privateRoomWait = 50 * time.Millisecond

	// privateDoubt is how long the other may take to confirm a message before the server carries it instead: a way that has
	// broken is noticed sooner by it than by the layer below, and on the worst links an answer takes a second or two.
	privateDoubt = 5 * time.Second

	// directMax is of how many messages is remembered that they came directly. The oldest are forgotten: who sends one of
	// those again through the server has waited for very long.
	directMax = 4096
)

// Files.
const (
	// transferWait is how long a transfer may stand still, and how long beginning one may take. Then it is made again.
	transferWait = 30 * time.Second

	// transferTriesMax is how often in a row a transfer may break off without having come further.
	transferTriesMax = 8

	// refusalWait is how long we wait for the server's reason when it has stopped to take what we send.
	refusalWait = time.Second
)
