package lab

import (
	"net/netip"
	"slices"
	"strconv"

	wire "udpchat/chat/wire/lab"
)

// known returns the member with that JOIN_ID, whatever connection it is on, or nil. A JOIN_ID that comes back from
// where it was sent proves the address of a plain client, and shows that it is there even if it says nothing where it
// joined (PROTOCOL.md 9).
func (c *conn) known(id string) *member {
	m := c.front.byJoinID(c.peer.hub, id)
	if m != nil && m.link.plain() && c.link.plain() && c.sameClient(m) {
		c.link.session.Proven()
		m.link.session.Proven()
		m.link.session.Alive()
	}
	return m
}

// sameClient reports whether m is, as far as addresses tell, the client that is on this connection.
func (c *conn) sameClient(m *member) bool {
	return m.peer == c.peer || m.link.remote().Addr() == c.link.remote().Addr()
}

// answerLink returns where the answer to a request by m goes: a client with a callback connection is answered there
// (PROTOCOL.md 8), everybody else where the request came from.
func (c *conn) answerLink(m *member) *link {
	if m != nil && m.link.callback && c.sameClient(m) {
		return m.link
	}
	return c.link
}

// checkJoinID is the rule of strict mode (PROTOCOL.md 7.2). m is the owner of the JOIN_ID, or nil.
func (c *conn) checkJoinID(id, name string, m *member) error {
	switch {
	case id == "":
		return refusef(wire.CodeMalformed, "malformed: expected JOIN_ID")
	case m == nil || m.name != name:
		return refusef(wire.CodeWrongJoinID, "this JOIN_ID is not that of CLIENT_NAME")
	}
	return nil
}

// speakers returns who may be meant to speak by a CHAT with that CLIENT_NAME and with the JOIN_ID of m, best first;
// the first who is in the room does (PROTOCOL.md 7.1).
func (c *conn) speakers(name string, m *member) []*member {
	if c.front.cfg.Strict {
		return []*member{m}
	}
	own := c.peer.own()
	rank := func(o *member) int {
		switch {
		case o.name == name && o == m:
			return 0
		case o.name == name:
			return 1
		case o == m:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(own, func(a, b *member) int { return rank(a) - rank(b) })
	if m != nil && m.peer != c.peer {
		own = append(own, m)
	}
	return own
}

// leaver returns who is meant by a LEAVE with that CLIENT_NAME and with the JOIN_ID of m, or nil (PROTOCOL.md 7.1).
// Unlike a speaker it is one client or nobody: a LEAVE that is repeated must not push out somebody else, and a client
// that sends 1 for every number must not push out whoever has it.
func (c *conn) leaver(name string, m *member) *member {
	here := m != nil && m.peer == c.peer
	own := c.peer.own()
	if here && m.name == name {
		return m
	}
	for _, o := range own {
		if o.name == name {
			return o
		}
	}
	switch {
	case here, m != nil && m.name == name: // By its number, or elsewhere and with both right.
		return m
	case len(own) == 1:
		return own[0]
	}
	return nil
}

// elsewhere returns the client that a DISCONNECT means by its address, whatever connection it comes over: the one that
// is called back there, if it is the same client (PROTOCOL.md 8).
func (c *conn) elsewhere(r wire.Disconnect) *member {
	if !c.link.udp() {
		return nil
	}
	ip, err := netip.ParseAddr(r.IP)
	if err != nil {
		return nil
	}
	port, err := strconv.ParseUint(r.Port, 10, 16)
	if err != nil {
		return nil
	}
	m := c.front.byCallback(netip.AddrPortFrom(ip.Unmap(), uint16(port)), r.Name)
	if m == nil || !c.sameClient(m) && m.peer.first.remote().Addr() != c.link.remote().Addr() {
		return nil
	}
	return m
}
