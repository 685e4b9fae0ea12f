package im

// A Reply is something a server says: one of the types below, by value.
type Reply interface{ isReply() }

type (
	// Text is something to show, with its line ends. Code is what it is about: 200, 400, 401 or 403.
	Text struct {
		Code Code
		Text string
	}
	// Fin is the last packet: the client is to end.
	Fin struct{ Text string }
	// Invite tells that Origin asks for a private connection, in order to get chunks of File if that is not empty; Message is
	// what to show.
	Invite struct{ Message, Origin, File string }
	// Connect tells the origin where the target listens.
	Connect struct {
		IP             string
		Port           int
		Origin, Target string
	}
)

func (Text) isReply()    {}
func (Fin) isReply()     {}
func (Invite) isReply()  {}
func (Connect) isReply() {}

// A Code is the number of a Text.
type Code int

// The codes there are (PROTOCOL.md 2.3).
const (
	OK      Code = 200 // Done, or a message.
	Refused Code = 400 // Not done; or there is no such user.
	Wrong   Code = 401 // The password is wrong.
	Shut    Code = 403 // The log-in is over: locked, online already.
)
