package chat

import (
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// A post takes whispers to visitors and devices of other nodes. It sends on the log pr/post, which promises nothing and
// reaches everybody, so each letter is sent again until the other node says that it has it, and that node opens only the
// one behind the last: it tells each of them once, in the order in which they were written. The answers are kept by who
// has taken a letter until it is told that nobody wants to know them any more. Lives in a goroutine of its own.
type post struct {
	hub  *Hub
	self nodeID
	wake chan struct{} // Has one entry when there is something to do.

	mu      sync.Mutex           // The innermost of all: nothing is locked while it is held.
	last    uint64               // Number of the last letter to anybody. Guarded by mu, like all that follows.
	out     map[nodeID]*outgoing // Letters that wait for an answer. No empty ones.
	in      map[nodeID]*incoming
	inbox   []postMessage
	closing bool // Nothing is taken any more.
}

// outgoing is what is on the way to one node.
type outgoing struct {
	letters []*letter // In the order of their numbers.
	bytes   int       // Of all their texts.
	sent    uint64    // Up to which they were sent once.
}

// A letter is a whisper or an Ask to a node.
type letter struct {
	n       uint64
	since   time.Time
	arrived bool // The other node has it.
	receipt *Receipt
	whisperTo
}

// whisperTo is what one name whispers to another.
type whisperTo struct {
	to, from, text string
	account        bool // To an account, not to visitors.
	ask            bool // It is an Ask about the message text in the room to.
}

// incoming is what has come from one node.
type incoming struct {
	heard   time.Time
	last    uint64                 // Number of the last letter that was taken.
	early   map[uint64]postMessage // Letters behind one that was lost.
	answers map[uint64]outcome     // What became of letters, as far as that is known and asked for.
	fresh   []uint64               // Which answers are still to be sent.
	owed    bool                   // The other node is to be told how far we are.
}

// outcome is what became of a letter.
type outcome uint8

const (
	outcomeTaken         outcome = iota + 1 // Somebody has it.
	outcomeNotTaken                         // Nobody has it.
	outcomeNotUnderstood                    // As ErrNotUnderstood.
	outcomeNobody                           // There was nobody of that name.
)

var (
	errNodeGone   = errors.New("chat: the server of those it was for is gone")
	errUnanswered = errors.New("chat: no word of what became of it")
	errPostFull   = errors.New("chat: too much is on the way to the server of those it is for")
)

// outcomeOf is what is said about err on the way back, and err what the sender is told then.
func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return outcomeTaken
	case errors.Is(err, ErrNotUnderstood):
		return outcomeNotUnderstood
	}
	return outcomeNotTaken
}

func (o outcome) err() error {
	switch o {
	case outcomeTaken:
		return nil
	case outcomeNotUnderstood:
		return ErrNotUnderstood
	case outcomeNotTaken, outcomeNobody:
	}
	return ErrNotTaken
}

// deliver sends a whisper to a node, with a receipt that waits for it.
func (p *post) deliver(to nodeID, w whisperTo, r *Receipt) {
	p.mu.Lock()
	o := p.out[to]
	if o == nil {
		o = &outgoing{}
	}
	if p.closing || len(o.letters) >= lettersMax || o.bytes+len(w.text) > letterBytesMax {
		p.mu.Unlock()
		r.settle(errPostFull)
		return
	}
	p.last++
	o.letters = append(o.letters, &letter{n: p.last, since: time.Now(), receipt: r, whisperTo: w})
	o.bytes += len(w.text)
	if p.out == nil {
		p.out = make(map[nodeID]*outgoing)
	}
	p.out[to] = o
	p.mu.Unlock()
	p.stir()
}

