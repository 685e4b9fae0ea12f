package labtest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

func joinActs() []act {
	needs := []string{ruleJoin}
	return []act{
		one(Rule{
			ID: ruleJoin, Points: 6, Where: docJoin,
			Text: "JOIN_CHATROOM is answered by JOINED_CHATROOM with a ROOM_REF and a JOIN_ID.",
			Hint: "Read the four lines of the request, then answer. If the answer comes only after more input, you wait for something the protocol does not send.",
		}, playJoinReply),
		one(Rule{
			ID: "join.reply.fields", Points: 4, Where: docJoin, needs: needs,
			Text: "JOINED_CHATROOM has five lines in this order: JOINED_CHATROOM, SERVER_IP, PORT, ROOM_REF, JOIN_ID.",
			Hint: "Clients read these lines by number. Spell the keys as the document does.",
		}, playJoinFields),
		one(Rule{
			ID: "join.reply.room", Points: 3, Where: docJoin, needs: needs,
			Text: "JOINED_CHATROOM names the room as the client called it.",
			Hint: "Repeat the name of the request, without its key and without the newline.",
		}, playJoinRoom),
		one(Rule{
			ID: "join.reply.address", Points: 3, Where: docJoin, needs: needs,
			Text: "SERVER_IP is an IP address as plain text and PORT a port number.",
			Hint: "Give the address of the server, not a host name, 0.0.0.0 or ::ffff:1.2.3.4, and a port from 1 to 65535.",
		}, playJoinAddress),
		one(Rule{
			ID: "join.reply.ids", Points: 3, Where: docJoin, needs: needs,
			Text: "ROOM_REF and JOIN_ID are integers.",
			Hint: "Count rooms and clients; names, hashes with letters and UUIDs are no integers.",
		}, playJoinIDs),
		one(Rule{
			ID: "join.reply.end", Points: 4, Where: docJoin, needs: needs,
			Text: "JOINED_CHATROOM ends with exactly one newline.",
			Hint: "Only CHAT ends with an empty line. One newline too many shifts everything for a client that counts lines.",
		}, playJoinEnd),
		one(Rule{
			ID: "reply.newline", Points: 2, Where: docBase, needs: needs,
			Text: "Lines of replies end with \\n, not with \\r\\n.",
			Hint: "println writes the line end of your platform; write \"\\n\".",
		}, playNewline),
		one(Rule{
			ID: "reply.space", Points: 2, Where: docJoin, needs: needs,
			Text: "The keys of JOINED_CHATROOM, CHAT and LEFT_CHATROOM have one space behind the colon.",
			Hint: "Clients split lines at colon and space.",
		}, playSpace),
		one(Rule{
			ID: "join.first", Points: 3, Where: docJoin, needs: needs,
			Text: "JOINED_CHATROOM is sent before any CHAT of the room.",
			Hint: "Answer the request first, then tell the room.",
		}, playJoinFirst),
		one(Rule{
			ID: "join.notice", Points: 5, Where: docJoin, needs: needs,
			Text: "The joining client itself gets a CHAT of the room that says that it joined, with its name in the text.",
			Hint: "The client is a member from the moment of JOINED_CHATROOM on: send the notice to all members, the new one included.",
		}, playJoinNotice),
		risky(unusual, one(Rule{
			ID: "join.same-ref", Points: 3, Where: docJoin, needs: []string{ruleJoin, ruleLeave},
			Text: "A room keeps its ROOM_REF when everybody has left and somebody joins again.",
			Hint: "Keep rooms by name, and do not forget an empty one.",
		}, playSameRef))[0],
		risky(unusual, one(Rule{
			ID: "join.again", Points: 3, Where: docJoin, needs: needs,
			Text: "A client that joins a room it is in is told the same ROOM_REF and JOIN_ID again.",
			Hint: "JOIN_ID identifies the client: look whether it is a member before you make a new number.",
		}, playJoinAgain))[0],
	}
}

// mustJoin sends JOIN_CHATROOM to look at its answer.
func (p *player) mustJoin(c *client, room string) *message {
	c.joined = true
	m := p.request(c, c.joinText(room), func(m *message) bool { return m.kind == kindJoined })
	if m == nil {
		p.stop("%s, see %s", p.noAnswer(c, "JOIN_CHATROOM"), ruleJoin)
	}
	return m
}

