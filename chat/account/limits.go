package account

import "time"

const (
	// wrongMax is how many wrong passwords in a row lock (see the package comment). lockDuration is for how long unless
	// configured, and also after which time without another wrong one they are forgotten, at least wrongMemory.
	wrongMax     = 3
	lockDuration = time.Minute
	wrongMemory  = 15 * time.Minute

	// slowFrom is after how many wrong passwords from anywhere log-ins to one account are slowed down: by slowStep for each
	// above it, at most slowMax. One is forgotten every slowDecay.
	slowFrom  = 10
	slowStep  = 200 * time.Millisecond
	slowMax   = 3 * time.Second
	slowDecay = 10 * time.Second

	// slowedMax is how many log-ins may be slowed down at a time; more are refused with CodeBusy.
	slowedMax = 1_000

	// waitingMax is how many log-ins of one network to one account may wait for each other, so that none of them tries more
	// passwords than it may. More are refused with CodeBusy.
	waitingMax = 16

	// attemptsMax is for how many pairs of account and network, and for how many accounts, wrong passwords are remembered.
	// Each takes about 200 bytes. When there are more, those are forgotten that are longest ago; at what a hash costs it
	// takes longer than a lock to get there.
	attemptsMax = 50_000

	// spendersMax is for how many networks we remember how much they have registered and got wrong; beyond it those that
	// have not used it for the longest time begin anew.
	spendersMax = 50_000

	// registrationsBurst is how many accounts and guests one network may make at once, and registrationEvery after what time
	// it may make another. More are refused with CodeRateLimited. Loopback is exempt.
	registrationsBurst = 20
	registrationEvery  = 30 * time.Second

	// wrongsBurst is how many wrong passwords one network may send at once, for whatever accounts, and wrongEvery after what
	// time it may send another. Beyond it log-ins with a password are refused with CodeRateLimited. Loopback is exempt.
	wrongsBurst = 100
	wrongEvery  = time.Second

	// guestLife is how long a guest is kept after its last log-in unless configured; guestsMax is how many there may be.
	// More are refused with CodeTooMany.
	guestLife = 7 * 24 * time.Hour
	guestsMax = 10_000

	// tokensMax is how many devices an account may have. One more, and the one that was not used for the longest time is
	// forgotten.
	tokensMax = 32

	// usedStep is how exactly it is known when a token was last used: oftener is not written.
	usedStep = time.Hour

	// labelBytesMax is the longest name of a device; longer ones are cut.
	labelBytesMax = 64

	// contactsMax is how many accounts one may add; more are refused with CodeTooMany. requestsMax is how many may have added
	// it; those beyond it are not remembered until there is room.
	contactsMax = 1_000
	requestsMax = 2_000

	// blocksMax is how many accounts one may block; more are refused with CodeTooMany.
	blocksMax = 1_000

	// avatarBytesMax and aboutBytesMax are the largest parts of a profile; larger ones are refused with CodeTooLong.
	avatarBytesMax = 512 << 10
	aboutBytesMax  = 4 << 10

	// quotaBytes is how many bytes of files an account may answer for unless configured, and quotaFilesMax how many files.
	// More are refused with CodeQuota.
	quotaBytes    = 1 << 30
	quotaFilesMax = 4_096

	// unsharedLife is how long a file stays that was stored and that nobody was told of: a client that was cut off in between
	// has that much time to come back.
	unsharedLife = 7 * 24 * time.Hour

	// waitsMax is how many accounts may have stored the same file and told nobody. With more it stays for good.
	waitsMax = 64

	// dropTimeout bounds dropping one file. Who has not come to the end after dropLease never will, and another server does it.
	dropTimeout = time.Minute
	dropLease   = time.Hour

	// fileIDBytesMax is the longest id of a file in that list; longer ones are refused with CodeTooLong.
	fileIDBytesMax = 128

	// numbersAtOnce is how many numbers of accounts a server takes from the record at once. Those it does not need before it
	// ends are never given out.
	numbersAtOnce = 16

	// recordTries is how often a change of a record is tried when others change it at the same time. Each time one of them
	// succeeds, so this many contenders are served; then it is an error.
	recordTries = 200

	// lookupTimeout is how long Reserved, which has no ctx, waits for the engine.
	lookupTimeout = 2 * time.Second

	// importLineBytesMax is the longest line of a file of credentials, and importLinesMax how many it may have. A longer
	// line is reported and skipped; more lines are an error.
	importLineBytesMax = 4 << 10
	importLinesMax     = 1_000_000
)
