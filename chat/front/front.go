package front

import (
	"context"

	"udpchat/chat"
	"udpchat/chat/session"
)

// A Front speaks one protocol.
type Front interface {
	// Name is the protocol's name in logs and statistics, one lower-case word.
	Name() string

	// Match looks at the first bytes a peer has sent, at least one. It must not keep or change prefix.
	Match(prefix []byte) Match

	// Serve speaks the protocol on s until the peer leaves or ctx ends. It connects the peer to h and closes what it
	// opened there and what it called back; s itself is closed by the server. It returns why the session ended, never
	// nil: an error that matches io.EOF says that the peer ended the session.
	//
	// The end of ctx means that the server shuts down: Serve tells the peer, if its protocol has words for that, and
	// returns. To learn of it while it reads, it may set a read deadline in the past by context.AfterFunc, which
	// costs no goroutine while nothing happens.
	Serve(ctx context.Context, s *session.Session, h *chat.Hub) error
}

// Match is what a front-end makes of the first bytes of a session.
type Match uint8

const (
	No   Match = iota // This is not my protocol, whatever follows.
	More              // It may be; with more bytes I would know.
	Yes               // It is.
)

// String returns "no", "more" or "yes".
func (m Match) String() string {
	switch m {
	case No:
		return "no"
	case More:
		return "more"
	case Yes:
		return "yes"
	}
	return "invalid"
}

// MatchWords is a Match for protocols whose sessions begin with one of some words: Yes if prefix begins with one of
// them, More if one of them begins with prefix, else No.
func MatchWords(prefix []byte, words ...string) Match {
	m := No
	for _, w := range words {
		n := min(len(prefix), len(w))
		if string(prefix[:n]) != w[:n] {
			continue
		}
		if n == len(w) {
			return Yes
		}
		m = More
	}
	return m
}