func playJoinReply(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	c.joined = true
	m := p.request(c, c.joinText(room), func(m *message) bool { return m.kind == kindJoined })
	want := fmt.Sprintf("JOINED_CHATROOM: %s\nSERVER_IP: <address>\nPORT: <number>\nROOM_REF: <number>\nJOIN_ID: <number>\n", room)
	switch {
	case m == nil && len(c.inbox) > 0:
		p.fail(compareBytes(want, string(c.inbox[0].raw)))
	case m == nil:
		p.failf(want, "%s", p.noAnswer(c, "JOIN_CHATROOM"))
	case m.fields["ROOM_REF"] == "" || m.fields["JOIN_ID"] == "":
		p.fail(compareBytes(joinedWanted(m, room), string(m.raw)))
	}
}

// joinedWanted is JOINED as it should be, with the values that came where they are not to be known.
func joinedWanted(m *message, room string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "JOINED_CHATROOM: %s\n", room)
	for _, key := range forms[kindJoined][1:] {
		value := m.fields[key]
		if value == "" {
			value = "<missing>"
		}
		fmt.Fprintf(&b, "%s: %s\n", key, value)
	}
	return b.String()
}

func playJoinFields(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	m := p.mustJoin(c, room)
	if !m.complete || !m.ordered() || m.blankInside {
		p.fail(compareBytes(joinedWanted(m, m.fields["JOINED_CHATROOM"]), string(m.raw)))
	}
}

func playJoinRoom(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	if m := p.mustJoin(c, room); m.fields["JOINED_CHATROOM"] != room {
		p.fail(compareBytes(room, m.fields["JOINED_CHATROOM"]))
	}
}

func playJoinAddress(p *player) {
	m := p.mustJoin(p.connect("ann"), p.room("a"))
	ip, port := m.fields["SERVER_IP"], m.fields["PORT"]
	number, err := strconv.Atoi(port)
	if err != nil || number < 1 || number > 65535 {
		p.fail(compareBytes("PORT: "+strconv.Itoa(int(p.net.server.Port())), "PORT: "+port))
	}
	a, err := netip.ParseAddr(ip)
	want := p.net.server.Addr().String()
	switch {
	case err != nil && isHostName(ip):
		p.lax(p.rule(), "it is a host name", compareBytes("SERVER_IP: "+want, "SERVER_IP: "+ip))
	case err != nil || a.IsUnspecified() || a.Is4In6():
		p.fail(compareBytes("SERVER_IP: "+want, "SERVER_IP: "+ip))
	}
}

// isHostName reports whether s could be one, and no wrong IP address.
func isHostName(s string) bool {
	letters := false
	for _, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		letters = letters || letter
		if !letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' {
			return false
		}
	}
	return letters && len(s) <= 253
}

// isInteger reports whether s is written as an integer, of any size.
func isInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

func playJoinIDs(p *player) {
	m := p.mustJoin(p.connect("ann"), p.room("a"))
	for _, key := range []string{"ROOM_REF", "JOIN_ID"} {
		if !isInteger(m.fields[key]) {
			p.fail(compareBytes(key+": <integer>", key+": "+m.fields[key]))
		}
	}
}

func playJoinEnd(p *player) {
	c := p.connect("ann")
	m := p.mustJoin(c, p.room("a"))
	p.quiet()
	raw := string(m.raw)
	want := strings.TrimRight(raw, "\r\n") + "\n"
	switch {
	case m.blanksAfter > 0:
		p.fail(compareBytes(want, strings.TrimRight(raw, "\r\n")+strings.Repeat("\n", 1+m.blanksAfter)))
	case c.blanks > 0:
		p.fail(compareBytes(want, strings.Repeat("\n", c.blanks)+raw))
	case !m.ended || !strings.HasSuffix(raw, "\n"):
		p.fail(compareBytes(want, raw))
	}
}