// stir says that there is something to do. It never blocks.
func (p *post) stir() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run sends and receives until the Hub is closed.
func (p *post) run() {
	defer p.end()
	var stop func()
	defer func() {
		if stop != nil {
			stop()
		}
	}()
	again, armed := time.NewTimer(postPause), true
	defer again.Stop()
	for {
		if stop == nil {
			var err error
			if stop, err = p.hub.cfg.Engine.Subscribe(postLog, p.take); err != nil {
				p.hub.log.Warn("whispers of other nodes are not heard", "err", err)
			}
		}
		p.read(time.Now())
		p.send(false)
		if !armed && (stop == nil || p.waits()) {
			armed = true
			again.Reset(postPause)
		}
		select {
		case <-p.wake:
		case now := <-again.C:
			armed = false
			p.expire(now)
			p.send(true)
		case <-p.hub.done:
			return
		}
	}
}

// waits reports whether some letter waits for its answer.
func (p *post) waits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.out) > 0
}

// take queues what was sent on the log. The engine calls it.
func (p *post) take(msg Msg) {
	if isFrom(msg.Data, p.self) || msg.Seq != 0 {
		return
	}
	m, ok := decodePostMessage(msg.Data)
	if !ok || m.of != p.self {
		return
	}
	p.mu.Lock()
	if len(p.inbox) < nodeInboxMax {
		p.inbox = append(p.inbox, m) // What is too much is sent again.
	}
	p.mu.Unlock()
	p.stir()
}

// read takes what is queued.
func (p *post) read(now time.Time) {
	p.mu.Lock()
	inbox := p.inbox
	p.inbox = nil
	p.mu.Unlock()
	for _, m := range inbox {
		p.hub.people.heardOf(m.from, now)
		switch m.kind {
		case postLetter:
			for _, next := range p.accept(m, now) {
				p.open(next)
			}
		case postAnswers:
			p.settle(m)
		}
	}
}

// accept takes a letter, and returns those whose turn it is now: none if it was taken before, or if one before it was
// lost, which will come again.
func (p *post) accept(m postMessage, now time.Time) (ready []postMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := p.in[m.from]
	if in == nil {
		if len(p.in) >= nodesMax {
			return nil
		}
		in = &incoming{answers: make(map[uint64]outcome), early: make(map[uint64]postMessage)}
		if p.in == nil {
			p.in = make(map[nodeID]*incoming)
		}
		p.in[m.from] = in
	}
	in.heard, in.owed = now, true
	for n := range in.answers {
		if n < m.base {
			delete(in.answers, n)
		}
	}
	switch {
	case m.n == 0: // Only a question.
		for n := range in.answers {
			in.fresh = append(in.fresh, n)
		}
		return nil
	case m.n <= in.last:
		if _, ok := in.answers[m.n]; ok {
			in.fresh = append(in.fresh, m.n)
		}
		return nil
	case m.prev > in.last:
		if len(in.early) < repeatsMax {
			in.early[m.n] = m
		}
		return nil
	}
	for {
		ready = append(ready, m)
		in.last = m.n
		delete(in.early, m.n)
		next := uint64(math.MaxUint64)
		for n, early := range in.early {
			switch {
			case n <= in.last:
				delete(in.early, n)
			case early.prev <= in.last:
				next = min(next, n)
			}
		}
		if next == math.MaxUint64 {
			return ready
		}
		m = in.early[next]
	}
}

// open tells those a letter is for.
func (p *post) open(m postMessage) {
	answer := func(o outcome) {
		p.mu.Lock()
		if in := p.in[m.from]; in != nil {
			in.answers[m.n], in.fresh, in.owed = o, append(in.fresh, m.n), true
		}
		p.mu.Unlock()
		p.stir()
	}
	r := &Receipt{waiting: 1, done: make(chan struct{}), then: func(err error) { answer(outcomeOf(err)) }}
	if m.ask {
		r.all = true
		p.hub.answer(m.to, m.text, r)
		r.settle(nil)
		return
	}
	if p.hub.tell(m.whisperTo, r) == 0 {
		answer(outcomeNobody)
		return
	}
	r.settle(ErrNotTaken)
}

