package labtest

import "time"

// Waiting. A good server is never waited for; these bound what a bad one costs.
const (
	// TimeoutDefault is how long an answer may take before it counts as missing.
	TimeoutDefault = 2 * time.Second

	// timeoutMin and timeoutMax are what Config.Timeout may be: less would blame the network, more would never end.
	timeoutMin = 50 * time.Millisecond
	timeoutMax = time.Minute

	// quietTime is how long nothing must come before we say that nothing comes. It has to be longer than a server
	// needs to pass a message on, and is paid by every rule about silence.
	quietTime = 120 * time.Millisecond

	// settleMax bounds the wait for quiet on a server that never stops talking, in quietTimes.
	settleMax = 12

	// lullTime ends an incomplete message: after this time without a byte the rest is taken as missing.
	lullTime = 150 * time.Millisecond

	// pieceGap is between the pieces of a message that is split on purpose. Shorter, and the server might get them
	// with one read; as long as 150 ms, and it might rightly take a piece for a message without its end.
	pieceGap = 15 * time.Millisecond
	// pieceTriesMax is how often a cut is tried again when the pause came out much longer.
	pieceTriesMax = 4

	// waitsPerAct is how many timeouts one rule may cost; afterwards its waits last waitShort.
	waitsPerAct = 6
	// waitsPerRun is the same for the whole run; afterwards every wait is shortened to a quarter.
	waitsPerRun = 12
	waitShort   = 100 * time.Millisecond

	// actMax ends a rule that takes longer, whatever it waits for. It is counted in timeouts.
	actMax = 15
	// runMax ends the run; rules that have not been played by then are skipped.
	runMax = 10 * time.Minute

	// restartWait is how long we look whether a server that is gone is started again, as by a loop in a shell.
	restartWait = 1500 * time.Millisecond
	// killWait is how long a server may take to end after KILL_SERVICE, or as long as an answer if that may take longer.
	killWait = 2 * time.Second
	// farewellWait is how long we wait at the end of a rule for the server to close after DISCONNECT. Not closing is
	// another rule's business.
	farewellWait = 150 * time.Millisecond
	// callbackWait is how long a server may take to say that nobody is at a callback address.
	callbackWait = 7 * time.Second
)

// Memory.
const (
	// readBytes is the buffer of one read.
	readBytes = 64 << 10
	// inboxBytesMax is how much one socket may receive in one rule. More is not read: the server floods us.
	inboxBytesMax = 8 << 20
	// messagesMax is how many messages one socket may receive in one rule; more are thrown away.
	messagesMax = 20_000

	// entriesMax is how many entries the transcript of a rule has; what comes after is counted only.
	entriesMax = 1500
	// entryBytesMax is how much of one entry is kept; its length is kept in full.
	entryBytesMax = 1024
	// transcriptBytesMax is how much of all entries of one rule is kept.
	transcriptBytesMax = 192 << 10

	// findingBytesMax is how much of what was expected and of what came is shown.
	findingBytesMax = 2000
)

// How hard servers are tried.
const (
	crowdClients     = 50               // The clients that come at once,
	crowdDialMax     = 15 * time.Second // and how long their connections may take.
	interleavedRooms = 5                // Rooms that talk at the same time,
	interleavedSize  = 4                // with so many clients each,
	interleavedSays  = 5                // who say so many messages each.
	manyMessages     = 60               // The messages that must all arrive.
	orderedMessages  = 20               // The messages whose order is watched.
	longTextBytes    = 4 << 10
	longLineBytes    = 128 << 10
	longTextDatagram = 700  // A long text that fits a datagram.
	overlongDatagram = 3000 // One that does not fit what servers take.
	garbageBytes     = 2 << 10
	lossMessages     = 30 // Said across the bad link.
	lossRepeats      = 25 // How often a plain datagram is repeated there until it counts as unanswered.

	// repeatsMax is how long copies of a datagram are surely copies. What comes later, as where many were lost or this
	// machine is busy, a server may take for the same thing said again.
	repeatsMax = 400 * time.Millisecond
)

// Class mode.
const (
	classServersMax = 1000 // Lines of a list of servers.
)

// What is printed.
const (
	transcriptLinesMax = 40 // Entries of a transcript in the failures on a terminal; all are in JSON and HTML.
	sideBySideMax      = 64 // Columns of what was expected, above which the actual is shown below it.
)
