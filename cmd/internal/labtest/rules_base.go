package labtest

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

func baseActs() []act {
	return []act{
		one(Rule{
			ID: ruleHelo, Points: 5, Where: docBase,
			Text: "HELO is answered by the line that was sent and what follows it.",
			Hint: "Read a line; if it begins with HELO, send the reply on the same connection. Flush your output stream.",
		}, playHeloReply),
		one(Rule{
			ID: "helo.echo", Points: 3, Where: docBase, needs: []string{ruleHelo},
			Text: "The first line of the reply to HELO is the line that was sent, unchanged.",
			Hint: "Repeat the whole line, blanks inside it included; do not split it into words and do not answer a fixed text.",
		}, playHeloEcho),
		one(Rule{
			ID: "helo.fields", Points: 5, Where: docBase, needs: []string{ruleHelo},
			Text: "After that line the reply to HELO has IP:, Port: and StudentID:, each on a line of its own, in this order, and ends with one newline.",
			Hint: "The reply is \"HELO text\\nIP:1.2.3.4\\nPort:1234\\nStudentID:12345678\\n\": no space behind these three colons, no other letter case.",
		}, playHeloFields),
		one(Rule{
			ID: "helo.ip", Points: 4, Where: docBase, needs: []string{ruleHelo},
			Text: "IP: in the reply to HELO is the address at which the server was reached, as plain text.",
			Hint: "Take the local address of the connection. 0.0.0.0 and ::ffff:1.2.3.4 are no addresses a client can use.",
		}, playHeloIP),
		one(Rule{
			ID: "helo.port", Points: 3, Where: docBase, needs: []string{ruleHelo},
			Text: "Port: in the reply to HELO is the port at which the server was reached.",
			Hint: "It is the port of the listener, not that of the client.",
		}, playHeloPort),
		one(Rule{
			ID: "helo.student-id", Points: 2, Where: docBase, needs: []string{ruleHelo},
			Text: "StudentID: in the reply to HELO is not empty.",
			Hint: "Put your student number there.",
		}, playHeloStudent),
		one(Rule{
			ID: "helo.one-piece", Points: 3, Where: courseTester + ", which reads the reply with one read", needs: []string{ruleHelo},
			Transports: []string{TCP, Plain},
			Text:       "The reply to HELO is sent whole, with one write.",
			Hint:       "Build the reply in one buffer and write it once. Clients that read once see only the first piece.",
		}, playHeloPiece),
		one(Rule{
			ID: "helo.again", Points: 2, Where: docBase, needs: []string{ruleHelo},
			Text: "HELO is answered as often as it is sent on one connection.",
			Hint: "Keep reading after the first message; do not close the connection.",
		}, playHeloAgain),
		risky(unusual, one(Rule{
			ID: "helo.joined", Points: 2, Where: docBase, needs: []string{ruleHelo, ruleJoin},
			Text: "HELO is answered to a client that is in a room, too.",
			Hint: "The base messages are part of the protocol at any time.",
		}, playHeloJoined))[0],
		risky(unusual, one(Rule{
			ID: "unknown.survives", Points: 5, Where: courseTester + ", step 1", needs: []string{ruleHelo},
			Text: "An unknown line may be answered or not, but the connection stays and goes on.",
			Hint: "Ignore what you do not know, or answer ERROR_CODE; never leave the loop or the process for it.",
		}, playUnknown))[0],
	}
}

func playHeloReply(p *player) {
	c := p.connect("ann")
	text := p.unique("hello")
	if c.helo(text) != nil {
		return
	}
	c.pull(true)
	if len(c.inbox) > 0 {
		p.fail(compareBytes("HELO "+text+"\n", string(c.inbox[0].raw)))
	}
	p.failf("HELO "+text+"\nIP:…\nPort:…\nStudentID:…\n", "%s", p.noAnswer(c, "HELO"))
}

// mustHelo sends HELO to look at its answer.
func (p *player) mustHelo(text string) (*client, *message) {
	c := p.connect("ann")
	m := c.helo(text)
	if m == nil {
		p.stop("%s, see %s", p.noAnswer(c, "HELO"), ruleHelo)
	}
	return c, m
}

func playHeloEcho(p *player) {
	text := p.unique("two  blanks, a:colon and ") + " end"
	c := p.connect("ann")
	want := "HELO " + text
	m := p.request(c, want+"\n", func(m *message) bool { return m.kind == kindHelo })
	if m == nil {
		p.stop("%s, see %s", p.noAnswer(c, "HELO"), ruleHelo)
	}
	first, _, _ := strings.Cut(string(m.raw), "\n")
	if first = strings.TrimSuffix(first, "\r"); first != want {
		p.fail(compareBytes(want, first))
	}
}