// settle takes answers.
func (p *post) settle(m postMessage) {
	p.mu.Lock()
	var settled []*letter
	if o := p.out[m.from]; o != nil {
		kept := o.letters[:0]
		for _, l := range o.letters {
			l.arrived = l.arrived || l.n <= m.last
			if _, ok := m.answers[l.n]; ok {
				settled = append(settled, l)
				continue
			}
			kept = append(kept, l)
		}
		p.keepLocked(m.from, o, kept)
	}
	p.mu.Unlock()
	for _, l := range settled {
		l.receipt.settle(m.answers[l.n].err())
	}
}

// keepLocked has only those letters wait.
func (p *post) keepLocked(to nodeID, o *outgoing, letters []*letter) {
	clear(o.letters[len(letters):])
	if o.letters = letters; len(letters) == 0 {
		delete(p.out, to)
		return
	}
	o.bytes = 0
	for _, l := range letters {
		o.bytes += len(l.text)
	}
}

// expire gives up letters for which nobody waits any longer, or whose node is gone, and forgets nodes from which nothing
// has come for so long that nothing can come again.
func (p *post) expire(now time.Time) {
	p.mu.Lock()
	waiting := slices.Collect(maps.Keys(p.out))
	p.mu.Unlock()
	dead := make(map[nodeID]bool)
	for _, to := range waiting {
		dead[to] = !p.hub.people.lives(to)
	}
	given := make(map[*letter]error)
	p.mu.Lock()
	for to, o := range p.out {
		kept := o.letters[:0]
		for _, l := range o.letters {
			switch {
			case dead[to], !l.arrived && now.Sub(l.since) >= letterArrival:
				given[l] = errNodeGone
			case now.Sub(l.since) >= letterLife:
				given[l] = errUnanswered
			default:
				kept = append(kept, l)
			}
		}
		p.keepLocked(to, o, kept)
	}
	for from, in := range p.in {
		if now.Sub(in.heard) > postMemory {
			delete(p.in, from)
		}
	}
	p.mu.Unlock()
	for l, err := range given {
		l.receipt.settle(err)
	}
}

// send sends what was not sent yet; again: also what may have been lost.
func (p *post) send(again bool) {
	for _, m := range p.due(again) {
		if err := p.hub.cfg.Engine.Send(postLog, m.encode()); err != nil {
			p.hub.log.Warn("other nodes are not told what is whispered", "err", err)
		}
	}
}

// due returns what is to be sent.
func (p *post) due(again bool) (all []postMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for to, o := range p.out {
		m := postMessage{kind: postLetter, from: p.self, of: to, base: o.letters[0].n}
		asks, repeats := false, 0
		for _, l := range o.letters {
			old := l.n <= o.sent
			asks = asks || again && l.arrived
			if old && (!again || l.arrived || repeats >= repeatsMax) {
				m.prev = l.n
				continue
			}
			if old {
				repeats++
			}
			m.n, m.whisperTo = l.n, l.whisperTo
			all = append(all, m)
			m.prev = l.n
		}
		if asks { // The answer to one that has arrived was perhaps lost.
			m.n, m.prev, m.whisperTo = 0, 0, whisperTo{}
			all = append(all, m)
		}
		o.sent = o.letters[len(o.letters)-1].n
	}
	for from, in := range p.in {
		if !in.owed {
			continue
		}
		m := postMessage{kind: postAnswers, from: p.self, of: from, last: in.last, answers: make(map[uint64]outcome)}
		for _, n := range in.fresh {
			if o, ok := in.answers[n]; ok {
				m.answers[n] = o
			}
		}
		all = append(all, m)
		in.fresh, in.owed = nil, false
	}
	return all
}

// end gives up all letters.
func (p *post) end() {
	p.mu.Lock()
	out := p.out
	p.out, p.closing = nil, true
	p.mu.Unlock()
	for _, o := range out {
		for _, l := range o.letters {
			l.receipt.settle(errUnanswered)
		}
	}
}
