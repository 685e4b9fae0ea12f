package labtest

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scenario of the course's own tester, with its reading habits: one conversation of client1 to client4 in room1 and
// room2, read line by line and by counting. One line too many shifts everything that follows, and where nothing comes at
// all the tester went on to KILL_SERVICE, on the connection it had: what had not been tried was lost. Its points are the course's: 75 for the base,
// 1,755 for the chat, 25 for KILL_SERVICE. A published log of a run that broke off at DISCONNECT says 1,275 of 1,755:
// that is five points for each check up to there, for the form and for the value of each line apart.

// gradedSteps are the rules of the scenario in the order of the conversation; the points of the chat are those of their
// checks.
func gradedSteps() []Rule {
	step := func(id string, number int, text, hint string) Rule {
		return Rule{ID: id, Text: text, Hint: hint, Where: fmt.Sprintf("%s, step %d", courseTester, number), Profiles: []string{AsGraded}}
	}
	const shift = "If this is the first that fails: compare the lines one by one; one empty line too many shifts all that follows."
	rules := []Rule{
		step("graded.helo", 1, "HELO BASE_TEST is answered at once and whole: the line, IP, Port and StudentID.",
			"The reply is read with one read: write it with one write."),
		step("graded.helo-ip", 1, "IP in the reply to HELO is the address under test.",
			"0.0.0.0 and ::ffff:1.2.3.4 cost these points."),
		step("graded.unknown", 1, "After an unknown line the server still answers.",
			"Ignore what you do not know."),
		step("graded.join", 2, "client1 joins room1: JOINED_CHATROOM, then the join notice on the same socket.", shift),
		step("graded.leave", 3, "client1 leaves room1: LEFT_CHATROOM, then the leave notice on the same socket.", shift),
		step("graded.two-rooms", 4, "client1 joins room1 and room2 on one socket and leaves each in turn; room1 keeps its ROOM_REF.", shift),
		step("graded.two-clients", 5, "client1 and client2 in room1 see each other come and go.", shift),
		step("graded.members", 6, "client1, 2 and 3 join room1, client1, 3 and 4 room2; every member sees every join.", shift),
		step("graded.room1", 7, "Every member of room1, the sender included, gets the messages of client1 and client3.", shift),
		step("graded.foreign-id", 7, "client2's message, which carries client1's JOIN_ID by a mistake of the tester, arrives as client2's.",
			"Do not compare JOIN_ID with CLIENT_NAME, and send no ERROR_CODE."),
		step("graded.room2", 7, "Every member of room2, the sender included, gets the message of client3.", shift),
		step("graded.nothing", 7, "Who is not in the room finds nothing to read.", "Keep one list of members for each room."),
		step(ruleGradedDisconnect, 8, "client1's DISCONNECT: first it gets the leave notices of room1 and room2 itself, then the end of the connection.",
			"Go through the client's rooms in the order of ROOM_REF, tell all members, the client included, then close."),
		step("graded.disconnect-others", 8, "client1's DISCONNECT: the members of room1 and room2 get the leave notices.", shift),
		step("graded.again", 9, "client1 connects and joins again under the same name, talks, and leaves.", shift),
	}
	for i := range rules {
		rules[i].Group = groupGraded
		if slices.Contains(courseBaseRules(), rules[i].ID) {
			rules[i].Points = courseBase / len(courseBaseRules())
		}
	}
	return rules
}

// courseBaseRules are the rules of the base, which share its points; a wrong address cost a third of them.
func courseBaseRules() []string { return []string{"graded.helo", "graded.helo-ip", "graded.unknown"} }

// gradedActs is the scenario without its end, KILL_SERVICE, which is played last of all.
func gradedActs() []act {
	rules := gradedSteps()
	counts := countChecks()
	for i, r := range rules {
		rules[i].Points += counts[r.ID] * coursePerCheck
	}
	return []act{{rules: rules, play: playGraded}}
}