// heloWanted is the reply as it should be, with the values that came where they are not this rule's business.
func heloWanted(m *message) string {
	orElse := func(key, placeholder string) string {
		if v, there := m.fields[key]; there {
			return v
		}
		return placeholder
	}
	first, _, _ := strings.Cut(string(m.raw), "\n")
	return fmt.Sprintf("%s\nIP:%s\nPort:%s\nStudentID:%s\n", strings.TrimRight(first, "\r"),
		orElse("IP", "<address>"), orElse("Port", "<port>"), orElse("StudentID", "<number>"))
}

func playHeloFields(p *player) {
	c, m := p.mustHelo(p.unique("fields"))
	p.quiet()
	raw := strings.ReplaceAll(string(m.raw), "\r\n", "\n")
	want := heloWanted(m)
	switch {
	case raw == want && m.blanksAfter == 0:
	case !m.complete || !m.ordered():
		p.fail(compareBytes(want, raw))
	case m.blanksAfter > 0:
		p.fail(compareBytes(want, raw+strings.Repeat("\n", m.blanksAfter)))
	case !m.ended:
		p.lax(p.rule(), "the last line has no newline", compareBytes(want, raw))
	case c.blanks > 0 || m.blankInside:
		p.fail(compareBytes(want, strings.Repeat("\n", c.blanks)+raw))
	default:
		p.lax(p.rule(), "there are spaces behind the colons", compareBytes(want, raw))
	}
}

func playHeloIP(p *player) {
	c, m := p.mustHelo(p.unique("ip"))
	got, want := m.fields["IP"], c.remoteIP()
	a, err := netip.ParseAddr(got)
	switch {
	case err == nil && a == want:
	case err == nil && want.IsLoopback() && ofThisMachine(a):
		// We came from the machine itself; the server names the address others reach it at.
	case err == nil && !a.IsUnspecified() && !a.Is4In6():
		p.lax(p.rule(), "it is an address, but not the one under test: right if the server is known to others by it", compareBytes(want.String(), got))
	default:
		p.fail(compareBytes(want.String(), got))
	}
}

// ofThisMachine reports whether a is the address of one of our interfaces.
func ofThisMachine(a netip.Addr) bool {
	switch {
	case a.Is4In6():
		return false // Nobody can use ::ffff:1.2.3.4 but who knows what it means.
	case a.IsLoopback():
		return true // 127.0.1.1 is what many systems call themselves.
	}
	addrs, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(addrs, func(other net.Addr) bool {
		prefix, err := netip.ParsePrefix(other.String())
		return err == nil && prefix.Addr().Unmap() == a
	})
}

func playHeloPort(p *player) {
	_, m := p.mustHelo(p.unique("port"))
	if want := strconv.Itoa(int(p.net.server.Port())); m.fields["Port"] != want {
		p.fail(compareBytes(want, m.fields["Port"]))
	}
}

func playHeloStudent(p *player) {
	_, m := p.mustHelo(p.unique("student"))
	if m.fields["StudentID"] == "" {
		p.failf("StudentID:<number>", "StudentID is missing or empty in %q", m.raw)
	}
}

func playHeloPiece(p *player) {
	c, _ := p.mustHelo(p.unique("piece"))
	p.quiet()
	c.mu.Lock()
	pieces, first := len(c.reads), c.reads[0]
	c.mu.Unlock()
	if n, ok := dataSegments(c.conn); ok {
		pieces = n
	}
	if pieces <= 1 {
		return
	}
	f := describe("one segment", fmt.Sprintf("%d segments; the first read had %d bytes", pieces, first))
	if p.cfg.Profile == AsSpecified && p.net.transport == TCP {
		p.lax(p.rule(), "a stream may be cut anywhere, but clients that read once see only the first piece", f)
		return
	}
	p.fail(f)
}

func playHeloAgain(p *player) {
	c, _ := p.mustHelo(p.unique("first"))
	for _, n := range []string{"second", "third"} {
		if text := p.unique(n); c.helo(text) == nil {
			p.failf("HELO "+text+"\n…", "%s after the %s HELO on the connection", p.noAnswer(c, "HELO"), n)
		}
	}
}

func playHeloJoined(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	if text := p.unique("joined"); s.helo(text) == nil {
		p.failf("HELO "+text+"\n…", "%s", p.noAnswer(s.client, "HELO"))
	}
}

func playUnknown(p *player) {
	c := p.connect("ann")
	c.send("ANYTHING" + p.unique("goes") + "\n")
	p.mayAnswer(c)
	if text := p.unique("after"); c.helo(text) == nil {
		p.failf("the connection stays: HELO "+text+" is answered", "%s after an unknown line", p.noAnswer(c, "HELO"))
	}
}
