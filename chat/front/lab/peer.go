package lab

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/lab"
)

// A peer is all that belongs to one Serve: the connection it was given, the callback connections its client asked
// for, and the members that live on them.
type peer struct {
	front *Front
	hub   *chat.Hub
	first *link
	ids   chat.IDs

	wg sync.WaitGroup // Goroutines of callbacks. Serve waits for them.

	mu        sync.Mutex
	members   map[memberKey]*member        // Guarded by mu.
	callbacks map[netip.AddrPort]*callback // Guarded by mu.
	newRooms  front.Bucket                 // Rooms made by JOINs, here and on callback connections. Guarded by mu.
	why       error                        // Set by end: nobody joins any more, every loop returns it. Guarded by mu.
}

// A memberKey: one JOIN_ID for each name and connection (PROTOCOL.md 4).
type memberKey struct {
	link *link
	name string
}

func newPeer(f *Front, h *chat.Hub, s *session.Session) *peer {
	p := &peer{front: f, hub: h, first: &link{session: s}}
	if p.first.plain() {
		p.ids = chat.RandomIDs // The number is all that tells a client from a forgery (PROTOCOL.md 9).
	}
	return p
}

// close is the end of the first connection, whose loop has ended with err. It returns when everything of the peer has
// ended. Its steps are deferred, last one first, so that a panic in one does not keep the others.
func (p *peer) close(ctx context.Context, err error) {
	defer p.wg.Wait()
	defer func() {
		if p.outlives(ctx, err) {
			// What cannot be written now has nobody who would read it.
			_ = p.first.session.Close(err)
			return
		}
		p.end(err)
		p.closeUnserved(ctx, err)
	}()
	p.leaveLink(ctx, p.first, err)
}

// member returns the member called name on l, and makes it if need be.
func (p *peer) member(l *link, name string) (m *member, made bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := memberKey{l, name}
	if m := p.members[key]; m != nil {
		return m, false, nil
	}
	switch {
	case p.why != nil:
		return nil, false, p.why
	case l.ended:
		return nil, false, refusef(wire.CodeCallbackFailed, "the callback connection has just ended")
	case len(p.members) >= namesMax:
		return nil, false, refusef(wire.CodeTooMany, "the most is %d clients on one connection", namesMax)
	}
	m = &member{front: p.front, peer: p, link: l, name: name}
	if m.user, err = p.hub.Connect(name, m, p.ids); err != nil {
		return nil, false, err
	}
	if p.members == nil {
		p.members = make(map[memberKey]*member)
	}
	p.members[key] = m
	l.attach()
	p.front.remember(m)
	return m, true, nil
}

// own returns the peer's members in the order in which they came.
func (p *peer) own() []*member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ownLocked()
}

func (p *peer) ownLocked() []*member {
	all := make([]*member, 0, len(p.members))
	for _, m := range p.members {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *member) int { return cmp.Compare(a.user.ID(), b.user.ID()) })
	return all
}

// join enters a room on l. A member that was made for nothing is given back.
func (p *peer) join(ctx context.Context, l *link, r wire.Join) error {
	done, err := p.enterRoom(r.Room)
	if err != nil {
		return err
	}
	defer done()
	m, made, err := p.member(l, r.Name)
	if err != nil {
		return err
	}
	_, err = m.user.Join(ctx, r.Room)
	if _, refused := errors.AsType[*chat.Error](err); refused && made {
		p.part(ctx, []*member{m}, chat.ReasonLeft)
	}
	return err
}

// part ends members for good, in order.
func (p *peer) part(ctx context.Context, members []*member, reason chat.LeaveReason) {
	// The notices are owed to the others also when ctx, which is the server's, has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	for _, m := range slices.Backward(members) {
		defer p.partOne(ctx, m, reason) // A panic about one of them does not keep the others.
	}
}

// partOne is part for one member: its rooms are told, then it is forgotten.
func (p *peer) partOne(ctx context.Context, m *member, reason chat.LeaveReason) {
	defer func() {
		p.front.forget(m)
		m.link.detach()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.members, memberKey{m.link, m.name})
	}()
	if err := m.user.Close(ctx, reason); err != nil {
		p.front.cfg.Logger.Warn("rooms not told that a client left", "user", uint32(m.user.ID()), "err", err)
	}
}

// leaveLink ends the members on l, whose loop has ended with err.
func (p *peer) leaveLink(ctx context.Context, l *link, err error) {
	p.mu.Lock()
	l.ended = true
	if cb := p.callbacks[l.addr]; cb != nil && cb.link == l {
		delete(p.callbacks, l.addr)
	}
	members := slices.DeleteFunc(p.ownLocked(), func(m *member) bool { return m.link != l })
	p.mu.Unlock()
	reason := chat.ReasonLost
	switch {
	case errors.Is(err, ErrGoodbye):
		reason = chat.ReasonDisconnected
	case ctx.Err() != nil:
		reason = chat.ReasonShutdown
		if len(members) > 0 {
			l.push(wire.AppendError(nil, wire.ErrorReply{Code: wire.CodeShuttingDown, Description: "server is shutting down"}))
		}
	case errors.Is(l.session.Err(), session.ErrSlow):
		reason = chat.ReasonSlow
	}
	p.part(ctx, members, reason)
}

// outlives reports whether callback connections live on although the first connection has ended with err: only if it
// was lost, and only on transports where a callback connection notices its own end (PROTOCOL.md 8).
func (p *peer) outlives(ctx context.Context, err error) bool {
	if p.first.plain() || ctx.Err() != nil {
		return false
	}
	if errors.Is(err, ErrGoodbye) || errors.Is(err, ErrMalformed) || errors.Is(err, errPanicked) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cb := range p.callbacks {
		if cb.link != nil {
			return true
		}
	}
	return false
}

// end has every loop of the peer return err, which ends the members on its link, and calls that are under way fail.
// The first err counts.
func (p *peer) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil {
		return
	}
	p.why = err
	p.first.wake()
	for _, cb := range p.callbacks {
		cb.cancel()
		if cb.link != nil {
			cb.link.wake()
		}
	}
}

// ending returns what end was given, or nil.
func (p *peer) ending() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}
