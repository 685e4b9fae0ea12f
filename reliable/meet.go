package reliable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// A Meeting is what two endpoints know of each other when somebody whom both know has introduced them.
type Meeting struct {
	// Nonce names the meeting: the same number on both sides, unguessable, for this meeting alone, and not 0.
	Nonce uint64
	// Key is the peer's, which it must prove; ours is that of Config.Identity (Endpoint.ServerKey). Whoever introduced us could
	// have lied: see Words.
	Key Key
	// Candidates are where the peer may be: the addresses it has itself, and where others see it. At most 16 count.
	Candidates []netip.AddrPort
	// Dial: the first hello is ours. It must be set on exactly one side.
	Dial bool
}

// Meet makes a connection with a peer that calls Meet at about the same time, though neither can be reached by strangers:
// both send small packets to each other's candidates, which opens the NATs in between, and who dials does so where it
// hears the peer from. Both sides prove their keys; nothing passes in clear. The endpoint need not accept other connections: its
// Listener may be closed. It gives up when ctx is done or after Config.HandshakeTimeout (SPEC.md 4.11).
func (e *Endpoint) Meet(ctx context.Context, m Meeting) (*Conn, error) {
	g, err := e.newMeeting(m)
	if err != nil {
		return nil, err
	}
	if err := e.addMeeting(g); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.HandshakeTimeout)
	defer cancel()
	conn, err := g.run(ctx)
	e.mu.Lock()
	delete(e.meetings, g.nonce)
	delete(e.calls, g.nonce)
	e.mu.Unlock()
	if err != nil {
		g.call.giveUp()
		return nil, fmt.Errorf("reliable: meeting at %d addresses: %w", len(g.targets), err)
	}
	return conn, nil
}

// A meeting is one side of a meeting. Who runs it owns it.
type meeting struct {
	e       *Endpoint
	nonce   wire.CallNonce
	dial    bool
	cfg     Config    // of what is dialled
	own     *Identity // what we prove
	targets []netip.AddrPort
	tries   map[netip.AddrPort]int
	heard   chan netip.AddrPort // where the peer was heard
	call    *outgoingCall       // waits for the connection
	last    error               // of the latest address dialled in vain
}

func (e *Endpoint) newMeeting(m Meeting) (*meeting, error) {
	if m.Nonce == 0 || m.Key == (Key{}) {
		return nil, errors.New("reliable: a meeting needs a nonce and the peer's key")
	}
	own, err := e.shared.ids.of(&e.cfg)
	if err != nil {
		return nil, err
	}
	g := &meeting{
		e: e, nonce: wire.CallNonce(m.Nonce), dial: m.Dial, cfg: e.cfg, own: own,
		tries: make(map[netip.AddrPort]int), heard: make(chan netip.AddrPort, candidatesMax),
	}
	g.cfg.ServerKey, g.cfg.VerifyServer, g.cfg.HandshakeTimeout = m.Key, nil, min(meetTryTimeout, e.cfg.HandshakeTimeout)
	g.call = &outgoingCall{meet: true, verify: g.cfg.verify, result: make(chan *Conn, 1)}
	for _, c := range m.Candidates {
		g.add(unmap(c))
	}
	if len(g.targets) == 0 {
		return nil, errors.New("reliable: nowhere to meet: no candidate is an address of a host")
	}
	return g, nil
}

// add takes note of where the peer may be.
func (g *meeting) add(to netip.AddrPort) {
	a := to.Addr()
	if !to.IsValid() || to.Port() == 0 || a.IsUnspecified() || a.IsMulticast() || a == broadcast ||
		len(g.targets) == candidatesMax || slices.Contains(g.targets, to) {
		return
	}
	g.targets = append(g.targets, to)
}

// addMeeting has packets and, where the peer dials, hellos of the meeting find it.
func (e *Endpoint) addMeeting(g *meeting) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return fmt.Errorf("reliable: meeting: %w", net.ErrClosed)
	case len(e.meetings) >= meetingsMax:
		return errors.New("reliable: at too many meetings")
	case e.meetings[g.nonce] != nil || e.calls[g.nonce] != nil:
		return errors.New("reliable: already at that meeting")
	}
	e.meetings[g.nonce] = g.heard
	if !g.dial {
		e.calls[g.nonce] = g.call
	}
	return nil
}

// run sends packets until the connection is there.
func (g *meeting) run(ctx context.Context) (*Conn, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent := 0; ; {
		select {
		case conn := <-g.call.result:
			return conn, nil
		case from := <-g.heard:
			g.add(from)
			if !g.dial || g.tries[from] == meetTriesMax || len(g.tries) > meetHellosMax {
				continue
			}
			g.tries[from]++
			conn, err := g.try(ctx, from)
			if err == nil {
				return conn, nil
			}
			g.last = err
		case <-timer.C:
			if err := g.punch(); err != nil {
				return nil, err
			}
			timer.Reset(handshake.Gap(sent))
			sent++
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), g.last)
		}
	}
}

// punch sends a packet to wherever the peer may be. What it is good for is to leave our NAT: the peer's may drop it.
func (g *meeting) punch() error {
	g.e.mu.Lock()
	closed := g.e.closed
	g.e.stats.CallsSent += uint64(len(g.targets))
	g.e.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	packet := wire.AppendCall(nil, g.nonce)
	for _, to := range g.targets {
		_ = g.e.sock.write(Datagram{Path: Path{Remote: to}, Bytes: packet}) // Not every candidate can be reached from here.
	}
	return nil
}

// try dials an address from which the peer was heard.
func (g *meeting) try(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	e := g.e
	c := newConn(e, to, e.localToward(to))
	m, err := newClient(&g.cfg, e.shared, time.Now(), Path{Remote: to}, asking{call: g.nonce, identity: g.own}, c.emit)
	if err != nil {
		return nil, err
	}
	c.m, c.call = m, g.call
	if !e.add(c) {
		m.endHandshake()
		return nil, net.ErrClosed
	}
	limit := time.NewTimer(meetTryTimeout)
	defer limit.Stop()
	ended := c.wait(&c.ended)
	select {
	case conn := <-g.call.result:
		return conn, nil
	case <-ended:
		c.mu.Lock()
		defer c.mu.Unlock()
		return nil, c.err
	case <-limit.C:
		err = errHandshake
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.Abort(CodeNone, "")
	<-ended
	select {
	case <-g.call.result: // It came about while we gave it up.
	default:
	}
	return nil, err
}

// Candidates returns where this endpoint may be reached by who is on one of its networks, for a Meeting: the addresses of
// this machine's interfaces, without loopback if there are others, at most 8. How others see it they must tell.
func (e *Endpoint) Candidates() ([]netip.AddrPort, error) {
	own := e.sock.local()
	if !own.Addr().IsUnspecified() {
		return []netip.AddrPort{own}, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("reliable: addresses of this machine: %w", err)
	}
	var found []netip.AddrPort
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || own.Addr().Is4() && !prefix.Addr().Is4() {
			continue
		}
		if a := prefix.Addr(); a.IsGlobalUnicast() && len(found) < candidatesOwnMax {
			found = append(found, netip.AddrPortFrom(a.Unmap(), own.Port()))
		}
	}
	if found == nil {
		found = append(found, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), own.Port()))
	}
	return found, nil
}
