package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"udpchat/chat/names"
)

// What Done may say of a whisper, so that its sender hears it on whichever node it is. Of other errors only those on
// this node hear more than that it was not taken.
var (
	// ErrNotTaken says that nobody has taken a whisper.
	ErrNotTaken = errors.New("chat: whisper not taken")
	// ErrNotUnderstood says that the client has answered that it cannot make sense of it.
	ErrNotUnderstood = errors.New("chat: whisper not understood")
)

// A Whisper is something said to one name, past every room and every log: it is stored nowhere, and
// whoever is not there does not hear of it.
type Whisper struct {
	From string // The name of who says it. Acceptable to names.Check.
	Text string // Any bytes, at most Config.MessageBytesMax.

	receipt *Receipt // nil: nobody asks.
	once    sync.Once
}

// Done says what has become of w: nil if its client has it, as far as its protocol can tell, else why
// not. Only the first call counts. It does not block and may be called anywhere.
func (w *Whisper) Done(err error) {
	w.once.Do(func() {
		if w.receipt != nil {
			w.receipt.settle(err)
		}
	})
}

// A Hearer is a Receiver to whom others may whisper. Hear must not block and must not call the
// Hub or a User. It sees to it that w.Done is called, at once or later. It may be called while Receive
// is, and, like that, not any more when the user's Close has returned.
type Hearer interface {
	Receiver
	Hear(w *Whisper)
}

// Whisper says text to everybody called to: visitors who came by Enter, or else the devices of the account
// of that name that are logged in and have words for it, on any node as far as this one has heard of them. It returns at once
// with a receipt that tells what became of it. Naming oneself is allowed. Each of them hears it once at most; if a node is
// lost on the way, or no word comes back, the receipt says so, and whether it was heard nobody knows. It refuses with
// CodeNoUser, CodeBadName, CodeTooLong, CodeShuttingDown or CodeClosed.
func (u *User) Whisper(to, text string) (*Receipt, error) {
	if err := u.hub.checkVisitorName("whisper", 0, u.name); err != nil {
		return nil, err // As in Say.
	}
	u.mu.Lock()
	closing := u.closing
	u.mu.Unlock()
	return u.hub.whisper(closing, u.name, to, text, true)
}

// Whisper says text to visitors called to, who have no direct conversations, under the name that others
// see. Accounts do not hear it: they have direct conversations, and in those those whom they have blocked are refused. It
// returns and refuses like User.Whisper.
func (d *Device) Whisper(to, text string) (*Receipt, error) {
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	return d.hub.whisper(closed, d.show, to, text, false)
}

// whisper is Whisper of somebody called from, who may be closed. accounts: also to an account.
func (h *Hub) whisper(closed bool, from, to, text string, accounts bool) (*Receipt, error) {
	const op = "whisper"
	switch {
	case h.isClosed():
		return nil, h.refuse(op, CodeShuttingDown, 0, "")
	case closed:
		return nil, h.refuse(op, CodeClosed, 0, "")
	case len(text) > h.cfg.MessageBytesMax:
		return nil, h.refuse(op, CodeTooLong, 0, fmt.Sprintf("text has %d bytes, the most is %d", len(text), h.cfg.MessageBytesMax))
	}
	r := &Receipt{waiting: 1, done: make(chan struct{})} // 1 is for ourselves, until all have been told.
	n := 0
	if !h.isReserved(to) { // Else what is whispered to an account would be heard by who had the name before.
		n = h.tellEverywhere(whisperTo{to: to, from: from, text: text}, r)
	}
	if n == 0 && accounts {
		n = h.tellEverywhere(whisperTo{to: to, from: from, text: text, account: true}, r)
		if canonical, err := names.Account(to); n == 0 && err == nil { // Visitors write what they see.
			n = h.tellEverywhere(whisperTo{to: canonical, from: from, text: text, account: true}, r)
		}
	}
	if n == 0 {
		return nil, h.refuse(op, CodeNoUser, 0, "")
	}
	r.settle(ErrNotTaken)
	return r, nil
}

// tellEverywhere whispers to those on this node and has it done on the others. It returns to how many, counting others
// by node.
func (h *Hub) tellEverywhere(w whisperTo, r *Receipt) int {
	n := h.tell(w, r)
	for _, node := range h.people.nodesOf(w) {
		r.expect()
		h.post.deliver(node, w, r)
		n++
	}
	return n
}

// nodesOf returns on which other nodes there is somebody who can be whispered to by that name.
func (p *people) nodesOf(w whisperTo) (ids []nodeID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.nodes {
		there := n.people[w.to] // And can be whispered to.
		switch {
		case w.note:
			_, there = n.people[w.to]
		case !w.account:
			_, there = n.names[w.to]
		}
		if there {
			ids = append(ids, id)
		}
	}
	return ids
}

// tell whispers to those on this node, and returns to how many.
func (h *Hub) tell(w whisperTo, r *Receipt) int {
	switch {
	case w.note:
		return h.giveNote(w, r)
	case !w.account:
		return h.visitors.tell(w.to, func() *Whisper {
			r.expect()
			return &Whisper{From: w.from, Text: w.text, receipt: r}
		})
	}
	if !h.whisperToAccount(w.from, w.to, w.text) {
		return 0
	}
	r.expect()
	r.settle(nil) // There is no more to know.
	return 1
}

// whisperToAccount tells the devices of an account, and reports whether there is one.
func (h *Hub) whisperToAccount(from, to, text string) bool {
	h.mu.RLock()
	a := h.accounts[to]
	h.mu.RUnlock()
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	told := false
	for _, d := range a.devices {
		d.mu.Lock()
		if d.whispers && !d.closed { // What it is told comes before the end, as with everything else.
			d.receiver.Receive(&Event{Kind: KindWhispered, Account: a.name, Name: from, Text: text})
			told = true
		}
		d.mu.Unlock()
	}
	return told
}

// A Receipt tells what became of a whisper, or of what was asked about. Its methods are safe for concurrent use.
type Receipt struct {
	done chan struct{}   // Closed when waiting is 0.
	then func(err error) // Called then, if it is not nil. Constant.
	all  bool            // Of an Ask: it is good if all have it, not one. Constant.

	mu      sync.Mutex
	waiting int   // Who has not called Done. Guarded by mu.
	taken   bool  // Somebody has it. Guarded by mu.
	err     error // Why the last one who has said so has not. Guarded by mu.
}

// Wait returns nil when all who were told have said what became of the whisper and one of them has it,
// and else why not, which matches ErrNotTaken. It blocks until then, or until ctx ends.
func (r *Receipt) Wait(ctx context.Context) error {
	select {
	case <-r.done:
	default:
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("chat: whisper: %w", context.Cause(ctx))
		}
	}
	return r.outcome()
}

// outcome is what Wait returns at the end.
func (r *Receipt) outcome() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken && !r.all || r.all && r.err == nil {
		return nil
	}
	if errors.Is(r.err, ErrNotTaken) {
		return r.err
	}
	return fmt.Errorf("%w: %w", ErrNotTaken, r.err)
}

// expect notes that one more is told.
func (r *Receipt) expect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting++
}

// settle notes what one of them says.
func (r *Receipt) settle(err error) {
	r.mu.Lock()
	switch {
	case err == nil:
		r.taken = true
	case r.err == nil || err != ErrNotTaken:
		r.err = err
	}
	r.waiting--
	over := r.waiting == 0
	r.mu.Unlock()
	if over {
		close(r.done)
		if r.then != nil {
			r.then(r.outcome())
		}
	}
}
