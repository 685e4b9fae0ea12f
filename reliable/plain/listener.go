package plain

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listener turns datagrams into connections. It is a net.Listener.
type Listener struct {
	cfg   Config       // constant after New
	seed  maphash.Seed // constant after New
	start time.Time    // constant after New; moments are kept as time since then

	mu         sync.Mutex               // guards what follows, and everything in the connections
	acceptable sync.Cond                // backlog or closed changed
	conns      map[netip.AddrPort]*Conn // open, and closed ones that may still see a repeat
	proven     list
	unproven   list
	closedOnes list               // closed by the session; kept for RepeatWindow
	answered   map[*Conn]struct{} // open ones that keep answers
	backlog    []*Conn
	queued     int // bytes that wait to be read
	closed     bool
	timer      *time.Timer // runs sweep; nil until first needed
	wake       time.Duration
	armed      bool // the timer runs, and will fire at wake
	stats      Stats
}

var _ net.Listener = (*Listener)(nil)

// New returns a Listener. It uses nothing that must be given back if it is never used.
func New(cfg Config) *Listener {
	l := &Listener{
		cfg:      cfg.withDefaults(),
		seed:     maphash.MakeSeed(),
		start:    time.Now(),
		conns:    make(map[netip.AddrPort]*Conn),
		answered: make(map[*Conn]struct{}),
	}
	l.acceptable.L = &l.mu
	return l
}

// Handle takes a datagram that came from the given source to the given local address. It does not
// block and does not keep b.
func (l *Listener) Handle(b []byte, from, local netip.AddrPort) {
	from, local = unmapped(from), unmapped(local)
	l.mu.Lock()
	answers := l.handleLocked(l.now(), b, from, local)
	l.mu.Unlock()
	for _, a := range answers {
		// The error is counted, and nobody else could do anything about it.
		_ = l.send(a.b, a.to, local.Addr())
	}
}

// handleLocked takes a datagram and returns what must be sent to its source at once.
func (l *Listener) handleLocked(now time.Duration, b []byte, from, local netip.AddrPort) []datagram {
	l.stats.ReceivedDatagrams++
	l.stats.ReceivedBytes += uint64(len(b))
	switch {
	case len(b) == 0:
		l.stats.DroppedEmpty++
		return nil
	case ours(from, local) || from.Port() == 0:
		l.stats.DroppedForged++
		return nil
	case l.cfg.IsAnswer != nil && l.cfg.IsAnswer(b):
		l.stats.DroppedAnswer++
		return nil
	}
	c := l.conns[from]
	if c != nil {
		c.hearLocked(now, len(b), local)
	}
	if len(b) > DatagramBytesMax {
		l.stats.DroppedTooLong++
		return l.tooLongLocked(c, from, len(b))
	}
	sum := maphash.Bytes(l.seed, b)
	if c != nil && c.last.is(now, sum) {
		l.stats.Repeats++
		return c.repeatLocked()
	}
	if c == nil || c.err != nil {
		if c = l.newConnLocked(now, from, local); c == nil {
			return nil
		}
		c.received = uint64(len(b))
	}
	c.queueLocked(now, b, sum)
	return nil
}

// tooLongLocked returns the answer to a datagram of n bytes, which are too many. c is nil when the
// source has no connection: then none is made, and the datagram pays for its answer by itself.
func (l *Listener) tooLongLocked(c *Conn, from netip.AddrPort, n int) []datagram {
	answer := l.cfg.TooLong
	switch {
	case len(answer) == 0:
		return nil
	case c != nil && !c.spendLocked(len(answer)):
		return nil
	case c == nil:
		if len(answer) > AmplificationMax*n {
			l.stats.DroppedUnproven++
			return nil
		}
		l.countSentLocked(len(answer))
	}
	return []datagram{{answer, from}}
}

// newConnLocked makes a connection for a new source and puts it where Accept finds it. It returns
// nil if there is no room.
func (l *Listener) newConnLocked(now time.Duration, from, local netip.AddrPort) *Conn {
	switch {
	case l.closed:
		l.stats.DroppedShutdown++
		return nil
	case len(l.backlog) >= backlogMax:
		l.stats.DroppedBacklog++
		return nil
	}
	if old := l.conns[from]; old != nil {
		l.forgetLocked(old) // It is closed already.
	}
	exempt := from.Addr().IsLoopback() && !l.cfg.LimitLoopback
	if !l.makeRoomLocked(exempt) {
		l.stats.DroppedConns++
		return nil
	}
	c := &Conn{l: l, remote: from, local: local, proven: exempt, born: now}
	c.readable.L = &l.mu
	l.conns[from] = c
	c.move(now, l.listOf(c))
	l.armLocked(now, now+l.cfg.IdleTimeout)
	l.backlog = append(l.backlog, c)
	l.acceptable.Signal()
	l.stats.Accepted++
	return c
}

// Accept returns the next connection. It blocks until there is one or Close is called.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed {
		for len(l.backlog) > 0 {
			c := l.backlog[0]
			l.backlog = l.backlog[1:]
			if c.err == nil {
				return c, nil
			}
			c.discardLocked() // It was evicted meanwhile.
		}
		l.backlog = nil
		l.acceptable.Wait()
	}
	return nil, net.ErrClosed
}

// Close stops accepting: new sources are dropped, connections nobody accepted are closed. Accepted
// connections live on, so that their sessions can say goodbye; each must be closed by its owner.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	for _, c := range l.backlog {
		if c.err == nil {
			l.endLocked(c, net.ErrClosed)
		}
		c.discardLocked() // It may have been evicted before.
	}
	l.backlog = nil
	for l.closedOnes.oldest != nil {
		l.forgetLocked(l.closedOnes.oldest)
	}
	l.acceptable.Broadcast()
	return nil
}

// Addr returns Config.Addr.
func (l *Listener) Addr() net.Addr { return l.cfg.Addr }

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Conns, s.Unproven = l.proven.n+l.unproven.n, l.unproven.n
	return s
}

// now returns the current moment.
func (l *Listener) now() time.Duration { return time.Since(l.start) }

// send sends a datagram that has been paid for and returns only errors that matter to the caller.
func (l *Listener) send(b []byte, to netip.AddrPort, local netip.Addr) error {
	err := l.cfg.Send(b, to, local)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	l.stats.DroppedSend++
	l.mu.Unlock()
	return err
}

// countSentLocked counts a datagram of n bytes that is about to be sent.
func (l *Listener) countSentLocked(n int) {
	l.stats.SentDatagrams++
	l.stats.SentBytes += uint64(n)
}

// ours reports whether a is the local address, as far as that is known. A datagram to or from it
// would go round in circles.
func ours(a, local netip.AddrPort) bool {
	return a == local || local.Addr().IsUnspecified() && a.Addr().IsLoopback() && a.Port() == local.Port()
}

// unmapped returns a with an IPv4 address as such, not inside an IPv6 one.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
