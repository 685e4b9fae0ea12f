package native

import (
	"encoding/hex"
	"strings"

	"udpchat/chat"
	wire "udpchat/chat/wire/native"
)

// encode returns an event as a frame, or nil if the protocol has no words for it.
func encode(ev *chat.Event) []byte {
	m := pushOf(ev)
	if m == nil {
		return nil
	}
	return frame(wire.AppendPush(nil, m))
}

// pushOf returns an event as a message, or nil.
func pushOf(ev *chat.Event) wire.Push {
	switch ev.Kind {
	case chat.KindWhispered:
		return wire.Whisper{Name: printable(ev.Name), Text: printable(ev.Text)}
	case chat.KindTyping:
		return wire.Typing{Log: ev.RoomName, On: ev.Number != 0, Account: ev.Account}
	case chat.KindPresence:
		return wire.Presence{Person: &wire.Person{
			Account: ev.Account, Show: showOf(ev.Name, ev.Account), State: stateOf(chat.Presence(ev.Number)), Since: wire.At(ev.Time),
		}}
	}
	m, ok := eventOf(ev)
	if !ok {
		return nil
	}
	return m
}

// notePassword is what a KindProfile says (chat.Hub.Announce) if the password is another one.
const notePassword = "password"

// eventOf returns an event as the protocol's. ok is false if it has none of that kind.
func eventOf(ev *chat.Event) (m wire.Event, ok bool) {
	m = wire.Event{
		Log: ev.RoomName, Seq: ev.Seq, Time: wire.At(ev.Time), Account: ev.Account, Visitor: uint64(ev.User),
		Show: showOf(ev.Name, ev.Account), Text: printable(ev.Text), Reason: reasonOf(ev.Reason),
	}
	if device, counter := ev.From(); counter != 0 {
		m.Device, m.Counter = device, counter
	}
	switch ev.Kind {
	case chat.KindJoined:
		m.Kind = wire.KindJoined
	case chat.KindLeft:
		m.Kind = wire.KindLeft
	case chat.KindSaid:
		m.Kind = wire.KindSaid
	case chat.KindFile:
		m.Kind, m.File, m.Text = wire.KindFile, fileOf(ev.File), ""
	case chat.KindTopic:
		m.Kind = wire.KindTopic
	case chat.KindConversation:
		m.Kind, m.Peer, m.About = wire.KindConversation, ev.About, chat.DirectLog(ev.Account, ev.About)
	case chat.KindEntered:
		m.Kind, m.About = wire.KindRoomJoined, ev.About
	case chat.KindExited:
		m.Kind, m.About = wire.KindRoomLeft, ev.About
	case chat.KindRequested:
		m.Kind, m.Peer = wire.KindContactRequest, ev.About
	case chat.KindContact:
		m.Kind, m.Peer = wire.KindContactAdded, ev.About
	case chat.KindContactGone:
		m.Kind, m.Peer = wire.KindContactRemoved, ev.About
	case chat.KindBlocked:
		m.Kind, m.Peer = wire.KindBlocked, ev.About
	case chat.KindUnblocked:
		m.Kind, m.Peer = wire.KindUnblocked, ev.About
	case chat.KindProfile:
		m.Kind = wire.KindProfile
		if ev.Text == notePassword {
			m.Kind, m.Text = wire.KindPassword, ""
		}
	case chat.KindRevoked:
		m.Kind, m.Text = wire.KindRevoked, ev.About
	case chat.KindMarked:
		m.Kind, m.About, m.Number = wire.KindMarked, ev.About, ev.Number
	default:
		return wire.Event{}, false
	}
	return m, true
}

// printable returns a text as valid UTF-8; visitors may say any bytes.
func printable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// showOf returns the name to show where it is not the account's.
func showOf(name, account string) string {
	if name == account {
		return ""
	}
	return printable(name)
}

func fileOf(f *chat.File) *wire.File {
	if f == nil {
		return nil
	}
	sum, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return nil // Not announced by Say, which checks it.
	}
	return &wire.File{Digest: sum, Size: uint64(f.Size), Name: f.Name, Type: f.MIME}
}

func reasonOf(r chat.LeaveReason) wire.Reason {
	switch r {
	case chat.ReasonLeft:
		return wire.ReasonLeft
	case chat.ReasonDisconnected:
		return wire.ReasonDisconnected
	case chat.ReasonLost:
		return wire.ReasonLost
	case chat.ReasonSlow:
		return wire.ReasonSlow
	case chat.ReasonShutdown:
		return wire.ReasonShutdown
	}
	return 0
}
