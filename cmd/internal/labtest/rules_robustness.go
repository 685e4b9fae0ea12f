package labtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// What is graded here almost no student's server survives, and none of it spoils another group: it is played last, from
// the harmless to the harmful. The very last has KILL_SERVICE in a text, and who takes that for a message is gone.
func robustnessActs() []act {
	join := []string{ruleJoin}
	alone := []string{ruleJoin, ruleSender}
	streams := []string{TCP, UDP}
	const buffer = "Collect what you read in a buffer for each connection and take messages out of it as they are complete."
	return []act{
		one(Rule{
			ID: "robust.crlf", Points: 2, Where: theField, needs: alone,
			Text: "Requests whose lines end with \\r\\n are understood.",
			Hint: "Cut \\r from the ends of lines.",
		}, playCRLF),
		one(Rule{
			ID: "robust.blank-lines", Points: 2, Where: theField, needs: alone,
			Text: "One newline too many behind each request does no harm.",
			Hint: "Skip empty lines between messages.",
		}, playBlankLines),
		one(Rule{
			ID: "robust.tight", Points: 2, Where: theField, needs: alone,
			Text: "Requests are understood with and without a space behind the colon.",
			Hint: "Split at the colon and trim blanks.",
		}, playTight),
		one(Rule{
			ID: "robust.two-joins", Points: 3, Where: theField, needs: join, Transports: streams,
			Text: "Two JOIN_CHATROOM in one segment are both answered.",
			Hint: buffer,
		}, playTwoJoins),
		one(Rule{
			ID: "robust.two-chats", Points: 3, Where: theField, needs: alone, Transports: streams,
			Text: "Two CHATs in one segment both arrive.",
			Hint: buffer,
		}, playTwoChats),
		one(Rule{
			ID: "robust.split-join", Points: 3, Where: theField, needs: join, Transports: streams,
			Text: "A JOIN_CHATROOM in two segments is understood, wherever it is cut.",
			Hint: buffer,
		}, playSplitJoin),
		one(Rule{
			ID: "robust.split-chat", Points: 3, Where: theField, needs: alone, Transports: streams,
			Text: "A CHAT in two segments is understood, wherever it is cut.",
			Hint: buffer,
		}, playSplitChat),
		one(Rule{
			ID: "robust.bytewise", Points: 2, Where: theField, needs: join, Transports: streams,
			Text: "HELO and JOIN_CHATROOM are understood when they come byte by byte.",
			Hint: buffer,
		}, playBytewise),
		one(Rule{
			ID: "robust.no-newline", Points: 1, Where: theField + ": some end no message", needs: join, Transports: []string{TCP, Plain},
			Text: "A JOIN_CHATROOM without its last newline is answered all the same.",
			Hint: "When all lines are there and nothing more comes for a moment, take the message as ended.",
		}, playNoNewline),
		one(Rule{
			ID: "robust.long-text", Points: 2, Where: theField, needs: alone,
			Text: "A long text arrives whole.",
			Hint: "Read until the empty line, not one buffer's worth.",
		}, playLongText),
		one(Rule{
			ID: "robust.connect-only", Points: 2, Where: theField, needs: join,
			Text: "Connections that say nothing and go do no harm.",
			Hint: "The end of the stream ends that connection's loop, and nothing else.",
		}, playConnectOnly),
		one(Rule{
			ID: "robust.half", Points: 3, Where: theField, needs: join,
			Text: "A client that goes in the middle of a message does no harm.",
			Hint: "The end of the stream ends that connection's loop, and nothing else.",
		}, playHalf),
		one(Rule{
			ID: "robust.bad-numbers", Points: 3, Where: theField, needs: join,
			Text: "Numbers that are none, or of 39 digits, do no harm.",
			Hint: "Catch what converting a number throws, and answer ERROR_CODE.",
		}, playBadNumbers),
		one(Rule{
			ID: "robust.missing-lines", Points: 3, Where: theField, needs: join,
			Text: "Messages that lack lines do no harm to others.",
			Hint: "Check how many lines there are before you take them by number.",
		}, playMissingLines),
		one(Rule{
			ID: "robust.long-line", Points: 3, Where: theField, needs: join,
			Text: "A line that never ends does no harm to others.",
			Hint: "Bound what you collect of one line.",
		}, playLongLine),
		one(Rule{
			ID: "robust.garbage", Points: 3, Where: theField, needs: join,
			Text: "Bytes that are no text do no harm to others.",
			Hint: "Catch what decoding throws: bytes from the network need not be UTF-8.",
		}, playGarbage),
		one(Rule{
			ID: "robust.abrupt", Points: 3, Where: theField, needs: append(alone, ruleSimultaneous, ruleMembers),
			Text: "When a member's connection breaks, the others go on talking.",
			Hint: "Catch errors of writing to one member, remove it, and go on with the next.",
		}, playAbrupt),
		one(Rule{
			ID: "robust.abrupt-notice", Points: 2, Where: docLeave + ": \"indicating that the client has disconnected\"",
			needs: append(alone, ruleSimultaneous), Profiles: []string{AsSpecified}, Transports: []string{TCP},
			Text: "When a member's connection breaks, the others are told that it left.",
			Hint: "Do at the end of a stream what you do at DISCONNECT.",
		}, playAbruptNotice),
		one(Rule{
			ID: "robust.keys", Points: 2, Where: docChat + ": the string is terminated by two newlines and by nothing else", needs: alone,
			Text: "A text that contains words of the protocol is text.",
			Hint: "Decide by the first line which message it is, and take each key once; do not search the whole message for words.",
		}, playChatKeys),
	}
}

