package chat

import "time"

const (
	// roomsMax is how many rooms a Hub has at a time unless configured: about 1 KB each, with what the
	// memory engine keeps of somebody who came and left and said nothing. When there are so many, the
	// oldest one that only visitors have used and nobody is in gives up its place; if there is none,
	// joining one more is refused with CodeTooManyRooms. Front-ends limit how fast somebody may make
	// rooms, so that nobody uses them up, or drives others' out, alone.
	roomsMax = 10_000

	// usersMax is how many users are connected at the same time unless configured: more than a
	// server has sessions, since one session of the lab protocol may carry several clients. One
	// more is refused with CodeTooManyUsers.
	usersMax = 50_000

	// roomsPerUserMax is how many rooms one user is in unless configured. One more is refused
	// with CodeTooManyRooms.
	roomsPerUserMax = 64

	// messageBytesMax is the largest text unless configured. Longer ones are refused with
	// CodeTooLong.
	messageBytesMax = 64 << 10

	// smallIDMax is the largest JoinID given out by SmallIDs, and RandomIDs are all above it, so
	// that neither can become the other. They are never reused; a Hub that has given out this
	// many refuses users with CodeTooManyUsers.
	smallIDMax = 1<<28 - 1

	// randomIDMax is the largest JoinID given out by RandomIDs: 31 bits, for clients that read it
	// into a signed integer.
	randomIDMax = 1<<31 - 1

	// makeUpTimeout bounds the extra KindLeft that Join appends when the user was closed before
	// Join was done. After it the others are not told.
	makeUpTimeout = 5 * time.Second

	// recordBytesMax is the largest record the decoder looks at. The largest one we write is
	// messageBytesMax and two names smaller than any sane configuration allows; more is damage.
	recordBytesMax = 16 << 20

	// ringEventsMax and ringBytesMax are how much of the end of a log is kept in memory while a
	// device is attached to it: more than a client asks for when it comes. The rest is read.
	ringEventsMax = 100
	ringBytesMax  = 256 << 10

	// eventHeadBytes is what an event in memory takes besides its strings, about.
	eventHeadBytes = 300

	// pageMax is how many events History returns, and pageBytesMax how many bytes, about, if more
	// than one. Callers read on.
	pageMax      = 200
	pageBytesMax = 1 << 20

	// devicesPerAccountMax is how many devices of one account are logged in at the same time. One
	// more is refused with CodeTooMany.
	devicesPerAccountMax = 32

	// deviceBytesMax is the longest name of a device. Longer ones are refused with CodeBadName.
	deviceBytesMax = 64

	// conversationsMax is how many direct conversations an account has when it begins one more. That is
	// refused with CodeTooMany; answering in one that somebody else has begun is not.
	conversationsMax = 2_000

	// mimeBytesMax, tagBytesMax and fileNameBytesMax are the longest media type, tag and name of a file. Longer ones
	// are refused with CodeBadContent.
	mimeBytesMax     = 127
	tagBytesMax      = 127
	fileNameBytesMax = 255

	// watchMax is of how many accounts a device is told the presence because they are contacts or have a direct
	// conversation with it; beyond it there are no more, first come, first served. Devices that watch everybody are not
	// bounded by it, and neither are the members of rooms.
	watchMax = 256

	// presenceRoomMax is up to how many members a room has its members told about each other's presence, at about
	// 300 bytes for each on every node where somebody is. In larger ones clients ask who is there.
	presenceRoomMax = 10_000

	// presenceAtOnceMax is to how many devices in one room a change of presence is told at once. Where more are attached,
	// changes are gathered for presencePause, and only the last one of everybody is told.
	presenceAtOnceMax = 256
	presencePause     = 500 * time.Millisecond

	// presenceBatch is how many changes a device is told before it is asked whether it has room for more, and
	// presenceTurn how many before others have a turn.
	presenceBatch = 64
	presenceTurn  = 1_024

	// peopleGoneMax is how many accounts that are offline are remembered, for those who ask who was
	// here. Beyond it the older half is forgotten.
	peopleGoneMax = 20_000

	// crierTick is how often the Hub writes read markers down, says that it is alive, in some 20 bytes, and looks for nodes that
	// are gone. nodeSilence is after how long without a word another node is gone, and its people with it: until then the names
	// of a dead node's visitors are taken, and what waits for them fails. A node whose server of the cluster dies is silent for up
	// to 6 s, until it has found that out and another one, and up to a tick more; twice that is no accident any more.
	// askInterval is how often at most a node is asked for everything.
	crierTick   = 2 * time.Second
	nodeSilence = 12 * time.Second
	askInterval = time.Second

	// flushTimeout bounds one round of writing read markers. What is left waits for the next.
	flushTimeout = 5 * time.Second

	// nodesMax is how many other nodes are listened to; more are ignored. nodeInboxMax is how many of
	// their messages wait; more are missed, and asked for. nodeMessageBytesMax is about how large one is,
	// far below what engines take.
	nodesMax            = 1_000
	nodeInboxMax        = 10_000
	nodeMessageBytesMax = 128 << 10

	// nodeNamesMax and nodeSeatsMax are how many names of visitors, and seats in rooms, another node is believed to
	// have: as many as it may have users, and twice that, in some 100 bytes each. Others are not seen from here.
	nodeNamesMax = usersMax
	nodeSeatsMax = 2 * usersMax

	// postPause is after what time a whisper to another node is sent again, if that has not said that it has it, the
	// first repeatsMax of those.
	// letterArrival is how long that is done, since a node that says nothing for so long is gone or cut off; and letterLife
	// is how long an answer is waited for, which clients are slow to give: longer than front-ends do. lettersMax and letterBytesMax are how
	// many may be under way to one node, and how many bytes; one more is not taken. postMemory is how long a node
	// remembers up to which letter it has heard another one that is silent: far longer than letters are sent again.
	// answersMax is how many answers to letters of one node are kept, in case they get lost, while there is none to an earlier
	// letter. Of more the older half is forgotten; an answer that was lost by then is none to the sender.
	postPause      = 400 * time.Millisecond
	repeatsMax     = 64
	letterArrival  = 10 * time.Second
	letterLife     = 35 * time.Second
	lettersMax     = 4_096
	letterBytesMax = 8 << 20
	postMemory     = 10 * time.Minute
	answersMax     = 2 * lettersMax

	// seenMax is how many ids of messages of devices are remembered of a log while somebody is told about it.
	// In a room that forgets, a message that comes behind one that was forgotten here is refused with CodeStale.
	seenMax = 256

	// topicBytesMax is the longest topic. Longer ones are refused with CodeTooLong.
	topicBytesMax = 1 << 10

	// listMax is how many rooms one call of List returns. Callers ask on.
	listMax = 500

	// attachedMax is to how many logs a device is attached, and marksMax how many read markers an account has.
	// One more is refused with CodeTooMany.
	attachedMax = 4_000
	marksMax    = 8_000
)
