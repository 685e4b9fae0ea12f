package lab

// A Request is what a client sends: one of Helo, Kill, Join, Leave, Chat, Disconnect and Unknown.
//
// Room references and JOIN_IDs are kept as the text that was sent: clients send names, blanks and numbers of 39
// digits there, and a reply must repeat them exactly (PROTOCOL.md 4).
type Request interface{ request() }

// Helo asks the server to identify itself. The reply repeats the line.
type Helo struct {
	Line string // The whole line, "HELO" included, without line end.
}

// Kill asks the server process to end.
type Kill struct{}

// Join asks to enter a room, which begins to exist if need be.
type Join struct {
	Room     string // Name of the room.
	ClientIP string // Where to call back over UDP; "0" or empty over TCP.
	Port     string
	Name     string // Handle of the client.
}

// Leave asks to leave a room.
type Leave struct {
	Room   string // ROOM_REF as sent, or a room's name.
	JoinID string // As sent.
	Name   string
}

// Chat says something in a room.
type Chat struct {
	Room   string // ROOM_REF as sent, or a room's name.
	JoinID string // As sent; empty if the line was missing.
	Name   string
	Text   string // May hold newlines, but no empty line.
}

// Disconnect asks the server to end the connection.
type Disconnect struct {
	IP   string // The JOIN's CLIENT_IP over UDP; "0" or empty over TCP.
	Port string
	Name string
}

// Unknown is a line that begins no message.
type Unknown struct {
	Line string
}

func (Helo) request()       {}
func (Kill) request()       {}
func (Join) request()       {}
func (Leave) request()      {}
func (Chat) request()       {}
func (Disconnect) request() {}
func (Unknown) request()    {}
