package labtest

import "strings"

func leaveActs() []act {
	needs := []string{ruleJoin, ruleLeave}
	two := []string{ruleJoin, ruleLeave, ruleSimultaneous}
	return []act{
		one(Rule{
			ID: ruleLeave, Points: 5, Where: docLeave, needs: []string{ruleJoin},
			Text: "LEAVE_CHATROOM is answered by LEFT_CHATROOM.",
			Hint: "Look the room up by the number in LEAVE_CHATROOM and answer on the connection that asked.",
		}, playLeaveReply),
		one(Rule{
			ID: "leave.reply.fields", Points: 4, Where: docLeave, needs: needs,
			Text: "LEFT_CHATROOM has two lines, LEFT_CHATROOM and JOIN_ID, with the numbers the client sent.",
			Hint: "Repeat ROOM_REF and JOIN_ID of the request.",
		}, playLeaveFields),
		one(Rule{
			ID: "leave.reply.end", Points: 4, Where: docLeave, needs: needs,
			Text: "LEFT_CHATROOM ends with exactly one newline.",
			Hint: "Only CHAT ends with an empty line. One newline too many shifts everything for a client that counts lines.",
		}, playLeaveEnd),
		risky(unusual, one(Rule{
			ID: "leave.repeat", Points: 4, Where: docLeave, needs: needs,
			Text: "A repeated LEAVE_CHATROOM is answered by the same LEFT_CHATROOM.",
			Hint: "Answer LEFT_CHATROOM whether or not the client is in the room.",
		}, playLeaveRepeat))[0],
		risky(unusual, one(Rule{
			ID: "leave.stranger", Points: 3, Where: docLeave + ": \"even if the client is presently not connected to the chat room\"", needs: two,
			Text: "LEAVE_CHATROOM of a room in which the client never was is answered by LEFT_CHATROOM.",
			Hint: "Answer LEFT_CHATROOM whether or not the client is in the room.",
		}, playLeaveStranger))[0],
		one(Rule{
			ID: "leave.connection-stays", Points: 4, Where: docLeave, needs: needs,
			Text: "LEAVE_CHATROOM does not end the connection: the client can join another room on it.",
			Hint: "Only DISCONNECT and KILL_SERVICE close connections.",
		}, playLeaveStays),
		one(Rule{
			ID: "leave.notice-self", Points: 3, Where: courseTester + ", step 3", needs: needs, Profiles: []string{AsGraded},
			Text: "After LEFT_CHATROOM the leaving client itself gets the CHAT that says that it left.",
			Hint: "Tell the room before you remove the member, but answer LEFT_CHATROOM first.",
			Against: "the document says that no CHAT of the room follows LEFT_CHATROOM (leave.silent, profile as-specified); " +
				"no server can do both (here: serve --lab-mode compat does this one)",
		}, playLeaveNoticeSelf),
		one(Rule{
			ID: "leave.silent", Points: 3, Where: docLeave, needs: needs, Profiles: []string{AsSpecified},
			Text: "After LEFT_CHATROOM the client gets no CHAT of that room, not even the one that says that it left.",
			Hint: "Remove the member before you tell the room.",
			Against: "the course's tester wants the leave notice after LEFT_CHATROOM (leave.notice-self, profile as-graded); " +
				"no server can do both (here: serve --lab-mode strict does this one)",
		}, playLeaveSilent),
		one(Rule{
			ID: "leave.notice-others", Points: 4, Where: docLeave, needs: two,
			Text: "The other members get a CHAT that says that the client left, with its name in the text.",
			Hint: "Post it to everybody who stays in the room.",
		}, playLeaveNoticeOthers),
		one(Rule{
			ID: "leave.no-more", Points: 4, Where: docLeave, needs: append(two, ruleMembers),
			Text: "What is said in a room after LEFT_CHATROOM does not reach the client that left.",
			Hint: "Remove the client from the room's list of members.",
		}, playLeaveNoMore),
		one(Rule{
			ID: "leave.rejoin", Points: 3, Where: docJoin, needs: append(needs, ruleSender),
			Text: "A client that left a room can join it again and is a member as before.",
			Hint: "Leaving must not mark the client or the room as finished.",
		}, playLeaveRejoin),
	}
}

func leftWanted(ref, id string) string { return "LEFT_CHATROOM: " + ref + "\nJOIN_ID: " + id + "\n" }

// mustLeave leaves to look at the answer.
func (p *player) mustLeave(s seat) *message {
	m := s.leave()
	if m == nil {
		p.stop("%s, see %s", p.noAnswer(s.client, "LEAVE_CHATROOM"), ruleLeave)
	}
	return m
}

