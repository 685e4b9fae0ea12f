package front

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"udpchat/chat/session"
)

// errNoFronts is a mistake in the listener's configuration.
var errNoFronts = errors.New("front: no protocols to choose from")

// Sniff reads from s until it knows which of fronts the peer speaks to, gives back what it read, and returns that
// front-end. It decides as follows:
//
//   - A single front-end is taken unseen.
//   - The first in the list that says Yes is taken, even if one before it still wants more bytes.
//   - When all have said No, the last in the list is taken: it answers what nobody understands.
//   - When the peer has sent nothing more for the time wait since the call, has closed its side, or has sent 64 bytes
//     and nobody is sure, the only one that could still match is taken; if there are several, the last in the list.
//
// It blocks for at most wait. It returns an error if the session ends or the peer leaves without having sent a byte.
// It is the session's reader while it runs, and leaves no read deadline behind.
func Sniff(s *session.Session, fronts []Front, wait time.Duration) (Front, error) {
	switch len(fronts) {
	case 0:
		return nil, errNoFronts
	case 1:
		return fronts[0], nil
	}
	_ = s.SetReadDeadline(time.Now().Add(wait)) // Where it fails the connection is gone, and Read says why.
	var (
		buf  [prefixBytesMax]byte
		n    int
		f    = fronts[len(fronts)-1]
		sure bool
	)
	for !sure && n < len(buf) {
		got, err := s.Read(buf[n:])
		n += got
		if got > 0 {
			f, sure = choose(fronts, buf[:n])
		}
		if err == nil || sure {
			continue
		}
		if timedOut(err) || n > 0 && err == io.EOF {
			break // Nothing will follow that could tell more.
		}
		return nil, fmt.Errorf("front: first bytes: %w", err)
	}
	s.Unread(buf[:n])
	_ = s.SetReadDeadline(time.Time{}) // As above, after what was given back.
	return f, nil
}

// choose returns the front-end that prefix speaks for, and whether more bytes could not change that.
func choose(fronts []Front, prefix []byte) (f Front, sure bool) {
	last := fronts[len(fronts)-1]
	candidates := 0
	for _, g := range fronts {
		switch g.Match(prefix) {
		case Yes:
			return g, true
		case More:
			f = g
			candidates++
		}
	}
	if candidates == 1 {
		return f, false
	}
	return last, candidates == 0
}

// timedOut reports whether err is the read deadline's, not the end of a connection that had been silent for too long,
// which is a timeout and net.ErrClosed.
func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed)
}
