package im

// A Request is something a client asks for: one of the types below, by value.
type Request interface{ isRequest() }

type (
	// Login is a log-in (PROTOCOL.md 3.1). Without a password it asks whether there is such a user.
	Login struct {
		User        string
		Password    string
		HasPassword bool
	}
	// Register makes a user.
	Register struct{ User, Password string }
	// Message is a text for one user.
	Message struct{ To, Text string }
	// Broadcast is a text for all.
	Broadcast struct{ Text string }
	// WhoElse asks who is online.
	WhoElse struct{}
	// WhoElseSince asks who was online within the last so many seconds.
	WhoElseSince struct{ Seconds int64 }
	// Block has the server keep a user away.
	Block struct{ User string }
	// Unblock takes back Block.
	Unblock struct{ User string }
	// StartPrivate asks a user for a connection (PROTOCOL.md 4), in order to get chunks of File if that is not empty.
	StartPrivate struct{ Target, File string }
	// Accept says where the target of StartPrivate listens.
	Accept struct {
		IP             string
		Port           int
		Origin, Target string
	}
	// Decline says that the target does not want to.
	Decline struct{ Origin, Target string }
	// RegisterFile says that the user has a file of Size bytes that is cut into Chunks (PROTOCOL.md 5.1): all of it, or the chunks
	// with the numbers in Has if that is not nil. With Chunks 0, size and number of chunks are as somebody has registered them
	// before, and Has is not nil.
	RegisterFile struct {
		File   string
		Size   int64
		Chunks int
		Has    []int
	}
	// SearchFile asks who has a file or some of it.
	SearchFile struct{ File string }
	// SearchChunk asks who has which of some chunks of a file.
	SearchChunk struct {
		File   string
		Chunks []int // At least one.
	}
	// Refresh says that the user is there.
	Refresh struct{}
	// Logout is the end.
	Logout struct{}
	// Unknown is a packet of no known route.
	Unknown struct{ Route string }
)

func (Login) isRequest()        {}
func (Register) isRequest()     {}
func (Message) isRequest()      {}
func (Broadcast) isRequest()    {}
func (WhoElse) isRequest()      {}
func (WhoElseSince) isRequest() {}
func (Block) isRequest()        {}
func (Unblock) isRequest()      {}
func (StartPrivate) isRequest() {}
func (Accept) isRequest()       {}
func (Decline) isRequest()      {}
func (RegisterFile) isRequest() {}
func (SearchFile) isRequest()   {}
func (SearchChunk) isRequest()  {}
func (Refresh) isRequest()      {}
func (Logout) isRequest()       {}
func (Unknown) isRequest()      {}
