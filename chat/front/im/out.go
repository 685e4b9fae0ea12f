package im

import (
	"bytes"
	"context"
	"sync"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/im"
)

// An out is what waits to be sent on a session: packets leave one by one, gap apart, since the client takes what it reads
// at once for one packet (PROTOCOL.md 2.2). Sending never blocks.
type out struct {
	session *session.Session
	sent    func(log string, seq uint64) // Told of messages from logs when they leave. Called with mu held.

	mu    sync.Mutex
	queue []packet // Guarded by mu, like all that follows.
	bytes int      // In queue and held.
	holds bool     // Since hold: everything waits in held, but what release brings.
	held  []packet
	pacer front.Pacer
	timer *time.Timer // Set while there is something in queue; nil before there ever was.
	ended bool
	moved chan struct{} // Has an element after something has left. nil: nobody waits.
}

// A packet is one of a queue.
type packet struct {
	b    []byte
	text bool   // A message that may share a packet with others.
	log  string // Where it is from, and its number there. Empty: it is from no log.
	seq  uint64
}

var textHead = wire.AppendReply(nil, wire.Text{Code: wire.OK})

// reply sends a reply. A long text leaves as several packets.
func (o *out) reply(rep wire.Reply) { o.send(rep, "", 0, false) }

// message sends what somebody said, as it is shown. log and seq are where it is from.
func (o *out) message(text, log string, seq uint64) { o.send(ok(text), log, seq, true) }

// notice sends something to show that the client did not ask for.
func (o *out) notice(text string) { o.send(ok(text), "", 0, true) }

func (o *out) send(rep wire.Reply, log string, seq uint64, text bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t, isText := rep.(wire.Text)
	if !isText {
		o.addLocked(packet{b: wire.AppendReply(nil, rep)})
		return
	}
	parts := wire.Split(t.Text)
	for i, part := range parts {
		p := packet{b: wire.AppendReply(nil, wire.Text{Code: t.Code, Text: part}), text: text}
		if i == len(parts)-1 {
			p.log, p.seq = log, seq
		}
		o.addLocked(p)
	}
}

// hold keeps everything back until release: an answer is on its way, and the client takes the next packet for it.
func (o *out) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holds = true
}

// release sends that answer, and then what was held.
func (o *out) release(rep wire.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holds = false
	o.addLocked(packet{b: wire.AppendReply(nil, rep)})
	for _, p := range o.held {
		o.bytes -= len(p.b)
		o.addLocked(p)
	}
	o.held = nil
}

func (o *out) addLocked(p packet) {
	if o.ended {
		return
	}
	if o.holds {
		o.held = append(o.held, p)
		if o.bytes += len(p.b); o.bytes > queueBytesMax {
			o.overflowLocked()
		}
		return
	}
	if len(o.queue) == 0 && o.pauseLocked() == 0 {
		o.leaveLocked(p)
		return
	}
	o.queue = append(o.queue, p)
	if o.bytes += len(p.b); o.bytes > queueBytesMax {
		o.overflowLocked()
		return
	}
	if len(o.queue) == 1 {
		o.armLocked()
	}
}

// overflowLocked ends the session: more waits than may.
func (o *out) overflowLocked() {
	o.ended = true
	o.queue, o.held = nil, nil
	o.session.Abort(session.ErrSlow)
}

// pauseLocked returns how long the next packet has to wait for the one before; 0: it may leave.
func (o *out) pauseLocked() time.Duration { return o.pacer.Wait(o.session, time.Now(), gap) }

// armLocked has next run when the next packet may leave.
func (o *out) armLocked() {
	d := o.pauseLocked()
	if o.timer == nil {
		o.timer = time.AfterFunc(d, o.next)
		return
	}
	o.timer.Reset(d)
}

// next lets a packet leave. If many wait, messages share it.
func (o *out) next() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || len(o.queue) == 0 {
		return
	}
	if o.pauseLocked() > 0 {
		o.armLocked()
		return
	}
	n, size := 1, len(o.queue[0].b)
	if len(o.queue) >= joinFrom && o.queue[0].text {
		for n < len(o.queue) && o.queue[n].text && size+len(o.queue[n].b)-len(textHead) <= wire.ReplyBytesMax {
			size += len(o.queue[n].b) - len(textHead)
			n++
		}
	}
	shared := o.queue[:n]
	o.queue = o.queue[n:]
	p := shared[0]
	o.bytes -= len(p.b)
	if n > 1 {
		p.b = bytes.Clone(p.b)
		for _, q := range shared[1:] {
			o.bytes -= len(q.b)
			p.b = append(p.b, q.b[len(textHead):]...)
		}
	}
	o.leaveLocked(p)
	for _, q := range shared[1:] {
		o.tellSent(q)
	}
	if len(o.queue) > 0 {
		o.armLocked()
	} else {
		o.queue = nil // An idle session keeps nothing.
	}
}

// leaveLocked gives a packet to the session.
func (o *out) leaveLocked(p packet) {
	o.pacer.Wrote(time.Now())
	if o.session.Enqueue(p.b) != nil { // The session has ended; its reader finds out.
		o.ended = true
		return
	}
	o.tellSent(p)
	select {
	case o.moved <- struct{}{}: // A nil channel takes nothing.
	default:
	}
}

func (o *out) tellSent(p packet) {
	if p.log != "" {
		o.sent(p.log, p.seq)
	}
}

// await returns when little waits, or ctx ends. Only one goroutine may call it at a time.
func (o *out) await(ctx context.Context, low int) {
	for {
		o.mu.Lock()
		if o.moved == nil {
			o.moved = make(chan struct{}, 1)
		}
		moved, waits := o.moved, o.bytes > low && !o.ended
		o.mu.Unlock()
		if !waits {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// bye lets all that waits leave, for byeTimeout at most, and then the last packet, which may be nil; nothing leaves after it.
// Nobody may be in await.
func (o *out) bye(ctx context.Context, rep wire.Reply) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTimeout)
	defer cancel()
	o.await(ctx, 0)
	if rep != nil {
		o.awaitPause(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended && rep != nil {
		o.leaveLocked(packet{b: wire.AppendReply(nil, rep)})
	}
	o.ended, o.queue = true, nil
	if o.timer != nil {
		o.timer.Stop()
	}
}

// awaitPause returns when a packet may leave, or ctx or the session ends.
func (o *out) awaitPause(ctx context.Context) {
	for {
		o.mu.Lock()
		d, ended := o.pauseLocked(), o.ended
		o.mu.Unlock()
		if d == 0 || ended {
			return
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return
		case <-o.session.Done():
			return
		}
	}
}