// countChecks is how many checks the chat part of the scenario makes for each rule.
func countChecks() map[string]int {
	g := &graded{counting: true, counts: make(map[string]*tally)}
	g.chat()
	counts := make(map[string]int)
	for id, t := range g.counts {
		counts[id] = t.checks
	}
	return counts
}

// A tally is how many checks of a rule were passed, and what the first one that was not found.
type tally struct {
	checks, passed int
	first          *Finding
	entries        int // In the transcript when it was made.
}

// graded is the conversation while it goes on.
type graded struct {
	p        *player
	counting bool // Nothing is sent: the checks are counted.
	rule     string
	counts   map[string]*tally
	broken   string // Where nothing came, so that the tester gave up; empty: it goes on.

	clients map[string]*client
	refs    map[string]string          // ROOM_REF of each room, from its first JOINED.
	ids     map[string]string          // JOIN_ID, by "client/room".
	members map[string]map[string]bool // Who should be in each room.
}

func playGraded(p *player) {
	g := &graded{
		p: p, counts: make(map[string]*tally), clients: make(map[string]*client), refs: make(map[string]string),
		ids: make(map[string]string),
	}
	defer g.conclude() // Also if the conversation is broken off.
	g.base()
	g.chat()
}

// conclude turns the tallies into outcomes. Checks that were not reached are not passed.
func (g *graded) conclude() {
	planned := countChecks()
	for _, r := range g.p.act.rules {
		t := g.counts[r.ID]
		if t == nil && g.broken == "" {
			continue
		} else if t == nil {
			t = &tally{}
		}
		n := max(planned[r.ID], t.checks)
		o := &Outcome{Verdict: Pass, Passed: t.passed, Checks: n, Finding: t.first, entries: t.entries}
		if t.passed < n {
			o.Verdict, o.Note = Fail, fmt.Sprintf("%d of %d checks passed; this is the first that was not", t.passed, n)
		}
		if t.first == nil && t.passed < n {
			o.Verdict, o.Note, o.Finding = Skipped, g.broken, nil
		}
		g.p.outcomes[r.ID] = o
	}
}

// check counts one check of the current rule.
func (g *graded) check(ok bool, want, got string) {
	t := g.counts[g.rule]
	if t == nil {
		t = &tally{}
		g.counts[g.rule] = t
	}
	t.checks++
	switch {
	case g.counting:
	case ok:
		t.passed++
	case t.first == nil:
		t.first, t.entries = compareBytes(want, got), len(g.p.transcript.all())
	}
}

// giveUp ends the conversation, as the course's tester did where it got no answer at all.
func (g *graded) giveUp(c *client, what string) {
	g.broken = fmt.Sprintf("the course's tester gave up when %s got nothing where %s should come (%s)", c.label, what, g.rule)
	if g.p.net.transport != Plain && c.closed() {
		g.broken += "; the server had closed the connection"
	}
	if g.rule == ruleGradedDisconnect {
		g.p.keep(c)
	}
	runtime.Goexit()
}

// keep leaves c open for KILL_SERVICE at the end of the run.
func (p *player) keep(c *client) {
	p.run.kept = c
	p.clients = slices.DeleteFunc(p.clients, func(other *client) bool { return other == c })
}

// client returns the client of this name, connected.
func (g *graded) client(name string) *client {
	if g.counting {
		return nil
	}
	c := g.clients[name]
	if c == nil {
		if c = g.p.connectAs(name); c == nil {
			g.p.stop("cannot connect")
		}
		g.clients[name] = c
	}
	return c
}

// connectAs opens a socket for a client with exactly this name, nil if that does not work.
func (p *player) connectAs(name string) *client {
	c, err := p.tryConnect(name, p.net.server)
	if err != nil {
		return nil
	}
	c.name = name
	return c
}

