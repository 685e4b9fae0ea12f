package lab

import "udpchat/chat/wire/lab"

// A Kind says what an Event is.
type Kind uint8

const (
	KindSaid    Kind = iota + 1 // Somebody said something: Room, Ref, Name, Text, Mine.
	KindNotice                  // Somebody joined or left: Room, Ref, Name (who), Text (the sentence).
	KindJoined                  // We are in a room: Room, Ref, JoinID.
	KindLeft                    // We have left a room: Room, Ref, JoinID.
	KindHello                   // The server identified itself: Hello.
	KindError                   // The server refused something: Err.
	KindUnknown                 // A line that belongs to no message, or a message that cannot be read: Text.
)

// An Event is one message of the server. Names and texts are as sent: clean them before printing.
type Event struct {
	Kind   Kind
	Room   string // Name of the room; empty if we never joined one with this reference.
	Ref    string // ROOM_REF.
	JoinID string
	Name   string
	Text   string
	Mine   bool // This is what we said, come back from the server.
	Hello  lab.HeloReply
	Err    *ServerError
}

// A Room is a room we are in.
type Room struct {
	Name   string
	Ref    string // ROOM_REF
	JoinID string // JOIN_ID we have in it.
}

// What follows the name in a notice.
const (
	joinedText = " has joined this chatroom."
	leftText   = " has left this chatroom."
)

// isNotice reports whether a CHAT with this name and text is the server's notice that name joined or left. The
// protocol has no mark for notices; their sentences are what servers agree on (PROTOCOL.md 5). Somebody may say such
// a sentence himself: about himself only, and that is how much it is worth.
func isNotice(name, text string) bool {
	return text == name+joinedText || text == name+leftText
}
