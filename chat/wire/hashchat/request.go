package hashchat

// A Request is what a client says: Connect, Send, Close or Unknown.
type Request interface{ isRequest() }

// Connect is CONNECT: the client's name. It may be empty.
type Connect struct{ Name string }

// Send is SEND: a text for everybody, or for some names.
type Send struct {
	All  bool     // To everybody: the name was *.
	To   []string // Else these: none empty, none *, none twice, at most NamesMax; nil if there was none.
	Text string
}

// Close is CLOSE, with whatever stands behind it.
type Close struct{}

// Unknown is a line that is none of the others.
type Unknown struct{ Line string }

func (Connect) isRequest() {}
func (Send) isRequest()    {}
func (Close) isRequest()   {}
func (Unknown) isRequest() {}

// A Reply is what a server says: Online, Message, Closed or UnknownReply.
type Reply interface{ isReply() }

// Online is ONLINE: who is there, in the order in which they came.
type Online struct{ Names []string }

// Message is MESSAGE: what somebody says.
type Message struct{ From, Text string }

// Closed is CLOSE: the server closes the connection.
type Closed struct{ Why Why }

// UnknownReply is a line that is none of the others.
type UnknownReply struct{ Line string }

func (Online) isReply()       {}
func (Message) isReply()      {}
func (Closed) isReply()       {}
func (UnknownReply) isReply() {}

// Why is what a CLOSE says about itself (PROTOCOL.md 4). Only the numbered dialect has other than WhyUnsaid.
type Why uint8

const (
	WhyUnsaid  Why = iota // CLOSE#
	WhyNormal             // CLOSE#0: the client asked for it, or the server ends.
	WhyIllegal            // CLOSE#1: the client said something that is no request here.
	WhyNoUser             // CLOSE#2: a name is not one of the users.
)