// base is step 1.
func (g *graded) base() {
	const helo = "HELO BASE_TEST"
	c := g.client("base")
	g.rule = "graded.helo"
	c.send(helo + "\n")
	reply := c.once()
	lines := strings.Split(strings.ReplaceAll(reply, "\r\n", "\n"), "\n")
	for len(lines) < 4 {
		lines = append(lines, "")
	}
	port := strconv.Itoa(int(g.p.net.server.Port()))
	want := fmt.Sprintf("%s\nIP:%s\nPort:%s\nStudentID:<number>\n", helo, c.remoteIP(), port)
	_, student, _ := strings.Cut(lines[3], ":")
	g.check(lines[0] == helo && value(lines[2], "Port") == port && strings.HasPrefix(lines[3], "StudentID") && strings.TrimSpace(student) != "", want, reply)
	g.rule = "graded.helo-ip"
	ip := value(lines[1], "IP")
	a, err := netip.ParseAddr(ip)
	g.check(err == nil && (a == c.remoteIP() || c.remoteIP().IsLoopback() && ofThisMachine(a)), c.remoteIP().String(), ip)
	g.rule = "graded.unknown"
	c.send("ANYTHING" + g.p.unique("goes") + "\n")
	for range settleMax / 2 { // Any reply is fine, and none.
		c.drain(g.p.cfg.quiet())
		if c.unread() > 0 {
			break
		}
	}
	c.discard()
	again := c
	if c.closed() { // It is the server that must survive.
		again = g.client("base2")
	}
	again.send("HELO BASE_TEST2\n")
	l, _ := again.line()
	g.check(strings.HasPrefix(l, "HELO"), "HELO BASE_TEST2\n…", l)
	c.shut()
	again.shut()
}

// value is what stands behind key and colon, without blanks.
func value(line, key string) string {
	v, found := strings.CutPrefix(line, key+":")
	if !found {
		return ""
	}
	return strings.TrimSpace(v)
}

// chat is steps 2 to 9.
func (g *graded) chat() {
	g.members = map[string]map[string]bool{"room1": {}, "room2": {}}
	g.rule = "graded.join"
	g.join("client1", "room1")
	g.rule = "graded.leave"
	g.leave("client1", "room1")

	g.rule = "graded.two-rooms"
	g.join("client1", "room1")
	g.join("client1", "room2")
	g.leave("client1", "room1")
	g.leave("client1", "room2")

	g.rule = "graded.two-clients"
	g.join("client1", "room1")
	g.connect("client2")
	g.join("client2", "room1")
	g.leave("client2", "room1")
	g.leave("client1", "room1")

	g.rule = "graded.members"
	g.join("client1", "room1")
	g.join("client2", "room1")
	g.connect("client3")
	g.join("client3", "room1")
	g.join("client1", "room2")
	g.join("client3", "room2")
	g.connect("client4")
	g.join("client4", "room2")

	g.rule = "graded.room1"
	g.say("client1", "room1", "client1")
	g.rule = "graded.foreign-id"
	g.say("client2", "room1", "client1") // The tester's mistake.
	g.rule = "graded.room1"
	g.say("client3", "room1", "client3")
	g.rule = "graded.room2"
	g.say("client3", "room2", "client3")

	g.disconnect("client1")

	g.rule = "graded.again"
	g.connect("client1")
	g.join("client1", "room1")
	g.join("client1", "room2")
	g.say("client1", "room1", "client1")
	g.say("client1", "room2", "client1")
	g.leave("client1", "room1")
	g.nothing("room1", "client4")
	g.nothing("room2", "client2")
}

// connect opens the connection of a client, which is a check of its own.
func (g *graded) connect(name string) {
	c := g.client(name)
	g.check(c != nil || g.counting, "a connection", "none")
}

// in returns who should be in a room, in the order of their sockets.
func (g *graded) in(room string) []string {
	var names []string
	for _, name := range []string{"client1", "client2", "client3", "client4"} {
		if g.members[room][name] {
			names = append(names, name)
		}
	}
	return names
}

