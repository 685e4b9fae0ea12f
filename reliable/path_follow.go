package reliable

import (
	"io"
	"slices"
	"time"

	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A server follows its client (SPEC.md 5.3). Datagrams go to where the newest authentic packet came from: at once, but until
// a challenge has shown that the client is really there no more than three times what came from there; what the limit
// keeps back goes to the address before, which is not given up before the new one is proven. A client follows nobody: its
// server is where it was dialled.
//
//	authentic packet → newest? → from home: go home
//	                           → from where we were a moment ago: that is home again
//	                           → from elsewhere: datagrams go there within the limit, challenge
//	response from there → that is home

// A route is a way to the peer that is not home.
type route struct {
	path           Path
	proven         bool      // it was home until a moment ago
	until          time.Time // when it is forgotten: nobody has answered, or it was left long ago
	since          time.Time // from when on datagrams went there
	received, sent int       // bytes from there and to there, while it is not proven
	challenge      wire.Challenge
	tries          int       // challenges sent
	at             time.Time // when the next is due
}

// roaming is what a server knows of its client's way beside Machine.path, which is home: proven, and where datagrams go
// when nothing is known that is newer.
type roaming struct {
	routes  []*route  // at most routesMax, the oldest first; nil nearly always
	target  *route    // of routes: where datagrams go; nil: home
	via     *route    // of the packet under construction: where it goes whatever target is; nil: see home
	home    bool      // the packet under construction goes home
	askHome bool      // home is to be asked whether the client is still there
	checks  int       // begun lately
	since   time.Time // when one of them was forgotten
	from    Path      // of the datagram under way
}

// Path returns where datagrams go that need no limit: the latest proven way to the peer.
func (m *Machine) Path() Path { return m.path }

// known returns the route to where p comes from, nil if there is none.
func (r *roaming) known(p Path) *route {
	for _, o := range r.routes {
		if o.path.Remote == p.Remote {
			return o
		}
	}
	return nil
}

// follow takes note of where an authentic packet of n bytes came from. Only one that is newer than all before says where
// the client is now: all others may be late, or somebody may have kept them.
func (m *Machine) follow(now time.Time, p Path, n int, newest bool) {
	if m.dialled {
		return
	}
	m.roam.from = p
	r := m.roam.known(p)
	if r != nil {
		r.received += n
	}
	if !newest && m.cfg.Planted != planted.MoveOlderPacket {
		return
	}
	switch {
	case p.Remote == m.path.Remote:
		m.roam.target = nil
		if p.Local.IsValid() {
			m.path.Local = p.Local
		}
	case r == nil:
		m.beginCheck(now, p, n)
	case r.proven:
		m.move(now, r)
	default:
		m.roam.target = r
	}
}

// beginCheck turns to a way that was not known, if there have not been too many of late.
func (m *Machine) beginCheck(now time.Time, p Path, n int) {
	roam := &m.roam
	r := &route{path: p, received: n, since: now, at: now, until: now.Add(pathCheckLife)}
	if !roam.checkAllowed(now) {
		m.stats.PathChecksRefused++
		return
	}
	if _, err := io.ReadFull(m.cfg.Random, r.challenge[:]); err != nil {
		return // No challenge, no move.
	}
	if len(roam.routes) == routesMax {
		m.forgetRoute(0)
	}
	roam.routes = append(roam.routes, r)
	// If somebody has only copied the packet the client is still at home, and its answer brings us back (RFC 9000, 9.3.3).
	roam.target, roam.askHome = r, true
	m.talkAgain()
	m.stats.PathChecks++
	if m.cfg.Planted == planted.MoveUnchecked {
		m.move(now, r)
	}
}

// checkAllowed counts a check. Somebody who can forward packets faster than the network could otherwise have us check any
// number of strangers' addresses.
func (r *roaming) checkAllowed(now time.Time) bool {
	if over := int(now.Sub(r.since) / pathCheckEvery); over > 0 {
		r.checks = max(0, r.checks-over)
		r.since = now
	}
	if r.checks == pathChecksMax {
		return false
	}
	r.checks++
	return true
}

// forgetRoute forgets a route: nobody has answered there, or it was left long ago.
func (m *Machine) forgetRoute(i int) {
	r := m.roam.routes[i]
	m.roam.routes = slices.Delete(m.roam.routes, i, i+1)
	if !r.proven {
		m.stats.PathChecksFailed++
	}
	if m.roam.target == r {
		m.roam.target = nil
	}
	if len(m.roam.routes) == 0 {
		m.roam.routes = nil
	}
}

// handleResponse takes the answer to a challenge. It counts only if it comes from where the challenge went.
func (m *Machine) handleResponse(now time.Time, c wire.Challenge) {
	r := m.roam.known(m.roam.from)
	if m.dialled || r == nil || r.proven || r.tries == 0 || r.challenge != c {
		return // Late, or somebody plays.
	}
	if m.roam.target == r {
		m.move(now, r)
		return
	}
	r.proven, r.until = true, now.Add(oldPathLife) // The client has gone on meanwhile, and may come back.
}

// move makes a proven route the home, and keeps the old home for a while: late packets may have been sent from the new
// one, and somebody who only forwards packets may have proven it. Who comes back has to be proven again the next time.
func (m *Machine) move(now time.Time, r *route) {
	roam, from := &m.roam, m.path
	roam.routes = slices.DeleteFunc(roam.routes, func(o *route) bool { return o == r })
	if !r.proven {
		roam.routes = append(roam.routes, &route{path: from, proven: true, until: now.Add(oldPathLife)})
	}
	m.path, roam.target, roam.askHome = r.path, nil, false
	m.stats.Roams++
	m.pathChanged(from, r.since)
}

// pathChanged forgets what was learned on the way before (RFC 9000, 9.4). Since is from when on datagrams went the new
// way.
func (m *Machine) pathChanged(from Path, since time.Time) {
	for i := range m.sent {
		if p := &m.sent[i]; p.at.Before(since) {
			m.lost(p)
		}
	}
	m.sent = slices.DeleteFunc(m.sent, func(p sentItem) bool { return p.at.Before(since) })
	m.talkAgain()
	m.lossIn.restart()
	m.lossOut.restart()
	if from.Remote.Addr() == m.path.Remote.Addr() {
		return // A NAT has changed its mind about the port; the way is the same.
	}
	m.forgetWay()
}

// forgetWay forgets what was learned about the way to the peer.
func (m *Machine) forgetWay() {
	m.giveUpSent()
	m.rtt = rttEstimator{}
	m.losses = fec.LossEstimator{}
	m.restartMTU()
	m.pace = nil
	m.budget.SetRate(0)
	m.marks.restart()
}

// advancePaths sends the challenges that are due and forgets what is over.
func (m *Machine) advancePaths(now time.Time) {
	roam := &m.roam
	for i := 0; i < len(roam.routes); i++ {
		if !now.Before(roam.routes[i].until) {
			m.forgetRoute(i)
			i--
		}
	}
	if r := roam.target; r != nil && !now.Before(r.at) && r.allows(challengeBytes) {
		r.at = now.Add(handshake.Gap(r.tries))
		r.tries++
		roam.via = r
		m.sendPacket(wire.AppendChallenge(m.startPacket(wire.ChallengeFrameBytes), r.challenge), cargo{}, true)
		roam.via = nil
	}
	if roam.askHome {
		roam.askHome, roam.home = false, true
		m.sendPacket(wire.AppendPing(m.startPacket(1)), cargo{}, true)
		roam.home = false
	}
}

// nextPath is when advancePaths has something to do; zero: never.
func (r *roaming) nextAt() (at time.Time) {
	for _, o := range r.routes {
		if at.IsZero() || o.until.Before(at) {
			at = o.until
		}
	}
	if r.target != nil && r.target.allows(challengeBytes) && r.target.at.Before(at) {
		at = r.target.at
	}
	return at
}

// allows reports whether n bytes more may go to a route that is not proven (RFC 9000, 8.1).
func (r *route) allows(n int) bool { return r.sent+n <= unprovenFactor*r.received }

// way says where the packet that was just built goes.
func (m *Machine) way(n int) Path {
	r := m.roam.target
	if m.roam.via != nil {
		r = m.roam.via
	}
	if r == nil || m.roam.home || !r.allows(n) {
		return m.path
	}
	r.sent += n
	m.stats.UnprovenBytes += uint64(n)
	return r.path
}
