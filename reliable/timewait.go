package reliable

import (
	"bytes"
	"net/netip"
	"time"

	"udpchat/reliable/internal/wire"
)

// A helloKey names the connection a hello asks for: repetitions have the same.
type helloKey struct {
	from   netip.AddrPort
	source wire.ConnID
	nonce  wire.Nonce
}

// An endedConn is remembered for a while after its end (SPEC.md 9.3).
type endedConn struct {
	local wire.ConnID
	key   helloKey
	path  Path
	frame []byte // the close packet, to repeat to a peer that has not heard it; nil: nothing to say
	late  uint64 // datagrams that came after the end
	until time.Time
}

// answer returns what to answer to one more datagram that came after the end: the close packet to the first, second,
// fourth, eighth, … Two endpoints that have both forgotten the connection would otherwise answer each other's answers.
func (c *endedConn) answer() []byte {
	c.late++
	if c.late&(c.late-1) != 0 {
		return nil
	}
	return c.frame
}

// timeWaitList remembers ended connections, so that a late packet is answered by "it is closed", and a replayed hello
// does not make a ghost. At most timeWaitMax; the zero value is empty.
type timeWaitList struct {
	byLocal map[wire.ConnID]*endedConn
	byHello map[helloKey]struct{}
	order   []*endedConn // oldest first
}

func (l *timeWaitList) add(now time.Time, c *endedConn) {
	if l.byLocal == nil {
		l.byLocal = make(map[wire.ConnID]*endedConn)
		l.byHello = make(map[helloKey]struct{})
	}
	c.frame = bytes.Clone(c.frame)
	c.until = now.Add(timeWait)
	for len(l.order) >= timeWaitMax {
		l.forgetOldest()
	}
	l.byLocal[c.local] = c
	l.byHello[c.key] = struct{}{}
	l.order = append(l.order, c)
}

// expire forgets what is over. It is called whenever the list is used, so nothing needs a timer.
func (l *timeWaitList) expire(now time.Time) {
	for len(l.order) > 0 && !now.Before(l.order[0].until) {
		l.forgetOldest()
	}
}

func (l *timeWaitList) forgetOldest() {
	c := l.order[0]
	l.order[0] = nil
	l.order = l.order[1:]
	delete(l.byLocal, c.local)
	delete(l.byHello, c.key)
	if len(l.order) == 0 {
		*l = timeWaitList{}
	}
}