// joinedRoom matches the JOINED_CHATROOM of a room. How it spells the name is a rule of its own.
func joinedRoom(room string) func(*message) bool {
	return func(m *message) bool { return m.kind == kindJoined && names(m, room) }
}

// names reports whether a JOINED_CHATROOM is about this room, upper and lower case aside.
func names(m *message, room string) bool {
	return strings.Contains(strings.ToLower(m.fields["JOINED_CHATROOM"]), strings.ToLower(room))
}

// told sends a JOIN and a CHAT after change has been at them, and fails if the server does not understand.
func (p *player) told(change func(string) string) {
	c := p.connect("ann")
	room := p.room("a")
	c.joined = true
	m := p.request(c, change(c.joinText(room)), func(m *message) bool { return m.kind == kindJoined })
	if m == nil {
		p.failf("JOINED_CHATROOM: "+room+"\n…", "%s", p.noAnswer(c, "JOIN_CHATROOM"))
	}
	if !names(m, room) {
		p.fail(compareBytes("JOINED_CHATROOM: "+room, "JOINED_CHATROOM: "+m.fields["JOINED_CHATROOM"]))
	}
	p.quiet()
	text := p.text("understood")
	c.send(change(chatText(m.fields["ROOM_REF"], m.fields["JOIN_ID"], c.name, text)))
	heard := c.hears(text)
	if heard == nil {
		p.failf(chatWanted(m.fields["ROOM_REF"], c.name, text), "%s", p.noAnswer(c, "CHAT"))
	}
	if got := heard.fields["MESSAGE"]; got != text {
		p.fail(compareBytes("MESSAGE: "+text, "MESSAGE: "+got))
	}
}

func playCRLF(p *player) {
	p.told(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })
}

func playBlankLines(p *player) { p.told(func(s string) string { return s + "\n" }) }

func playTight(p *player) {
	p.told(func(s string) string { return strings.ReplaceAll(s, ": ", ":") })
	p.hangUp()
	p.told(func(s string) string {
		lines := strings.SplitAfter(s, "\n")
		for i, l := range lines {
			if key, value, found := strings.Cut(l, ":"); found {
				lines[i] = key + ": " + strings.TrimLeft(value, " ")
			}
		}
		return strings.Join(lines, "")
	})
}

func playChatKeys(p *player) {
	p.checkText(p.text("HELO there, JOIN_CHATROOM: lobby LEAVE_CHATROOM: 1 JOIN_ID: 99 CLIENT_NAME: eve MESSAGE: x DISCONNECT: 0 KILL_SERVICE") + ".")
}

func playTwoJoins(p *player) {
	c := p.connect("ann")
	c.joined = true
	one, two := p.room("a"), p.room("b")
	c.send(c.joinText(one) + c.joinText(two))
	for _, room := range []string{one, two} {
		if c.await(joinedRoom(room)) == nil {
			p.failf("JOINED_CHATROOM: "+room+"\n…", "%s", p.noAnswer(c, "JOIN_CHATROOM of "+room))
		}
	}
}