func playLeaveReply(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	if s.leave() == nil {
		p.failf(leftWanted(s.ref, s.id), "%s", p.noAnswer(s.client, "LEAVE_CHATROOM"))
	}
}

func playLeaveFields(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	m := p.mustLeave(s)
	if m.fields["LEFT_CHATROOM"] != s.ref || m.fields["JOIN_ID"] != s.id || !m.ordered() || m.blankInside {
		p.fail(compareBytes(leftWanted(s.ref, s.id), string(m.raw)))
	}
}

func playLeaveEnd(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	m := p.mustLeave(s)
	p.quiet()
	want := leftWanted(m.fields["LEFT_CHATROOM"], m.fields["JOIN_ID"])
	switch {
	case m.blanksAfter > 0:
		p.fail(compareBytes(want, want+strings.Repeat("\n", m.blanksAfter)))
	case !m.ended:
		p.fail(compareBytes(want, string(m.raw)))
	}
}

func playLeaveRepeat(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	first := p.mustLeave(s)
	p.quiet()
	for range 2 {
		again := s.leave()
		switch {
		case again == nil:
			p.failf(string(first.raw), "%s", p.noAnswer(s.client, "the repeated LEAVE_CHATROOM"))
		case again.fields["LEFT_CHATROOM"] != first.fields["LEFT_CHATROOM"] || again.fields["JOIN_ID"] != first.fields["JOIN_ID"]:
			p.fail(compareBytes(string(first.raw), string(again.raw)))
		}
		p.quiet()
	}
}

func playLeaveStranger(p *player) {
	there := p.join(p.connect("ann"), p.room("a"))
	s := p.join(p.connect("bob"), p.room("b"))
	s.room, s.ref = there.room, there.ref
	if s.leave() == nil {
		p.failf(leftWanted(s.ref, s.id), "%s", p.noAnswer(s.client, "LEAVE_CHATROOM"))
	}
}

func playLeaveStays(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.mustLeave(s)
	if _, ok := p.tryJoin(s.client, p.room("b")); !ok {
		p.failf("the connection stays: JOIN_CHATROOM is answered", "%s after LEAVE_CHATROOM", p.noAnswer(s.client, "JOIN_CHATROOM"))
	}
}

func playLeaveNoticeSelf(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	for _, m := range s.inbox {
		m.claimed = true // A late notice of joining is not the one we wait for.
	}
	left := p.mustLeave(s)
	m := p.checkNotice(s.client, s.ref, s.name, noticeWanted(s.ref, s.name, "left this chatroom"))
	if s.position(m) < s.position(left) {
		p.failf("LEFT_CHATROOM first, then the CHAT", "the CHAT came before LEFT_CHATROOM")
	}
}

func playLeaveSilent(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	left := p.mustLeave(s)
	p.quiet()
	for _, m := range s.inbox[s.position(left)+1:] {
		if s.chat(m) {
			p.failf("nothing of the room after LEFT_CHATROOM", "%s", m.raw)
		}
	}
}

// pair brings two clients on two connections into one room.
func (p *player) pair() (ann, bob seat) {
	ann = p.join(p.connect("ann"), p.room("a"))
	bob = p.join(p.connect("bob"), ann.room)
	p.quiet()
	return ann, bob
}

func playLeaveNoticeOthers(p *player) {
	ann, bob := p.pair()
	for _, m := range ann.inbox {
		m.claimed = true // Notices of joining are not what we wait for.
	}
	p.mustLeave(bob)
	p.checkNotice(ann.client, ann.ref, bob.name, noticeWanted(ann.ref, bob.name, "left this chatroom"))
}

func playLeaveNoMore(p *player) {
	ann, bob := p.pair()
	p.mustLeave(bob)
	p.quiet()
	text := p.text("after")
	ann.say(text)
	p.everybodyHears(text, ann.client)
	p.quiet()
	if got := bob.messages(func(m *message) bool { return m.says(text) }); len(got) > 0 {
		p.failf("nothing of the room after LEFT_CHATROOM", "%s", got[0].raw)
	}
}

func playLeaveRejoin(p *player) {
	c := p.connect("ann")
	s := p.join(c, p.room("a"))
	p.mustLeave(s)
	p.quiet()
	again, ok := p.tryJoin(c, s.room)
	if !ok {
		p.failf("JOINED_CHATROOM: "+s.room+"\n…", "%s", p.noAnswer(c, "JOIN_CHATROOM after LEAVE_CHATROOM"))
	}
	text := p.text("back")
	again.say(text)
	if c.hears(text) == nil {
		p.failf("the client hears what is said in the room again", "%s", p.noAnswer(c, "CHAT"))
	}
}