// samples has one of each reply a member gets: JOINED, a notice, its own CHAT and LEFT, as far as they come.
func (p *player) samples() []*message {
	c := p.connect("ann")
	s := p.join(c, p.room("a"))
	s.say(p.text("sample"))
	p.mayAnswer(c)
	c.send(leaveText(s.ref, s.id, s.name))
	p.mayAnswer(c)
	return c.messages(func(m *message) bool { return m.kind != kindOther && m.kind != kindHelo })
}

func playNewline(p *player) {
	for _, m := range p.samples() {
		if m.crlf {
			p.lax(p.rule(), "lines end with \\r\\n", compareBytes(strings.ReplaceAll(string(m.raw), "\r\n", "\n"), string(m.raw)))
			return
		}
	}
}

func playSpace(p *player) {
	for _, m := range p.samples() {
		if m.tight || m.loose {
			p.lax(p.rule(), "colons are not followed by one space", compareBytes(respaced(string(m.raw)), string(m.raw)))
			return
		}
	}
}

// respaced gives every key of a message one space behind its colon.
func respaced(raw string) string {
	lines := strings.SplitAfter(raw, "\n")
	for i, l := range lines {
		if key, value, found := strings.Cut(l, ":"); found && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
			lines[i] = key + ": " + strings.TrimLeft(value, " ")
		}
	}
	return strings.Join(lines, "")
}

func playJoinFirst(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	m := p.mustJoin(c, room)
	for _, other := range c.inbox[:c.position(m)] {
		if other.kind == kindChat {
			p.fail(compareBytes(joinedWanted(m, room), string(other.raw)))
		}
	}
}

func playJoinNotice(p *player) {
	c := p.connect("ann")
	m := p.mustJoin(c, p.room("a"))
	want := noticeWanted(m.fields["ROOM_REF"], c.name, "joined this chatroom")
	p.checkNotice(c, m.fields["ROOM_REF"], c.name, want)
}

// noticeWanted is a notice as most servers word it; only the name has to be in the text.
func noticeWanted(ref, name, what string) string {
	return fmt.Sprintf("CHAT: %s\nCLIENT_NAME: %s\nMESSAGE: %s has %s.\n\n", ref, name, name, what)
}

// checkNotice waits for a CHAT of the room whose text contains the name, and fails the act's rule without it.
func (p *player) checkNotice(c *client, ref, name, want string) *message {
	m := c.await(func(m *message) bool { return m.is(kindChat, "CHAT", ref) && m.says(name) })
	if m != nil {
		return m
	}
	chats := c.messages(func(m *message) bool { return m.kind == kindChat && !m.claimed })
	if len(chats) > 0 {
		p.fail(compareBytes(want, string(chats[len(chats)-1].raw)))
	}
	p.failf(want, "%s got no CHAT", c.label)
	return nil
}

func playSameRef(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	first := p.join(c, room)
	p.join(c, p.room("between"))
	if first.leave() == nil {
		p.stop("%s, see %s", p.noAnswer(c, "LEAVE_CHATROOM"), ruleLeave)
	}
	p.quiet()
	if again := p.join(c, room); again.ref != first.ref {
		p.fail(compareBytes("ROOM_REF: "+first.ref, "ROOM_REF: "+again.ref))
	}
}

func playJoinAgain(p *player) {
	c := p.connect("ann")
	room := p.room("a")
	first := p.join(c, room)
	p.quiet()
	m := p.request(c, c.joinText(room), func(m *message) bool { return m.kind == kindJoined || m.kind == kindError })
	switch {
	case m == nil:
		p.failf(fmt.Sprintf("JOINED_CHATROOM: %s\n…ROOM_REF: %s\nJOIN_ID: %s\n", room, first.ref, first.id), "%s", p.noAnswer(c, "the second JOIN_CHATROOM"))
	case m.kind == kindError:
		p.lax(p.rule(), "the second JOIN_CHATROOM is refused", compareBytes("JOINED_CHATROOM: "+room+"\n…", string(m.raw)))
	case m.fields["ROOM_REF"] != first.ref:
		p.fail(compareBytes("ROOM_REF: "+first.ref, "ROOM_REF: "+m.fields["ROOM_REF"]))
	case m.fields["JOIN_ID"] != first.id:
		p.fail(compareBytes("JOIN_ID: "+first.id, "JOIN_ID: "+m.fields["JOIN_ID"]))
	}
}