func playTwoChats(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	one, two := p.text("the one"), p.text("the other")
	s.send(chatText(s.ref, s.id, s.name, one) + chatText(s.ref, s.id, s.name, two))
	for _, text := range []string{one, two} {
		if s.await(func(m *message) bool { return m.kind == kindChat && m.fields["MESSAGE"] == text }) == nil {
			p.failf(chatWanted(s.ref, s.name, text), "%s", p.noAnswer(s.client, "CHAT"))
		}
	}
}

// cut sends text in two segments. It reports whether the pause between them was short: after a long one, as a busy
// machine makes it, a server may rightly take the first piece for a message without its end.
func (c *client) cut(text string, at int) (short bool) {
	c.send(text[:at])
	begun := time.Now()
	c.p.sleep(pieceGap)
	short = time.Since(begun) < 3*pieceGap
	c.send(text[at:])
	return short
}

// everyCut plays try for every place to cut n bytes at. A place where the pause was too long is tried again.
func (p *player) everyCut(n int, try func(at, again int) (short bool, f *Finding)) {
	for at := 1; at < n; at += max(p.cfg.cutStep, 1) {
		for again := 0; ; again++ {
			short, f := try(at, again)
			if f == nil {
				break
			}
			if short || again == pieceTriesMax {
				p.fail(f)
			}
		}
	}
}

func playSplitJoin(p *player) {
	c := p.connect("ann")
	c.joined = true
	p.everyCut(len(c.joinText(p.room("n0"))), func(at, again int) (bool, *Finding) {
		if again > 0 && c.closed() {
			c = p.connect("ann")
			c.joined = true
		}
		room := p.room(fmt.Sprintf("n%d", (at+again)%4))
		short := c.cut(c.joinText(room), at)
		switch m := c.await(func(m *message) bool { return m.kind == kindJoined }); {
		case m == nil:
			return short, describe("JOINED_CHATROOM: "+room+"\n…", fmt.Sprintf("%s that was cut after byte %d", p.noAnswer(c, "JOIN_CHATROOM"), at))
		case !names(m, room):
			return short, describe("JOINED_CHATROOM: "+room,
				fmt.Sprintf("JOINED_CHATROOM: %s (the request was cut after byte %d)", m.fields["JOINED_CHATROOM"], at))
		}
		c.awaitFor(p.cfg.quiet()/4, func(m *message) bool { return m.says(c.name) })
		return short, nil
	})
}

func playSplitChat(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	p.everyCut(len(chatText(s.ref, s.id, s.name, p.text("cut 100"))), func(at, again int) (bool, *Finding) {
		if again > 0 && s.closed() {
			s = p.join(p.connect("ann"), s.room)
		}
		text := p.text(fmt.Sprintf("cut %d", 100+at+300*again))
		short := s.cut(chatText(s.ref, s.id, s.name, text), at)
		if s.await(func(m *message) bool { return m.kind == kindChat && m.fields["MESSAGE"] == text }) != nil {
			return short, nil
		}
		got := p.noAnswer(s.client, "CHAT")
		if n := len(s.inbox); n > 0 && s.inbox[n-1].kind == kindChat {
			got = string(s.inbox[n-1].raw)
		}
		return short, describe(chatWanted(s.ref, s.name, text), fmt.Sprintf("%s (the request was cut after byte %d)", got, at))
	})
}

func playBytewise(p *player) {
	for again := 0; ; again++ {
		short, f := p.dripped(p.connect("ann"))
		if f == nil {
			return
		}
		if short || again == pieceTriesMax {
			p.fail(f)
		}
	}
}

// dripped sends HELO and JOIN_CHATROOM byte by byte.
func (p *player) dripped(c *client) (short bool, f *Finding) {
	short = true
	drip := func(s string) {
		for i := range len(s) {
			begun := time.Now()
			c.send(s[i : i+1])
			p.sleep(time.Millisecond)
			short = short && time.Since(begun) < 3*pieceGap
		}
	}
	if !p.run.heloMissing {
		text := p.unique("drip")
		drip("HELO " + text + "\n")
		if c.await(func(m *message) bool { return m.kind == kindHelo && strings.Contains(string(m.raw), text) }) == nil {
			return short, describe("HELO "+text+"\n…", p.noAnswer(c, "HELO"))
		}
	}
	c.joined = true
	room := p.room("a")
	drip(c.joinText(room))
	if c.await(joinedRoom(room)) == nil {
		return short, describe("JOINED_CHATROOM: "+room+"\n…", p.noAnswer(c, "JOIN_CHATROOM"))
	}
	return short, nil
}