// send sends, which is a check of its own.
func (g *graded) send(c *client, text func() string) {
	if c != nil {
		c.send(text())
	}
	g.check(true, "", "")
}

func (g *graded) join(name, room string) {
	c := g.client(name)
	g.send(c, func() string {
		c.joined = true
		return c.joinText(room)
	})
	g.field(c, "JOINED_CHATROOM", room, func(v string) bool { return v == room })
	g.field(c, "SERVER_IP", "<address>", isAddress)
	g.field(c, "PORT", "<number>", isInteger)
	ref := g.field(c, "ROOM_REF", orElse(g.refs[room], "<number>"), func(v string) bool {
		return isInteger(v) && (g.refs[room] == "" || g.refs[room] == v)
	})
	id := g.field(c, "JOIN_ID", "<number>", isInteger)
	if !g.counting {
		g.refs[room] = orElse(g.refs[room], ref)
		g.ids[name+"/"+room] = id
	}
	g.members[room][name] = true
	for _, member := range g.in(room) {
		g.hear(member, room, name, name)
	}
}

// isAddress reports whether v has the form of an IP address; ::ffff:1.2.3.4 passed here, though not in HELO.
func isAddress(v string) bool {
	_, err := netip.ParseAddr(v)
	return err == nil
}

// hear has a member read a CHAT of the room from name whose text contains what.
func (g *graded) hear(member, room, name, what string) {
	var c *client
	if !g.counting {
		c = g.clients[member]
	}
	g.value(c, "CHAT", orElse(g.refs[room], "<number>"), func(v string) bool { return v != "" && v == g.refs[room] })
	g.value(c, "CLIENT_NAME", name, func(v string) bool { return v == name })
	g.value(c, "MESSAGE", "…"+what+"…", func(v string) bool { return strings.Contains(v, what) })
	if c != nil {
		c.line() // The empty line, whatever it is.
	}
}

func (g *graded) leave(name, room string) {
	c := g.client(name)
	id := g.ids[name+"/"+room]
	g.send(c, func() string { return leaveText(orElse(g.refs[room], "0"), orElse(id, "0"), name) })
	g.value(c, "LEFT_CHATROOM", g.refs[room], func(v string) bool { return v != "" && v == g.refs[room] })
	g.value(c, "JOIN_ID", id, func(v string) bool { return v != "" && v == id })
	g.hear(name, room, name, name)
	delete(g.members[room], name)
	for _, member := range g.in(room) {
		g.hear(member, room, name, name)
	}
}

// say has name speak with the JOIN_ID of whose, has every member read it, and looks that somebody else has nothing to
// read.
func (g *graded) say(name, room, whose string) {
	text := "hello world from client " + strings.TrimPrefix(name, "client")
	g.send(g.client(name), func() string {
		return chatText(orElse(g.refs[room], "0"), orElse(g.ids[whose+"/"+room], "0"), name, text)
	})
	for _, member := range g.in(room) {
		g.hear(member, room, name, text)
	}
	rule := g.rule
	g.rule = "graded.nothing"
	g.nothing(room, map[string]string{"room1": "client4", "room2": "client2"}[room])
	g.rule = rule
}

// nothing looks that a client outside of the room has nothing to read.
func (g *graded) nothing(room, other string) {
	var waiting string
	if !g.counting && g.clients[other] != nil {
		g.p.sleep(g.p.cfg.quiet())
		waiting = g.clients[other].waiting()
	}
	g.check(waiting == "", "nothing for "+other+", who is not in "+room, waiting)
}

func (g *graded) disconnect(name string) {
	c := g.client(name)
	g.rule = ruleGradedDisconnect
	if c != nil {
		c.send(c.disconnectText())
	}
	for _, room := range []string{"room1", "room2"} {
		g.hear(name, room, name, name)
	}
	ended := c == nil || g.p.net.transport == Plain || c.awaitEnd(g.p.patience()) // Datagrams have no end.
	g.check(ended, "the end of the connection", "it is open")
	g.rule = "graded.disconnect-others"
	for _, room := range []string{"room1", "room2"} {
		delete(g.members[room], name)
		for _, member := range g.in(room) {
			g.hear(member, room, name, name)
		}
	}
	if c != nil {
		c.shut()
		delete(g.clients, name)
	}
}

