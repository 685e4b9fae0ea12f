package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/lab"
)

// A callback is a callback connection, or the attempt at one. Guarded by its peer's mu.
type callback struct {
	cancel  context.CancelFunc // Ends the attempt.
	link    *link              // nil while the call is under way or JOINs wait.
	waiting []waitingJoin      // JOINs to be carried out when the client has called back, in order.
}

// A waitingJoin is a JOIN and the connection that asked.
type waitingJoin struct {
	join wire.Join
	from *link
}

// joinAt carries out a JOIN that is to be answered at addr. All JOINs of the peer for one address share a connection.
// It does not wait for the client to call back; what goes wrong then is answered later.
func (p *peer) joinAt(ctx context.Context, addr netip.AddrPort, r wire.Join, from *link) error {
	p.mu.Lock()
	cb := p.callbacks[addr]
	switch {
	case p.why != nil:
		p.mu.Unlock()
		return p.why
	case cb != nil && cb.link != nil:
		p.mu.Unlock()
		p.joinOrRefuse(ctx, cb.link, r)
		return nil
	case cb != nil && len(cb.waiting) >= callsWaitingMax:
		p.mu.Unlock()
		return refusef(wire.CodeTooMany, "the most is %d requests waiting for one callback", callsWaitingMax)
	case cb != nil:
		cb.waiting = append(cb.waiting, waitingJoin{r, from})
		p.mu.Unlock()
		return nil
	case len(p.callbacks) >= callbacksMax:
		p.mu.Unlock()
		return refusef(wire.CodeTooMany, "the most is %d callback addresses for one connection", callbacksMax)
	}
	call, cancel := context.WithTimeout(ctx, p.front.cfg.CallTimeout)
	cb = &callback{cancel: cancel, waiting: []waitingJoin{{r, from}}}
	if p.callbacks == nil {
		p.callbacks = make(map[netip.AddrPort]*callback)
	}
	p.callbacks[addr] = cb
	p.mu.Unlock()
	if from.plain() {
		// Takes no time, and only here is the answer still one to the datagram last read.
		p.callBack(ctx, call, cb, addr, from.session)
		return nil
	}
	// Owns the call and then the callback connection. Ends when the call fails, the connection ends or the peer does;
	// Serve waits for it.
	p.wg.Go(func() {
		defer p.catch(cb, addr)
		p.callBack(ctx, call, cb, addr, from.session)
	})
	return nil
}

// callBack has the client call back, carries out the JOINs that wait, and serves the callback connection until it
// ends. On plain datagrams there is nothing to serve: what comes from there is a connection of its own.
func (p *peer) callBack(ctx, call context.Context, cb *callback, addr netip.AddrPort, s *session.Session) {
	called, err := s.Call(call, addr)
	cb.cancel()
	if err != nil {
		p.callFailed(cb, addr, err)
		return
	}
	p.serveCallback(ctx, cb, &link{session: called, callback: true, addr: addr})
}

// serveCallback is what callBack does once there is a callback connection.
func (p *peer) serveCallback(ctx context.Context, cb *callback, l *link) {
	err := errPanicked // Unless we get to the end. Nobody may stay in a room because of a panic.
	defer func() {
		if err != nil {
			p.endCallback(ctx, l, err)
		}
	}()
	p.carryOutWaiting(ctx, cb, l)
	if l.plain() {
		err = nil // Closed by closeUnserved.
		return
	}
	err = p.serve(ctx, l)
}

// catch ends the callback at addr, and nothing else, if its goroutine has panicked: that is a mistake about one request,
// and whoever serves the first connection could not recover from it. It must be deferred.
func (p *peer) catch(cb *callback, addr netip.AddrPort) {
	v := recover()
	if v == nil {
		return
	}
	ref := newReference()
	// Quoted and cut, because the peer's words may be in it.
	p.front.cfg.Logger.Error("callback panicked", "ref", ref, "proto", "lab", "peer", addr,
		"err", fmt.Sprintf("%.*q", panicTextBytesMax, fmt.Sprint(v)), "stack", string(debug.Stack()))
	cb.cancel()
	p.refuseWaiting(cb, addr, internalReply(ref))
}

// carryOutWaiting carries out the JOINs that wait, in order, and then lets later ones use the link by themselves.
func (p *peer) carryOutWaiting(ctx context.Context, cb *callback, l *link) {
	for {
		p.mu.Lock()
		if len(cb.waiting) == 0 {
			cb.waiting, cb.link = nil, l
			p.mu.Unlock()
			return
		}
		w := cb.waiting[0]
		cb.waiting = cb.waiting[1:]
		p.mu.Unlock()
		p.joinOrRefuse(ctx, l, w.join)
	}
}

// joinOrRefuse is a JOIN on a callback connection. It works, so errors go there too (PROTOCOL.md 8).
func (p *peer) joinOrRefuse(ctx context.Context, l *link, r wire.Join) {
	err := p.join(ctx, l, r)
	if err == nil || p.ending() != nil || ctx.Err() != nil {
		return // Joined, or the end is near and whoever reads the connection says so.
	}
	l.reply(wire.AppendError(nil, errorReply(err, p.front.cfg.Logger)))
}

// callFailed answers the JOINs that wait.
func (p *peer) callFailed(cb *callback, addr netip.AddrPort, err error) {
	p.front.cfg.Logger.Debug("callback failed", "peer", addr, "err", err)
	text := "nobody answered at " + addr.String()
	if p.first.plain() {
		text = "cannot answer at " + addr.String() + ": CLIENT_IP must be where the datagram comes from"
	}
	p.refuseWaiting(cb, addr, wire.ErrorReply{Code: wire.CodeCallbackFailed, Description: text})
}

// refuseWaiting forgets the callback at addr, which will not be, and answers the JOINs that wait for it.
func (p *peer) refuseWaiting(cb *callback, addr netip.AddrPort, reply wire.ErrorReply) {
	p.mu.Lock()
	if p.callbacks[addr] == cb { // Else it has been there, and there is a new one.
		delete(p.callbacks, addr)
	}
	waiting := cb.waiting
	cb.waiting = nil
	p.mu.Unlock()
	for _, w := range waiting {
		w.from.reply(wire.AppendError(nil, reply))
	}
}

// endCallback ends a callback connection whose loop has ended with err.
func (p *peer) endCallback(ctx context.Context, l *link, err error) {
	defer func() {
		drain := l.session.Close(err)
		// Not for every log: a client may have a callback connection whenever it likes.
		p.front.cfg.Logger.Debug("callback ended", "proto", "lab", "peer", l.addr, "reason", err, "err", drain)
	}()
	p.leaveLink(ctx, l, err)
	if errors.Is(err, ErrGoodbye) || errors.Is(err, ErrMalformed) {
		p.end(err)
	}
}

// closeUnserved ends the callback connections that have no loop of their own: those on plain datagrams.
func (p *peer) closeUnserved(ctx context.Context, err error) {
	if !p.first.plain() {
		return
	}
	p.mu.Lock()
	var links []*link
	for _, cb := range p.callbacks {
		if cb.link != nil { // It is when joinAt has returned, on plain datagrams. It may have panicked.
			links = append(links, cb.link)
		}
	}
	p.mu.Unlock()
	for _, l := range links {
		p.endCallback(ctx, l, err)
	}
}
