package chat

import (
	"errors"
	"sync"
	"time"
)

// A post takes whispers and notes to visitors and devices of other nodes. It sends on the log pr/post, which promises nothing and
// reaches everybody, so each letter is sent again until the other node says that it has it, and that node opens only the
// one behind the last: it tells each of them once, in the order in which they were written. The answers are kept by who
// has taken a letter until it is told that nobody wants to know them any more. Lives in a goroutine of its own.
type post struct {
	hub  *Hub
	self nodeID
	wake chan struct{} // Has one entry when there is something to do.
	line line

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

// A letter is a whisper, a Note or an Ask to a node.
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
	account        bool   // To an account, not to visitors.
	note           bool   // To an account, and it is a Note.
	ask            bool   // It is an Ask about the message with the id text in the room to.
	seq            uint64 // Of that message.
}

// incoming is what has come from one node.
type incoming struct {
	heard   time.Time
	last    uint64                 // Number of the last letter that was taken.
	base    uint64                 // Nobody waits for answers to letters before that.
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
	defer p.line.close()
	again, armed := time.NewTimer(postPause), true
	defer again.Stop()
	for {
		p.line.listen(p.take)
		p.read(time.Now())
		p.send(false)
		if !armed && (p.line.stop == nil || p.waits()) {
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
			p.send(false) // The answers of those who have just gone because the server ends.
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
	if !isFor(msg.Data, p.self) || msg.Seq != 0 {
		return
	}
	m, ok := decodePostMessage(msg.Data)
	if !ok {
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
