package labtest

import "fmt"

func disconnectActs() []act {
	two := []string{ruleJoin, ruleSimultaneous}
	return []act{
		one(Rule{
			ID: "disconnect.closes", Points: 5, Where: docDisconnect, needs: []string{ruleJoin}, Transports: []string{TCP, UDP},
			Text: "DISCONNECT is answered by the end of the connection.",
			Hint: "Close the socket, not only the streams or your list entry. Clients wait for the end.",
		}, playDisconnectCloses),
		one(Rule{
			ID: "disconnect.notices-self", Points: 4, Where: courseTester + ", step 8", needs: []string{ruleJoin, "rooms.two"}, Profiles: []string{AsGraded},
			Text: "Before the end the disconnecting client itself gets the leave notices of all its rooms.",
			Hint: "For each room of the client: tell all members, the client included. Then close.",
		}, playDisconnectSelf),
		one(Rule{
			ID: "disconnect.notices-order", Points: 3, Where: courseTester + ", step 8", needs: []string{ruleJoin, "rooms.two"}, Profiles: []string{AsGraded},
			Text: "The leave notices of DISCONNECT come in the order of ROOM_REF.",
			Hint: "Keep a client's rooms sorted by the number; a hash map gives them in any order.",
		}, playDisconnectOrder),
		one(Rule{
			ID: "disconnect.notices-others", Points: 4, Where: docLeave + ": \"post a message to the relevant chatroom indicating that the client has disconnected\"", needs: two,
			Text: "The other members get a CHAT that says that the disconnected client left, with its name in the text.",
			Hint: "DISCONNECT leaves all rooms of the client.",
		}, playDisconnectOthers),
		risky(unusual, one(Rule{
			ID: "disconnect.others-stay", Points: 4, Where: docDisconnect, needs: append(two, ruleMembers),
			Text: "A DISCONNECT of one client leaves the others connected and talking.",
			Hint: "Remove the client from all rooms before you write to them: writing to a closed socket must not end the loop.",
		}, playDisconnectOthersStay))[0],
		risky(unusual, one(Rule{
			ID: "disconnect.again", Points: 3, Where: courseTester + ", step 9", needs: []string{ruleJoin, ruleSender},
			Text: "A client can connect again and join the same room under the same name.",
			Hint: "Forget the client at DISCONNECT, or replace its connection.",
		}, playReconnect))[0],
	}
}

func playDisconnectCloses(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	s.send(s.disconnectText())
	if !s.awaitClose(p.patience()) {
		p.failf("the server closes the connection", "it is still open %v after DISCONNECT", p.cfg.Timeout)
	}
}

// leavesBoth has a client of two rooms disconnect and returns the notices of its leaving, and where they belong.
func (p *player) leavesBoth() (one, two seat, notices []*message) {
	c := p.connect("ann")
	one, two = p.join(c, p.room("a")), p.join(c, p.room("b"))
	p.quiet()
	from := len(c.inbox)
	c.send(c.disconnectText())
	for range 2 {
		m := c.await(func(m *message) bool {
			return c.position(m) >= from && m.says(c.name) && (one.chat(m) || two.chat(m))
		})
		if m != nil {
			notices = append(notices, m)
		}
	}
	return one, two, notices
}

func playDisconnectSelf(p *player) {
	one, two, notices := p.leavesBoth()
	want := noticeWanted(one.ref, one.name, "left this chatroom") + noticeWanted(two.ref, two.name, "left this chatroom")
	got := ""
	for _, m := range notices {
		got += string(m.raw)
	}
	if len(notices) < 2 {
		p.fail(compareBytes(want, got))
	}
}

func playDisconnectOrder(p *player) {
	one, two, notices := p.leavesBoth()
	if len(notices) < 2 {
		p.stop("the leave notices did not come, see disconnect.notices-self")
	}
	if !one.chat(notices[0]) {
		p.failf(fmt.Sprintf("CHAT: %s, then CHAT: %s", one.ref, two.ref), "CHAT: %s, then CHAT: %s",
			notices[0].fields["CHAT"], notices[1].fields["CHAT"])
	}
}

func playDisconnectOthers(p *player) {
	ann, bob := p.pair()
	for _, m := range ann.inbox {
		m.claimed = true // Notices of joining are not what we wait for.
	}
	bob.send(bob.disconnectText())
	p.checkNotice(ann.client, ann.ref, bob.name, noticeWanted(ann.ref, bob.name, "left this chatroom"))
}

func playDisconnectOthersStay(p *player) {
	ann, bob := p.pair()
	eve := p.join(p.connect("eve"), ann.room)
	p.quiet()
	eve.send(eve.disconnectText())
	p.quiet()
	eve.shut()
	text := p.text("without eve")
	ann.say(text)
	if bob.hears(text) == nil {
		p.failf(bob.label+" gets "+chatWanted(ann.ref, ann.name, text), "%s after another client's DISCONNECT", p.noAnswer(bob.client, "CHAT"))
	}
}

func playReconnect(p *player) {
	s := p.join(p.connect("ann"), p.room("a"))
	s.send(s.disconnectText())
	p.quiet()
	s.shut()
	c := p.connect("ann")
	again, ok := p.tryJoin(c, s.room)
	if !ok {
		p.failf("JOINED_CHATROOM: "+s.room+"\n…", "%s after DISCONNECT and a new connection", p.noAnswer(c, "JOIN_CHATROOM"))
	}
	text := p.text("back")
	again.say(text)
	if c.hears(text) == nil {
		p.failf(chatWanted(again.ref, again.name, text), "%s after DISCONNECT and a new connection", p.noAnswer(c, "CHAT"))
	}
}