func playNoNewline(p *player) {
	c := p.connect("ann")
	c.joined = true
	room := p.room("a")
	c.send(strings.TrimSuffix(c.joinText(room), "\n"))
	if c.await(joinedRoom(room)) == nil {
		p.failf("JOINED_CHATROOM: "+room+"\n…", "%s", p.noAnswer(c, "JOIN_CHATROOM"))
	}
}

func playLongText(p *player) {
	n := longTextBytes
	if p.net.transport == Plain {
		n = longTextDatagram
	}
	p.checkText(p.text("long") + " " + strings.Repeat("0123456789", n/10) + ".")
}

func playConnectOnly(p *player) {
	for range 5 {
		p.connect("mute")
	}
	p.mustLive("five connections that said nothing")
}

func playHalf(p *player) {
	p.connect("ann").send("JOIN_CHATROOM:" + p.joinSeparator() + p.room("a") + "\nCLIENT_IP:" + p.joinSeparator())
	s := p.join(p.connect("bob"), p.room("b"))
	s.send("CHAT: " + s.ref + "\nJOIN_ID: " + s.id + "\nCLIENT_NAME: " + s.name + "\nMESSAGE: half")
	p.quiet()
	s.joined = false // No goodbye either.
	p.mustLive("clients that went in the middle of a message")
}

// breakOff ends the connection as a crash does: with a reset where there is one.
func (c *client) breakOff() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // Then Close resets; without it the server sees an ordinary end.
	}
	c.p.transcript.note(c.label, "broken off")
	c.shut()
}

func playAbrupt(p *player) {
	ann, bob := p.pair()
	eve := p.join(p.connect("eve"), ann.room)
	p.quiet()
	eve.breakOff()
	p.quiet()
	for i, from := range []seat{ann, bob, ann} {
		text := p.text(fmt.Sprintf("after the break %d", i))
		from.say(text)
		for _, to := range []seat{ann, bob} {
			if to.hears(text) == nil {
				p.failf(to.label+" gets "+chatWanted(from.ref, from.name, text), "%s after another member's connection broke", p.noAnswer(to.client, "CHAT"))
			}
		}
	}
	p.mustLive("a broken connection")
}

func playAbruptNotice(p *player) {
	ann, bob := p.pair()
	for _, m := range ann.inbox {
		m.claimed = true // Notices of joining are not what we wait for.
	}
	bob.breakOff()
	p.checkNotice(ann.client, ann.ref, bob.name, noticeWanted(ann.ref, bob.name, "left this chatroom"))
}

func playBadNumbers(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	const huge = "123456789012345678901234567890123456789"
	for _, number := range []string{huge, "-1", "x", "1.5", ""} {
		s.send(chatText(number, s.id, s.name, p.text("bad")))
		p.sleep(pieceGap)
		s.send(leaveText(number, number, s.name))
		p.sleep(pieceGap)
	}
	p.quiet()
	p.mustLive("CHAT and LEAVE_CHATROOM with numbers that are none")
}

func playMissingLines(p *player) {
	for _, text := range []string{
		"JOIN_CHATROOM: x\n", "LEAVE_CHATROOM: 1\n", "CHAT: 1\n\n", "CHAT: 1\nJOIN_ID: 1\n\n", "DISCONNECT: 0\n", "CHAT:\n\n", ":\n", "\n\n\n\n",
	} {
		p.connect("ann").send(text)
		p.sleep(pieceGap)
	}
	p.quiet()
	p.mustLive("messages that lack lines")
}

func playLongLine(p *player) {
	c := p.connect("ann")
	n := longLineBytes
	if p.net.transport == Plain {
		n = overlongDatagram
	}
	c.send("JOIN_CHATROOM: " + strings.Repeat("x", n))
	p.quiet()
	p.mustLive("a line that did not end")
}

func playGarbage(p *player) {
	random := rand.New(rand.NewPCG(1, 2)) // The same garbage every time.
	for i := range 4 {
		b := make([]byte, garbageBytes)
		for j := range b {
			b[j] = byte(random.UintN(256))
		}
		if i == 1 {
			copy(b, "CHAT: ")
		}
		if p.net.transport == Plain {
			b = append([]byte("HELO "), b[:garbageBytes/4]...)
		}
		p.connect("ann").send(string(b) + "\n")
		p.sleep(pieceGap)
	}
	p.connect("ann").send("\x00\x00\x00\x00\n\xff\xfe\xfd\n")
	p.quiet()
	p.mustLive("bytes that are no text")
}
