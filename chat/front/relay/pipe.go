package relay

import (
	"strings"
	"sync"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/relay"
)

// A pipe is what is written to a session. Answers go first; there is writeGap between any two messages, and a FORWARD
// waits for the receipt of the one before (PROTOCOL.md 2.4, 3.2). While something waits, a goroutine sees to it.
type pipe struct {
	session *session.Session
	wait    time.Duration  // For a receipt.
	wg      sync.WaitGroup // The goroutine.

	mu       sync.Mutex
	spaced   bool         // The client wants heads that end with a space. Guarded by mu, like all that follows.
	saySend  bool         // It wants SENT to be called SEND.
	answers  []wire.Reply // To be written.
	forwards []*forward   // To be written when no receipt is awaited.
	size     int          // Bytes of their texts.
	held     bool         // No FORWARD may be written yet: the client does not know that it is registered.
	out      *forward     // Written, and its receipt awaited; nil: none is.
	deadline time.Time    // When it counts as lost.
	alone    bool         // Nothing was written after it.
	late     string       // Whose FORWARD was lost, as its receipt may yet come; empty: nobody's.
	pacer    front.Pacer
	wake     chan struct{} // Has one element when the goroutine is to look again; nil: there is no goroutine.
	closed   bool
}

// A forward is a FORWARD and who wants to know what becomes of it.
type forward struct {
	from, text string
	bytes      bool        // Its length counts bytes.
	done       func(error) // Called once, with no lock held.
}

// encode returns the message.
func (w *forward) encode(spaced bool) []byte {
	text := w.text
	if !w.bytes {
		text = strings.ToValidUTF8(text, "\uFFFD") // Else nobody could count its characters (PROTOCOL.md 2.2).
	}
	return wire.AppendReply(nil, wire.Forward{From: w.from, Text: text}, wire.Form{Spaced: spaced, Bytes: w.bytes})
}

// answer queues an answer.
func (p *pipe) answer(r wire.Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.answers = append(p.answers, r)
	p.kickLocked()
}

// push queues a forward. If too much waits, the session ends.
func (p *pipe) push(w *forward) {
	p.mu.Lock()
	full := len(p.forwards) >= forwardsMax || p.size+len(w.text) > forwardBytesMax
	if full || p.closed {
		closed := p.closed
		p.mu.Unlock()
		if !closed {
			p.session.Abort(session.ErrSlow)
		}
		w.done(errGone)
		return
	}
	p.forwards = append(p.forwards, w)
	p.size += len(w.text)
	p.kickLocked()
	p.mu.Unlock()
}

// hold keeps FORWARDs back until release.
func (p *pipe) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

func (p *pipe) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
	p.kickLocked()
}

// setSpaced notes that the client wants heads that end with a space.
func (p *pipe) setSpaced() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spaced = true
}

// setSaySend notes that the client wants SENT to be called SEND.
func (p *pipe) setSaySend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saySend = true
}

// receipt is what the client says about the FORWARD it was sent last; a nil err: that it has it. from is the name it
// gives. If that is the one of a FORWARD which counts as lost, and not of this one, it is that one's receipt.
func (p *pipe) receipt(from string, err error) {
	p.mu.Lock()
	w := p.out
	if w != nil && p.late != "" && from == p.late && from != w.from {
		p.late, w = "", nil
	}
	if w != nil {
		p.out = nil
		if p.alone {
			p.pacer.Taken()
		}
		p.kickLocked()
	}
	p.mu.Unlock()
	if w != nil { // Else it came too late, or for nothing.
		w.done(err)
	}
}

// close writes the answers that are left and gives up the rest. After it the pipe does nothing any more.
func (p *pipe) close() {
	p.mu.Lock()
	given := p.forwards
	if p.out != nil {
		given = append(given, p.out)
	}
	for _, r := range p.answers {
		p.writeLocked(r)
	}
	p.closed, p.answers, p.forwards, p.out = true, nil, nil, nil
	p.kickLocked()
	p.mu.Unlock()
	for _, w := range given {
		w.done(errGone)
	}
	p.wg.Wait()
}

// kickLocked has the goroutine look, and starts it if there is none and there is something for it.
func (p *pipe) kickLocked() {
	switch {
	case p.wake != nil:
		select {
		case p.wake <- struct{}{}:
		default:
		}
	case p.closed:
	default:
		p.wake = make(chan struct{}, 1)
		// Owns nothing but the order in time. Ends when nothing waits, or when the pipe is closed; close waits for it.
		p.wg.Go(p.run)
	}
}

// run does what is due until nothing waits.
func (p *pipe) run() {
	for {
		d, lost, wake := p.step(time.Now())
		if lost != nil {
			lost.done(errNoReceipt)
		}
		switch {
		case wake == nil:
			return
		case d > 0:
			t := time.NewTimer(d)
			select {
			case <-t.C:
			case <-wake:
			}
			t.Stop()
		}
	}
}

// step does one thing that is due, and returns after what time to come again, and the forward that was lost meanwhile.
// wake is nil when the goroutine has to end.
func (p *pipe) step(now time.Time) (d time.Duration, lost *forward, wake <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil && !now.Before(p.deadline) {
		lost, p.out = p.out, nil
		p.late = lost.from
	}
	ready := len(p.forwards) > 0 && p.out == nil && !p.held
	switch {
	case p.closed || len(p.answers) == 0 && !ready && p.out == nil:
		p.wake = nil
		return 0, lost, nil
	case len(p.answers) == 0 && !ready:
		return p.deadline.Sub(now), lost, p.wake
	}
	if gap := p.pacer.Wait(p.session, now, writeGap); gap > 0 {
		if p.out != nil {
			gap = min(gap, p.deadline.Sub(now))
		}
		return gap, lost, p.wake
	}
	p.pacer.Wrote(now)
	p.alone = len(p.answers) == 0
	if !p.alone {
		p.writeLocked(p.answers[0])
		if p.answers = p.answers[1:]; len(p.answers) == 0 {
			p.answers = nil
		}
		return 0, lost, p.wake
	}
	p.out, p.deadline = p.forwards[0], now.Add(p.wait)
	p.size -= len(p.out.text)
	if p.forwards = p.forwards[1:]; len(p.forwards) == 0 {
		p.forwards = nil
	}
	_ = p.session.Enqueue(p.out.encode(p.spaced)) // As in writeLocked.
	return 0, lost, p.wake
}

// writeLocked writes an answer.
func (p *pipe) writeLocked(r wire.Reply) {
	// The error says that the session has ended; its reader finds out and ends the user.
	_ = p.session.Reply(wire.AppendReply(nil, r, wire.Form{Spaced: p.spaced, Send: p.saySend}))
}
