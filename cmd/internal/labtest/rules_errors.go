package labtest

import (
	"fmt"
)

func errorActs() []act {
	needs := []string{ruleJoin}
	const hint = "Answer \"ERROR_CODE: 3\\nERROR_DESCRIPTION: no such room\\n\" to the client that asked, and to nobody else."
	return []act{
		one(Rule{
			ID: "errors.unknown-room", Points: 3, Where: docErrors, needs: needs,
			Text: "A CHAT to a ROOM_REF that does not exist is answered by ERROR_CODE.",
			Hint: hint,
		}, playErrorRoom),
		one(Rule{
			ID: "errors.not-member", Points: 3, Where: docErrors, needs: append(needs, ruleSimultaneous),
			Text: "A CHAT to a room the client is not in is answered by ERROR_CODE.",
			Hint: hint,
		}, playErrorMember),
		one(Rule{
			ID: "errors.join-id", Points: 3, Where: docErrors + "; JOIN_ID uniquely identifies the client", needs: append(needs, ruleSimultaneous),
			Profiles: []string{AsSpecified},
			Text:     "A CHAT with the JOIN_ID of another client is answered by ERROR_CODE.",
			Hint:     "Compare JOIN_ID and CLIENT_NAME with those of the client that joined.",
			Against: "the course's tester sends such a CHAT by mistake and wants it delivered (chat.foreign-id, profile as-graded); " +
				"no server can do both (here: serve --lab-mode strict does this one)",
		}, playErrorID),
		one(Rule{
			ID: "errors.malformed", Points: 3, Where: docErrors, needs: needs,
			Text: "A JOIN_CHATROOM without CLIENT_NAME is answered by ERROR_CODE.",
			Hint: "Check that each key is there before you use its value.",
		}, playErrorMalformed),
		one(Rule{
			ID: "errors.fields", Points: 2, Where: docErrors, needs: needs,
			Text: "An error has two lines, ERROR_CODE with an integer and ERROR_DESCRIPTION with a text.",
			Hint: hint,
		}, playErrorFields),
		one(Rule{
			ID: "errors.connection-stays", Points: 3, Where: theField, needs: needs,
			Text: "A request that cannot be carried out does not end the connection.",
			Hint: "Catch what goes wrong in one request, answer it, and read on.",
		}, playErrorStays),
	}
}

// awaitError waits for ERROR_CODE. The rule fails without it; with the profile as-graded, whose tester knows no errors,
// a server may do without.
func (p *player) awaitError(c *client, after string) *message {
	m := c.await(func(m *message) bool { return m.kind == kindError })
	if m != nil {
		return m
	}
	f := describe("ERROR_CODE: <integer>\nERROR_DESCRIPTION: <text>\n", p.noAnswer(c, after))
	if p.cfg.Profile == AsGraded {
		p.decide(p.rule(), Unsupported, "no ERROR_CODE is sent; the course's tester never asks for it", f)
		p.stop("")
	}
	p.fail(f)
	return nil
}

// nobody checks that a refused CHAT did not reach the room all the same.
func (p *player) nobody(text string, clients ...*client) {
	p.quiet()
	for _, c := range clients {
		if got := c.messages(func(m *message) bool { return m.says(text) }); len(got) > 0 {
			p.failf("a refused CHAT reaches nobody", "%s got %s", c.label, got[0].raw)
		}
	}
}

// nowhere is a ROOM_REF that no room has.
const nowhere = "987654"

func playErrorRoom(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	text := p.text("nowhere")
	s.send(chatText(nowhere, s.id, s.name, text))
	p.awaitError(s.client, "CHAT to an unknown room")
	p.nobody(text, s.client)
}

func playErrorMember(p *player) {
	there := p.join(p.connect("ann"), p.room("a"))
	s := p.join(p.connect("bob"), p.room("b"))
	text := p.text("from outside")
	s.send(chatText(there.ref, s.id, s.name, text))
	p.awaitError(s.client, "CHAT to a room the client is not in")
	p.nobody(text, there.client)
}

func playErrorID(p *player) {
	ann, bob := p.pair()
	text := p.text("forged")
	bob.send(chatText(bob.ref, ann.id, bob.name, text))
	p.awaitError(bob.client, "CHAT with another client's JOIN_ID")
	p.nobody(text, ann.client)
}

// malformed is a JOIN_CHATROOM whose last line has another key.
func (c *client) malformed() string {
	s := c.p.joinSeparator()
	return "JOIN_CHATROOM:" + s + c.p.room("a") + "\nCLIENT_IP:" + s + c.ip + "\nPORT:" + s + c.port + "\nNAME:" + s + c.name + "\n"
}

func playErrorMalformed(p *player) {
	c := p.connect("ann")
	c.send(c.malformed())
	p.awaitError(c, "a JOIN_CHATROOM without CLIENT_NAME")
}

func playErrorFields(p *player) {
	c := p.connect("ann")
	s := p.join(c, p.room("a"))
	s.send(chatText(nowhere, s.id, s.name, p.text("nowhere")))
	m := c.await(func(m *message) bool { return m.kind == kindError })
	if m == nil {
		if p.cfg.Profile == AsGraded {
			p.decide(p.rule(), Unsupported, "no ERROR_CODE is sent; the course's tester never asks for it", nil)
		}
		p.stop("no ERROR_CODE came, see errors.unknown-room")
	}
	p.quiet()
	want := fmt.Sprintf("ERROR_CODE: %s\nERROR_DESCRIPTION: %s\n", m.fields["ERROR_CODE"], m.fields["ERROR_DESCRIPTION"])
	switch {
	case !isInteger(m.fields["ERROR_CODE"]):
		p.fail(compareBytes("ERROR_CODE: <integer>", "ERROR_CODE: "+m.fields["ERROR_CODE"]))
	case m.fields["ERROR_DESCRIPTION"] == "" || !m.ordered() || !m.ended:
		p.fail(compareBytes("ERROR_CODE: "+m.fields["ERROR_CODE"]+"\nERROR_DESCRIPTION: <text>\n", string(m.raw)))
	case m.tight || m.loose:
		p.lax(p.rule(), "colons are not followed by one space", compareBytes(want, string(m.raw)))
	}
}

func playErrorStays(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	s.send(chatText(nowhere, s.id, s.name, p.text("nowhere")))
	p.mayAnswer(s.client)
	if _, ok := p.tryJoin(s.client, p.room("b")); !ok {
		p.failf("the connection stays: JOIN_CHATROOM is answered", "%s after a CHAT to an unknown room", p.noAnswer(s.client, "JOIN_CHATROOM"))
	}
}