// field reads one line and makes two checks of it: that it has the key, and that its value is right. Blanks behind the
// colon do not count. It returns the value.
func (g *graded) field(c *client, key, want string, right func(string) bool) string {
	v, l, found := g.read(c, key)
	g.check(found, key+":…", l)
	g.check(found && right(v), key+": "+want, l)
	return v
}

// value is field with one check.
func (g *graded) value(c *client, key, want string, right func(string) bool) {
	v, l, found := g.read(c, key)
	g.check(found && right(v), key+": "+want, l)
}

// read reads one line and takes it apart. Where the first line of a message does not come, the tester gave up.
func (g *graded) read(c *client, key string) (value, whole string, found bool) {
	if c == nil {
		return "", "", false
	}
	l, came := c.line()
	if _, head := headKind(key); head && !came {
		g.check(false, key+": …", "")
		g.giveUp(c, key)
	}
	v, found := strings.CutPrefix(l, key+":")
	return strings.TrimSpace(v), l, found
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Reading as the course's tester did.

// once returns what one read gives: the first piece that arrives. Pieces of one reply that the kernel has put together
// are told apart where the system says how many there were.
func (c *client) once() string {
	limit := c.p.patience()
	for begun := time.Now(); c.unread() == 0 && !c.closed(); {
		left := limit - time.Since(begun)
		if left <= 0 {
			c.p.waited(limit)
			return ""
		}
		c.p.wait(c.arrived, left)
	}
	c.drain(c.p.cfg.quiet())
	segments, known := dataSegments(c.conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buf
	c.buf = nil
	switch whole := c.total == len(b); {
	case !whole || c.p.net.transport == UDP: // Not the first reply, or no pieces that would mean anything.
	case c.reads[0] < len(b):
		b = b[:c.reads[0]]
	case known && segments > 1:
		b = b[:1] // The kernel has put pieces together; how long the first one was is a matter of luck.
	}
	return string(b)
}

// line reads one line, without its end. came is false if there was none.
func (c *client) line() (l string, came bool) {
	limit := c.p.patience()
	for begun := time.Now(); ; {
		c.mu.Lock()
		i := bytes.IndexByte(c.buf, '\n')
		if i < 0 && c.end != nil {
			i = len(c.buf) - 1
		}
		if i >= 0 {
			l = strings.TrimRight(string(c.buf[:i+1]), "\r\n")
			c.buf = c.buf[i+1:]
			c.mu.Unlock()
			return l, true
		}
		ended := c.end != nil
		c.mu.Unlock()
		left := limit - time.Since(begun)
		if ended || left <= 0 {
			if !ended {
				c.p.waited(limit)
			}
			return "", false
		}
		c.p.wait(c.arrived, left)
	}
}

// unread is how many bytes wait to be read.
func (c *client) unread() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.buf)
}

// waiting returns what waits to be read, and leaves it there.
func (c *client) waiting() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.buf)
}

// discard throws away what waits to be read.
func (c *client) discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = nil
}

// drain waits until nothing has come for a while and leaves what came.
func (c *client) drain(quiet time.Duration) {
	for range settleMax {
		before := c.received()
		c.p.sleep(quiet)
		if c.received() == before {
			return
		}
	}
}

// awaitEnd waits for the end of the connection, whatever still comes before.
func (c *client) awaitEnd(limit time.Duration) bool {
	for begun := time.Now(); !c.closed(); {
		left := limit - time.Since(begun)
		if left <= 0 {
			c.p.waited(limit)
			return false
		}
		c.p.wait(c.arrived, left)
	}
	return true
}
