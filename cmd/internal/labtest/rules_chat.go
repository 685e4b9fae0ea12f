package labtest

import (
	"fmt"
	"strings"
)

func chatActs() []act {
	alone := []string{ruleJoin, ruleSender}
	two := []string{ruleJoin, ruleSimultaneous, ruleMembers}
	return []act{
		one(Rule{
			ID: ruleSender, Points: 5, Where: docChat + ": \"to every client presently connected to the chat room\"", needs: []string{ruleJoin},
			Text: "A CHAT reaches the client that sent it.",
			Hint: "Send to all members; do not leave out the sender.",
		}, playSender),
		one(Rule{
			ID: "chat.fields", Points: 4, Where: docChat, needs: alone,
			Text: "A CHAT to members has three lines in this order: CHAT, CLIENT_NAME, MESSAGE; and no JOIN_ID.",
			Hint: "Do not forward the request as it came: JOIN_ID is between the sender and the server.",
		}, playChatFields),
		one(Rule{
			ID: "chat.ref", Points: 3, Where: docChat, needs: alone,
			Text: "CHAT: in a CHAT to members is the room's ROOM_REF.",
			Hint: "It is the number, not the room's name.",
		}, playChatRef),
		one(Rule{
			ID: "chat.name", Points: 3, Where: docChat, needs: alone,
			Text: "CLIENT_NAME in a CHAT to members is the name of the client that sent it.",
			Hint: "Repeat CLIENT_NAME of the request.",
		}, playChatName),
		one(Rule{
			ID: "chat.text", Points: 4, Where: docChat, needs: alone,
			Text: "The text arrives as it was sent: punctuation, colons, doubled blanks.",
			Hint: "Take all that follows \"MESSAGE: \" up to the empty line; do not split it at blanks or colons.",
		}, playChatText),
		one(Rule{
			ID: "chat.utf8", Points: 2, Where: theField, needs: alone,
			Text: "Text that is not ASCII arrives as it was sent.",
			Hint: "Read and write UTF-8, and count bytes where you count.",
		}, playChatUTF8),
		risky(unusual, one(Rule{
			ID: "chat.lines", Points: 2, Where: docChat + ": the string is terminated by two newlines", needs: alone,
			Text: "A text of two lines arrives whole: one newline does not end it.",
			Hint: "Read on until the empty line.",
		}, playChatLines))[0],
		one(Rule{
			ID: "chat.end", Points: 4, Where: docChat + ": the string is terminated by two newlines", needs: alone,
			Text: "A CHAT to members ends with exactly two newlines.",
			Hint: "Write \"MESSAGE: text\\n\\n\"; a text that is read with its newlines may bring its own.",
		}, playChatEnd),
		one(Rule{
			ID: ruleMembers, Points: 6, Where: docChat, needs: []string{ruleJoin, ruleSimultaneous},
			Text: "A CHAT reaches every other member of the room.",
			Hint: "Keep the connections of a room's members and write to all of them; flush each.",
		}, playMembers),
		one(Rule{
			ID: "chat.once", Points: 3, Where: docChat, needs: two,
			Text: "A CHAT reaches every member once.",
			Hint: "Look whether a client is in the list of members already before you add it.",
		}, playOnce),
		one(Rule{
			ID: "chat.non-members", Points: 4, Where: docChat, needs: two,
			Text: "A CHAT does not reach clients that are not in the room.",
			Hint: "Keep one list of members for each room; do not send to all connections.",
		}, playNonMembers),
		one(Rule{
			ID: "chat.order", Points: 3, Where: theField, needs: two,
			Text: "Messages of one client arrive in the order in which they were sent.",
			Hint: "Handle the requests of one connection one after the other.",
		}, playOrder),
		one(Rule{
			ID: "chat.all", Points: 4, Where: docChat, needs: two,
			Text: fmt.Sprintf("Of %d messages none is lost.", manyMessages),
			Hint: "Look for unsynchronised lists, and for reads that throw away what came after the first message.",
		}, playAll),
		risky(unusual, one(Rule{
			ID: "chat.foreign-id", Points: 3, Where: courseTester + ", step 7: client2's CHAT carries client1's JOIN_ID", needs: two,
			Profiles: []string{AsGraded},
			Text:     "A CHAT with another client's JOIN_ID is delivered under the CLIENT_NAME that was sent.",
			Hint:     "The course's tester sends it by mistake: do not answer ERROR_CODE, and do not replace CLIENT_NAME by the owner of the JOIN_ID.",
			Against: "the document wants an ERROR_CODE for what fails (errors.join-id, profile as-specified); no server can do both " +
				"(here: serve --lab-mode compat does this one)",
		}, playForeignID))[0],
	}
}

// alone brings one client into a room and says text there.
func (p *player) saysAlone(text string) (seat, *message) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	s.say(text)
	return s, s.await(func(m *message) bool { return m.says(p.unique("msg")) })
}

// mustSay is saysAlone for rules about what comes back.
func (p *player) mustSay(text string) (seat, *message) {
	s, m := p.saysAlone(text)
	if m == nil {
		p.stop("%s, see %s", p.noAnswer(s.client, "CHAT"), ruleSender)
	}
	return s, m
}

func chatWanted(ref, name, text string) string {
	return "CHAT: " + ref + "\nCLIENT_NAME: " + name + "\nMESSAGE: " + text + "\n\n"
}

func playSender(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	text := p.text("to myself")
	s.say(text)
	if s.hears(text) == nil {
		p.failf(chatWanted(s.ref, s.name, text), "%s", p.noAnswer(s.client, "CHAT"))
	}
}

