package lab

// A Reply is what a server sends: one of HeloReply, Joined, Left, ChatMessage, ErrorReply and UnknownReply.
type Reply interface{ reply() }

// HeloReply answers Helo.
type HeloReply struct {
	Line      string // The line of the request, repeated.
	IP        string
	Port      string
	StudentID string
}

// Joined answers Join: the client is in the room from here on.
type Joined struct {
	Room     string // Name of the room.
	ServerIP string
	Port     string
	RoomRef  string
	JoinID   string
}

// Left answers Leave, with the values of the request.
type Left struct {
	RoomRef string
	JoinID  string
}

// ChatMessage is something said in a room, a notice that somebody joined or left included.
type ChatMessage struct {
	RoomRef string
	Name    string // The client it came from or is about.
	Text    string // May hold newlines, but no empty line.
}

// ErrorReply answers a request that failed.
type ErrorReply struct {
	Code        Code
	Description string
}

// UnknownReply is a line that begins no reply. Servers may send such text in answer to an unknown request.
type UnknownReply struct {
	Line string
}

func (HeloReply) reply()    {}
func (Joined) reply()       {}
func (Left) reply()         {}
func (ChatMessage) reply()  {}
func (ErrorReply) reply()   {}
func (UnknownReply) reply() {}
