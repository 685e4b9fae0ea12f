package native

import "time"

// A Type says what a message is. A request and its answer share one; a push is a message with id 0 (SPEC.md 2.3).
type Type uint64

const (
	TypeError         Type = 0 // Answers any request.
	TypeHello         Type = 1
	TypePing          Type = 2
	TypeRegister      Type = 3
	TypeLogIn         Type = 4
	TypeGuest         Type = 5
	TypeLogOut        Type = 6
	TypePassword      Type = 7
	TypeTokens        Type = 8
	TypeRevoke        Type = 9
	TypeSay           Type = 10
	TypeEvent         Type = 11 // Push.
	TypeJoin          Type = 12
	TypeAttach        Type = 13
	TypeLeave         Type = 14
	TypeDirect        Type = 15
	TypeHistory       Type = 16
	TypeMark          Type = 17
	TypeTyping        Type = 18 // Request and push.
	TypePresence      Type = 19 // Request and push.
	TypeTopic         Type = 20
	TypeRooms         Type = 21
	TypeConversations Type = 22
	TypeDrain         Type = 23 // Push.
	TypeWho           Type = 24
	TypeSince         Type = 25
	TypeContacts      Type = 26
	TypeAddContact    Type = 27
	TypeRemoveContact Type = 28
	TypeBlock         Type = 29
	TypeUnblock       Type = 30
	TypeBlocked       Type = 31
	TypeUpload        Type = 32
	TypeDownload      Type = 33
	TypeTransfer      Type = 34
	TypeChunk         Type = 35 // Request and push.
	TypeFinish        Type = 36 // Request and push.
	TypePrivate       Type = 37 // Request and push.
	TypeWhisper       Type = 38 // Request and push.
)

// An Instant is a point in time in microseconds since 1970-01-01 00:00 UTC, leap seconds not counted. 0 is none.
type Instant int64

// At returns t as an Instant, and 0 for the zero time.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMicro())
}

// Time returns the time, and the zero time for 0.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(i))
}

// Millis is a length of time in milliseconds.
type Millis uint64

// For returns d in milliseconds, rounded up, and 0 if it is negative.
func For(d time.Duration) Millis {
	if d <= 0 {
		return 0
	}
	return Millis((d + time.Millisecond - 1) / time.Millisecond)
}

// Duration returns the length, at most some 292 years.
func (m Millis) Duration() time.Duration {
	const most = uint64(1<<63-1) / uint64(time.Millisecond)
	return time.Duration(min(uint64(m), most)) * time.Millisecond
}