func playChatFields(p *player) {
	text := p.text("fields")
	s, m := p.mustSay(text)
	if !m.complete || !m.ordered() || m.blankInside {
		p.fail(compareBytes(chatWanted(s.ref, s.name, text), string(m.raw)))
	}
}

func playChatRef(p *player) {
	s, m := p.mustSay(p.text("ref"))
	if m.fields["CHAT"] != s.ref {
		p.fail(compareBytes("CHAT: "+s.ref, "CHAT: "+m.fields["CHAT"]))
	}
}

func playChatName(p *player) {
	s, m := p.mustSay(p.text("name"))
	if m.fields["CLIENT_NAME"] != s.name {
		p.fail(compareBytes("CLIENT_NAME: "+s.name, "CLIENT_NAME: "+m.fields["CLIENT_NAME"]))
	}
}

// checkText says text and compares what comes back. Text may come back without what stood before or behind it.
func (p *player) checkText(text string) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	from := len(s.inbox)
	s.say(text)
	m := s.await(func(m *message) bool { // A notice of joining may be late.
		return m.says(p.unique("msg")) || m.kind == kindChat && s.position(m) >= from && !m.says(s.name)
	})
	if m == nil {
		p.failf(chatWanted(s.ref, s.name, text), "%s", p.noAnswer(s.client, "CHAT"))
	}
	if m.fields["MESSAGE"] != text {
		p.fail(compareBytes(text, m.fields["MESSAGE"]))
	}
}

func playChatText(p *player) {
	p.checkText(p.text(`It's 10:45, isn't it? "Yes";  two blanks, 100% (a/b) [c] {d} <e> & \n $HOME`) + ".")
}

func playChatUTF8(p *player) { p.checkText(p.text("Dún Laoghaire, größer, 你好, 🙂") + ".") }

func playChatLines(p *player) { p.checkText(p.text("first line") + "\nand the second") }

func playChatEnd(p *player) {
	text := p.text("end")
	s, m := p.mustSay(text)
	p.quiet()
	raw := string(m.raw)
	want := strings.TrimRight(raw, "\r\n") + "\n\n"
	switch {
	case m.blanksAfter > 0:
		p.fail(compareBytes(want, want+strings.Repeat("\n", m.blanksAfter)))
	case !m.ended:
		p.fail(compareBytes(want, raw))
	case s.blanks > 0:
		p.fail(compareBytes(want, strings.Repeat("\n", s.blanks)+raw))
	}
}

func playMembers(p *player) {
	ann, bob := p.pair()
	for _, from := range []seat{ann, bob} {
		text := p.text("from " + from.label)
		from.say(text)
		for _, to := range []seat{ann, bob} {
			if to != from && to.hears(text) == nil {
				p.failf(to.label+" gets "+chatWanted(from.ref, from.name, text), "%s", p.noAnswer(to.client, "CHAT"))
			}
		}
	}
}

func playOnce(p *player) {
	ann, bob := p.pair()
	text := p.text("once")
	ann.say(text)
	p.everybodyHears(text, bob.client)
	p.quiet()
	for _, s := range []seat{ann, bob} {
		if got := s.messages(func(m *message) bool { return m.says(text) }); len(got) > 1 {
			p.failf("one CHAT", "%s got it %d times", s.label, len(got))
		}
	}
}

func playNonMembers(p *player) {
	ann, bob := p.pair()
	eve := p.join(p.connect("eve"), p.room("other"))
	zoe := p.connect("zoe") // In no room at all.
	p.quiet()
	text := p.text("not for eve")
	ann.say(text)
	p.everybodyHears(text, bob.client)
	p.quiet()
	for _, c := range []*client{eve.client, zoe} {
		if got := c.messages(func(m *message) bool { return m.says(text) }); len(got) > 0 {
			p.failf("nothing for "+c.label+", who is not in the room", "%s", got[0].raw)
		}
	}
}

func playOrder(p *player) {
	ann, bob := p.pair()
	p.inOrder(ann, bob, orderedMessages)
}

func playAll(p *player) {
	ann, bob := p.pair()
	p.inOrder(ann, bob, manyMessages)
}

// inOrder has one client say n messages, each after the other has heard the one before, and fails if one does not come
// or comes after a later one.
func (p *player) inOrder(from, to seat, n int) {
	last := -1
	for i := range n {
		text := p.text(fmt.Sprintf("number %d of", i+1))
		from.say(text)
		m := to.hears(text)
		if m == nil {
			p.failf(chatWanted(from.ref, from.name, text), "%s (message %d of %d)", p.noAnswer(to.client, "CHAT"), i+1, n)
		}
		if to.position(m) < last {
			p.failf(fmt.Sprintf("message %d after message %d", i+1, i), "it came before")
		}
		last = to.position(m)
	}
}

func playForeignID(p *player) {
	ann, bob := p.pair()
	text := p.text("with ann's number")
	bob.send(chatText(bob.ref, ann.id, bob.name, text))
	for _, s := range []seat{bob, ann} {
		m := s.hears(text)
		switch {
		case m == nil:
			p.failf(s.label+" gets "+chatWanted(bob.ref, bob.name, text), "%s", p.noAnswer(bob.client, "CHAT"))
		case m.fields["CLIENT_NAME"] != bob.name:
			p.fail(compareBytes("CLIENT_NAME: "+bob.name, "CLIENT_NAME: "+m.fields["CLIENT_NAME"]))
		}
	}
}
