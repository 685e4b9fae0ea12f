package lab

import (
	"context"
	"net/netip"
	"strconv"

	"udpchat/chat"
	wire "udpchat/chat/wire/lab"
)

// handle carries out one request. With an error it says where the answer goes.
func (c *conn) handle(ctx context.Context, req wire.Request) (to *link, err error) {
	switch r := req.(type) {
	case wire.Helo:
		c.helo(r)
		return nil, nil
	case wire.Kill:
		return c.link, c.kill()
	case wire.Join:
		return c.link, c.join(ctx, r)
	case wire.Leave:
		m := c.known(r.JoinID)
		return c.answerLink(m), c.leave(ctx, r, m)
	case wire.Chat:
		m := c.known(r.JoinID)
		return c.answerLink(m), c.chat(ctx, r, m)
	case wire.Disconnect:
		return c.link, c.disconnect(r)
	case wire.Unknown:
		return c.link, refusef(wire.CodeUnknownMessage,
			"unknown message: expected HELO, JOIN_CHATROOM:, LEAVE_CHATROOM:, CHAT: or DISCONNECT:")
	}
	panic("BUG: lab: request of no known type")
}

func (c *conn) helo(r wire.Helo) {
	ip, port := c.front.address(c.link)
	c.link.reply(wire.AppendHeloReply(nil, wire.HeloReply{
		Line: r.Line, IP: ip, Port: port, StudentID: c.front.cfg.StudentID,
	}))
}

// kill ends the server: its context ends, and with it this session like all others.
func (c *conn) kill() error {
	if !c.front.cfg.AllowKill {
		return refusef(wire.CodeNotAllowed, "KILL_SERVICE is switched off here")
	}
	c.front.cfg.Logger.Info("client ends the service", "peer", c.link.remote())
	c.front.cfg.Kill()
	return nil
}

// join answers here or over a callback connection (PROTOCOL.md 8).
func (c *conn) join(ctx context.Context, r wire.Join) error {
	addr, err := c.callbackAddr(r.ClientIP, r.Port)
	if err != nil {
		return err
	}
	if !addr.IsValid() {
		return c.peer.join(ctx, c.link, r)
	}
	return c.peer.joinAt(ctx, addr, r, c.link)
}

// leave carries out LEAVE. m is the owner of its JOIN_ID, or nil.
func (c *conn) leave(ctx context.Context, r wire.Leave, m *member) error {
	ref, found := c.room(r.Room)
	who := m
	if c.front.cfg.Strict {
		if err := c.checkJoinID(r.JoinID, r.Name, m); err != nil {
			return err
		}
		if !found {
			return noRoom(r.Room)
		}
	} else if who = c.leaver(r.Name, m); who != nil {
		m = who
	}
	l := &leave{left: wire.AppendLeft(nil, wire.Left{RoomRef: r.Room, JoinID: r.JoinID}), to: c.answerLink(m)}
	if who == nil || !found {
		l.to.reply(l.left) // "repeat copies … should result in the same LEFT_CHATROOM" (PROTOCOL.md 5.2).
		return nil
	}
	who.expectLeave(ref, l)
	err := who.user.Leave(ctx, ref)
	if !who.forgetLeave(ref, l) {
		return nil // LEFT was sent in its place among the events.
	}
	if err == nil || is(err, chat.CodeNotMember) || is(err, chat.CodeClosed) {
		l.to.reply(l.left)
		return nil
	}
	return err
}

// chat carries out CHAT. m is the owner of its JOIN_ID, or nil.
func (c *conn) chat(ctx context.Context, r wire.Chat, m *member) error {
	if c.front.cfg.Strict {
		if err := c.checkJoinID(r.JoinID, r.Name, m); err != nil {
			return err
		}
	}
	ref, found := c.room(r.Room)
	if !found {
		return noRoom(r.Room)
	}
	err := error(&chat.Error{Op: "say", Code: chat.CodeNotMember, Room: ref})
	for _, who := range c.speakers(r.Name, m) {
		if err = who.user.Say(ctx, ref, r.Name, r.Text); !is(err, chat.CodeNotMember) {
			return err
		}
	}
	return err
}

// disconnect ends the connection and with it everything its client has, on callback connections too; the end of each
// brings the leave notices (PROTOCOL.md 5.4).
func (c *conn) disconnect(r wire.Disconnect) error {
	if m := c.elsewhere(r); m != nil {
		m.peer.end(ErrGoodbye)
	}
	return ErrGoodbye
}

// room returns the room a request means: by ROOM_REF, in compat mode also by name (PROTOCOL.md 7.1).
func (c *conn) room(s string) (chat.RoomRef, bool) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		if _, ok := c.peer.hub.Room(chat.RoomRef(n)); ok {
			return chat.RoomRef(n), true
		}
	}
	if c.front.cfg.Strict {
		return 0, false
	}
	return c.peer.hub.RoomNamed(s)
}

// noRoom refuses a request for a room that is not there. The room is the peer's text and may be long.
func noRoom(s string) error {
	return refusef(wire.CodeUnknownRoom, "no room %q", s[:min(len(s), wire.NameBytesMax)])
}

// callbackAddr returns where a JOIN wants its answer, or the zero value if here.
func (c *conn) callbackAddr(ip, port string) (netip.AddrPort, error) {
	if !c.link.udp() || port == "" || port == "0" {
		return netip.AddrPort{}, nil
	}
	here := c.link.remote()
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, refusef(wire.CodeMalformed, "malformed: expected PORT to be a port number")
	}
	host := netip.IPv4Unspecified()
	if ip != "" && ip != "0" {
		if host, err = netip.ParseAddr(ip); err != nil {
			return netip.AddrPort{}, refusef(wire.CodeMalformed, "malformed: expected CLIENT_IP to be an IP address")
		}
	}
	host = host.Unmap().WithZone("")
	if host.IsUnspecified() {
		if !c.link.plain() {
			return netip.AddrPort{}, nil
		}
		host = here.Addr() // On plain datagrams the port alone is enough (PROTOCOL.md 9).
	}
	addr := netip.AddrPortFrom(host, uint16(n))
	if addr == netip.AddrPortFrom(here.Addr().WithZone(""), here.Port()) {
		return netip.AddrPort{}, nil
	}
	return addr, nil
}
