package relay

import "fmt"

// A Role is what a connection is registered for.
type Role uint8

const (
	ToSend Role = iota + 1 // To send to others, and to be answered.
	ToRecv                 // To be sent what others say.
)

// String returns the word on the wire.
func (r Role) String() string {
	switch r {
	case ToSend:
		return "TOSEND"
	case ToRecv:
		return "TORECV"
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

// A Request is what a client says: Register, Send, Incomplete, Received, Failed or Unknown. Names are as they came, but
// for spaces around them, and may be empty.
type Request interface{ isRequest() }

// Register is REGISTER.
type Register struct {
	Role Role
	Name string
	Wide bool // Its head has a space before its end, and one in it; the answer has to look like that (PROTOCOL.md 2.1).
}

// Send is SEND with its text.
type Send struct {
	To   string
	Text string // At most TextBytesMax.
}

// Incomplete is SEND without a Content-length, or with one that is no length: what follows cannot be read.
type Incomplete struct{ To string }

// Received is RECEIVED, also in its other spelling: the FORWARD has arrived.
type Received struct{ From string }

// Failed is a client's ERROR: the FORWARD has not.
type Failed struct{ Code Code }

// Unknown is a message that is none of the others.
type Unknown struct{ Line string } // Its first line, cut.

func (Register) isRequest()   {}
func (Send) isRequest()       {}
func (Incomplete) isRequest() {}
func (Received) isRequest()   {}
func (Failed) isRequest()     {}
func (Unknown) isRequest()    {}

// A Reply is what a server says: Registered, Forward, Sent, Error or UnknownReply.
type Reply interface{ isReply() }

// Registered is REGISTERED.
type Registered struct {
	Role Role
	Name string
	Wide bool // As in Register.
}

// Forward is FORWARD with its text.
type Forward struct {
	From string
	Text string
}

// Sent is SENT: whoever it was for has it.
type Sent struct{ To string }

// Error is ERROR.
type Error struct{ Code Code }

// UnknownReply is a message that is none of the others.
type UnknownReply struct{ Line string } // Its first line, cut.

func (Registered) isReply()   {}
func (Forward) isReply()      {}
func (Sent) isReply()         {}
func (Error) isReply()        {}
func (UnknownReply) isReply() {}

// A Code is the number of an ERROR.
type Code int

const (
	CodeMalformedName Code = 100 // The name cannot be registered.
	CodeNotRegistered Code = 101 // Not before both registrations.
	CodeUnable        Code = 102 // It was not delivered.
	CodeIncomplete    Code = 103 // The head cannot be read.
)

// String returns the words that go with the number.
func (c Code) String() string {
	switch c {
	case CodeMalformedName:
		return "Malformed username"
	case CodeNotRegistered:
		return "No user registered"
	case CodeUnable:
		return "Unable to send"
	case CodeIncomplete:
		return "Header incomplete"
	}
	return "Error"
}

// CanName reports whether a name can stand in a message: it is one word.
func CanName(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] == 0x7F {
			return false
		}
	}
	return name != ""
}
