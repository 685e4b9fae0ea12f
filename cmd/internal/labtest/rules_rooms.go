package labtest

import "fmt"

func roomActs() []act {
	needs := []string{ruleJoin, ruleSender}
	return []act{
		one(Rule{
			ID: "rooms.two", Points: 4, Where: docJoin + ": \"a client can post to more than one chat room concurrently\"", needs: []string{ruleJoin},
			Text: "A client can be in two rooms on one connection, with different ROOM_REFs.",
			Hint: "Give every room name a number of its own; do not tie a connection to one room.",
		}, playTwoRooms),
		one(Rule{
			ID: "rooms.talk", Points: 4, Where: docChat, needs: append(needs, "rooms.two"),
			Text: "What is said in one of a client's rooms carries that room's ROOM_REF, in turn in both.",
			Hint: "Take the room from the CHAT request, not from the connection's last JOIN.",
		}, playRoomsTalk),
		one(Rule{
			ID: "rooms.leave-one", Points: 4, Where: docLeave + ": \"continue to send chat messages in respect of other chat rooms\"", needs: append(needs, ruleLeave, "rooms.two"),
			Text: "After leaving one room a client still gets what is said in its other room.",
			Hint: "Remove the client from the one room only.",
		}, playLeaveOne),
		one(Rule{
			ID: "rooms.apart", Points: 3, Where: docChat, needs: append(needs, "rooms.two", ruleSimultaneous),
			Text: "What is said in one room does not appear in another that shares members with it.",
			Hint: "Keep one list of members for each room.",
		}, playRoomsApart),
		one(Rule{
			ID: "rooms.same-ref", Points: 4, Where: docJoin + ": ROOM_REF uniquely identifies the chat room on the server", needs: []string{ruleJoin, ruleSimultaneous},
			Text: "Two clients that join the same name get the same ROOM_REF.",
			Hint: "Look the room up by name before you make a new one.",
		}, playSameRoom),
		one(Rule{
			ID: "rooms.many", Points: 2, Where: theField, needs: append(needs, "rooms.two"),
			Text: "A client can be in five rooms, all with different ROOM_REFs, and talk in each.",
			Hint: "Do not derive ROOM_REF from lengths or hashes of names; they collide.",
		}, playManyRooms),
	}
}

func playTwoRooms(p *player) {
	c := p.connect("ann")
	one := p.join(c, p.room("a"))
	two, ok := p.tryJoin(c, p.room("b"))
	switch {
	case !ok:
		p.failf("JOINED_CHATROOM: "+p.room("b")+"\n…", "%s", p.noAnswer(c, "the second JOIN_CHATROOM"))
	case one.ref == two.ref:
		p.failf("ROOM_REF: <another than "+one.ref+">", "ROOM_REF: %s", two.ref)
	}
}

func playRoomsTalk(p *player) {
	c := p.connect("ann")
	seats := []seat{p.join(c, p.room("a")), p.join(c, p.room("b"))}
	p.quiet()
	for round := range 2 {
		for i, s := range seats {
			text := p.text(fmt.Sprintf("round %d room %d", round, i))
			s.say(text)
			m := c.hears(text)
			switch {
			case m == nil:
				p.failf(chatWanted(s.ref, s.name, text), "%s", p.noAnswer(c, "CHAT"))
			case m.fields["CHAT"] != s.ref:
				p.fail(compareBytes("CHAT: "+s.ref, "CHAT: "+m.fields["CHAT"]))
			}
		}
	}
}

func playLeaveOne(p *player) {
	c := p.connect("ann")
	one, two := p.join(c, p.room("a")), p.join(c, p.room("b"))
	p.mustLeave(one)
	p.quiet()
	text := p.text("still here")
	two.say(text)
	if c.hears(text) == nil {
		p.failf(chatWanted(two.ref, two.name, text), "%s after leaving another room", p.noAnswer(c, "CHAT"))
	}
}

func playRoomsApart(p *player) {
	ann := p.connect("ann")
	shared, own := p.join(ann, p.room("a")), p.join(ann, p.room("b"))
	bob := p.join(p.connect("bob"), shared.room)
	p.quiet()
	text := p.text("in b only")
	own.say(text)
	p.everybodyHears(text, ann)
	p.quiet()
	if got := bob.messages(func(m *message) bool { return m.says(text) }); len(got) > 0 {
		p.failf("nothing for bob, who is only in the other room", "%s", got[0].raw)
	}
	if got := ann.messages(func(m *message) bool { return m.says(text) && shared.chat(m) }); len(got) > 0 {
		p.failf("one CHAT, of the room it was said in", "%s", got[0].raw)
	}
}

func playSameRoom(p *player) {
	ann := p.join(p.connect("ann"), p.room("a"))
	bob := p.join(p.connect("bob"), ann.room)
	if ann.ref != bob.ref {
		p.fail(compareBytes("ROOM_REF: "+ann.ref, "ROOM_REF: "+bob.ref))
	}
}

func playManyRooms(p *player) {
	c := p.connect("ann")
	refs := make(map[string]string)
	var seats []seat
	for i := range 5 {
		s, ok := p.tryJoin(c, p.room(string(rune('a'+i))))
		if !ok {
			p.failf("JOINED_CHATROOM: "+p.room(string(rune('a'+i)))+"\n…", "%s", p.noAnswer(c, fmt.Sprintf("JOIN_CHATROOM number %d", i+1)))
		}
		if other := refs[s.ref]; other != "" {
			p.failf("different ROOM_REFs", "%s and %s both have ROOM_REF %s", other, s.room, s.ref)
		}
		refs[s.ref] = s.room
		seats = append(seats, s)
	}
	for i, s := range seats {
		text := p.text(fmt.Sprintf("room %d", i))
		s.say(text)
		if c.hears(text) == nil {
			p.failf(chatWanted(s.ref, s.name, text), "%s", p.noAnswer(c, "CHAT"))
		}
	}
}
