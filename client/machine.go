package client

import (
	"math/rand/v2"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// A phase is how far a connection has come.
type phase uint8

const (
	down     phase = iota // There is no connection.
	greeting              // Hello and the log-in were sent and are not answered.
	up                    // We are logged in.
	draining              // The server will end the connection: nothing new is sent over it.
)

// A machine is the client without sockets, clocks and goroutines: it is told the time, what the program wants, what the
// server says, and that a connection has come or gone. It leaves frames to be written in out, events in queue, and in
// verdict what is to become of the connection. It is not safe for concurrent use.
//
//	program  → say, request, follow …  → out                    → server
//	server   → handle                  → queue, answers         → program
//	time     → advance                 → out, verdict
type machine struct {
	cfg     Config // Constant.
	rng     *rand.Rand
	numbers *numbers

	phase     phase
	transport string
	address   string
	began     time.Time // When the connection was made.
	greeted   bool      // The server has answered over it.
	upSince   time.Time // When we were logged in over it.
	lostAt    time.Time // When the last one was lost; zero: there was none.
	heard     time.Time // When the server said something last.
	late      time.Time // When it was asked last whether it is there, because an answer was late.
	quiet     time.Time // Since when the server owes an answer and says nothing; zero: it does not.
	ends      time.Time // draining: when we go at the latest.

	account, show, device, own string // As the server says.
	welcome                    native.Welcome
	registered                 bool // There is the account that Config.Register asks for.
	registerLost               bool // Register was sent, and the answer was lost: that the name is taken may be our doing.

	id      uint64
	pending map[uint64]*request // Sent and not answered.
	order   []uint64            // Of pending, in the order of sending.
	waiting []*request          // Not sent, because we are not up.

	outbox outbox
	says   map[uint64]*Message // Sent and not answered, by the request's id.
	logs   map[string]*follower
	names  []string // Of logs, in the order they were followed.
	marks  marks
	clock  clock
	pinged time.Time     // When the clock was asked for last.
	pause  time.Duration // Until the next time.

	out        []byte // Frames to be written.
	queue      queue
	direct     idSet // What came past the server,
	served     idSet // and in direct conversations by the server: either may come again on the other way.
	verdict    verdict
	introduced func(native.Private) // Takes what others say about direct connections.
	changed    chan struct{}        // Closed and replaced when the server has said something, or is gone.
}

// A verdict says what is to become of the connection.
type verdict struct {
	drop  bool          // It is of no use any more.
	err   error         // Why.
	final bool          // There is no point in another one.
	wait  time.Duration // The least time until the next one.
	next  string        // HOST:PORT of the next one; empty: as configured.
}

func newMachine(cfg Config, numbers *numbers, rng *rand.Rand) *machine {
	m := &machine{
		cfg: cfg, rng: rng, numbers: numbers,
		pending: make(map[uint64]*request), says: make(map[uint64]*Message), logs: make(map[string]*follower),
		changed: make(chan struct{}),
	}
	m.outbox.number, m.outbox.skip = numbers.next, numbers.skip
	return m
}

// change tells those who wait for something to look again.
func (m *machine) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// advance does what is due.
func (m *machine) advance(now time.Time) {
	switch m.phase {
	case down:
		return
	case greeting:
		if !now.Before(m.greetingEnds()) {
			m.verdict = verdict{drop: true, err: ErrNoAnswer}
		}
		return
	case draining:
		if !now.Before(m.ends) || m.unanswered() == 0 {
			m.verdict.drop = true
		}
		return
	}
	for _, name := range m.names {
		f := m.logs[name]
		if what := f.next(now, m.queue.roomy()); what != nil {
			m.ask(now, f, what)
		}
	}
	for len(m.waiting) > 0 {
		r := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.send(now, r)
	}
	for len(m.out) < frameBytesMax {
		msg := m.outbox.next(now)
		if msg == nil {
			break
		}
		m.says[m.frame(now, msg.request())] = msg
		m.tell(msg)
	}
	for _, mark := range m.marks.due(now) {
		m.send(now, &request{what: mark, settle: func(time.Time, native.Reply, error) {}}) // The next one counts as well.
	}
	if at := m.pingAt(); !at.After(now) {
		m.ping(now)
	}
	if at := m.lateAt(); !at.IsZero() && !at.After(now) {
		m.late = now
		m.ping(now)
	}
}

// greetingEnds returns how long the server may take to let us in.
func (m *machine) greetingEnds() time.Time {
	if !m.greeted && m.account == "" {
		return m.began.Add(helloWait)
	}
	return m.began.Add(loginWait)
}

// nextAt returns when advance must be called again at the latest if nothing else happens; zero: never.
func (m *machine) nextAt(now time.Time) time.Time {
	switch m.phase {
	case down:
		return time.Time{}
	case greeting:
		return m.greetingEnds()
	case draining:
		return m.ends
	}
	at := earlier(earlier(m.pingAt(), m.lateAt()), m.marks.nextAt())
	if len(m.out) < frameBytesMax {
		at = earlier(at, m.outbox.nextAt())
	}
	if !m.suspect(now) {
		at = earlier(at, m.suspectAt())
	}
	for _, f := range m.logs {
		at = earlier(at, f.nextAt(m.queue.roomy()))
	}
	return at
}

// earlier returns the earlier of two times; a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// unanswered returns how much the server owes an answer to.
func (m *machine) unanswered() int { return len(m.pending) + len(m.says) }

// suspectAt returns when the server is so silent that it may be gone; zero: it owes nothing.
func (m *machine) suspectAt() time.Time {
	if m.quiet.IsZero() {
		return time.Time{}
	}
	return m.quiet.Add(suspectAfter)
}

// suspect reports whether the server may be gone.
func (m *machine) suspect(now time.Time) bool {
	at := m.suspectAt()
	return m.phase >= up && !at.IsZero() && !now.Before(at)
}

// lateAt returns when the server is asked whether it is there, because it owes an answer and says nothing: one that waits
// for its store answers that at once. Zero: not.
func (m *machine) lateAt() time.Time {
	if m.quiet.IsZero() || !m.late.Before(m.quiet) {
		return time.Time{}
	}
	return m.quiet.Add(lateAfter)
}

// request takes a request of the program: it is sent when we are up.
func (m *machine) request(now time.Time, r *request) error {
	if m.verdict.final {
		return m.verdict.err
	}
	if len(m.pending)+len(m.waiting) >= requestsMax {
		return ErrFull
	}
	m.waiting = append(m.waiting, r)
	m.advance(now)
	return nil
}

// post takes a message of ours.
func (m *machine) post(now time.Time, msg *Message) error {
	if m.verdict.final {
		return m.verdict.err
	}
	if err := m.outbox.add(msg, now); err != nil {
		return err
	}
	m.advance(now)
	if msg.Status().State == Queued {
		m.tell(msg)
	}
	return nil
}

// forget notes that nobody waits for the answer of r any more. It may have been sent.
func (m *machine) forget(r *request) {
	r.again = false
	r.settle = func(time.Time, native.Reply, error) {}
	for i, other := range m.waiting {
		if other == r {
			m.waiting = append(m.waiting[:i:i], m.waiting[i+1:]...)
			return
		}
	}
}

// send writes a request, whose answer settles it.
func (m *machine) send(now time.Time, r *request) {
	if id := m.frame(now, r.what); id != 0 {
		m.pending[id] = r
		m.order = append(m.order, id)
		return
	}
	r.settle(now, native.Done{}, nil)
}

// frame writes a request, with an id unless nobody cares what becomes of it.
func (m *machine) frame(now time.Time, what native.Request) (id uint64) {
	if what.Type() != native.TypeTyping {
		m.id++
		id = m.id
		if m.quiet.IsZero() {
			m.quiet = now
		}
	}
	m.out = message.Append(m.out, native.AppendRequest(nil, id, what))
	return id
}

// ask sends what a follower wants to know.
func (m *machine) ask(now time.Time, f *follower, what native.Request) {
	m.send(now, &request{what: what, settle: func(now time.Time, reply native.Reply, err error) {
		if m.logs[f.log] != f {
			return // It is not followed any more.
		}
		m.followed(now, f, reply, err)
	}})
}

// pingAt returns when the server's clock is asked for next.
func (m *machine) pingAt() time.Time {
	at := m.pinged.Add(m.pause)
	if m.transport == TCP {
		at = earlier(at, m.heard.Add(aliveEvery))
	}
	return at
}

func (m *machine) ping(now time.Time) {
	m.pinged, m.pause = now, min(2*m.pause, pingEvery)
	if m.transport == TCP {
		m.heard = now // Not again before the answer is overdue.
	}
	m.send(now, &request{what: native.Ping{Sent: native.At(now)}, settle: func(heard time.Time, reply native.Reply, err error) {
		if p, ok := reply.(native.Pong); ok && err == nil {
			m.clock.exchange(now, p.Received.Time(), p.Answered.Time(), heard)
		}
	}})
}

// tell puts the status of a message of ours into the queue: its end once, however often we hear of it.
func (m *machine) tell(msg *Message) {
	s := msg.Status()
	if !msg.told && m.queue.offer(Outgoing{msg, s}) {
		msg.told = s.State >= Stored
	}
}
