package labtest

import "fmt"

func clientActs() []act {
	two := []string{ruleJoin, ruleSimultaneous}
	return []act{
		one(Rule{
			ID: "clients.ids", Points: 4, Where: docJoin + ": JOIN_ID uniquely identifies the client", needs: two,
			Text: "Two clients have different JOIN_IDs.",
			Hint: "Count JOIN_IDs for the whole server, not for each room or connection, and count under a lock.",
		}, playClientIDs),
		one(Rule{
			ID: "clients.join-notice", Points: 5, Where: docJoin, needs: two,
			Text: "The members of a room get a CHAT that says that somebody joined, with the name in the text.",
			Hint: "Send the join notice to all members, not only to the one that joined.",
		}, playClientsJoinNotice),
		one(Rule{
			ID: "clients.elsewhere", Points: 3, Where: docJoin, needs: two,
			Text: "Clients in other rooms are not told who joins or leaves.",
			Hint: "Send notices to the members of the room, not to all connections.",
		}, playElsewhere),
		one(Rule{
			ID: "clients.turns", Points: 4, Where: docServer, needs: append(two, ruleMembers),
			Text: "Three clients that talk in turn all hear each other.",
			Hint: "Serve every connection on its own; waiting for input of one must not hold up the others.",
		}, playTurns),
		one(Rule{
			ID: "clients.silent", Points: 3, Where: docServer, needs: append(two, ruleMembers),
			Text: "A connection that says nothing does not hold up the others.",
			Hint: "Do not wait for the first message of a new connection in the loop that accepts.",
		}, playSilentClient),
	}
}

// simultaneousAct is played with the join rules: much needs it.
func simultaneousAct() act {
	return one(Rule{
		ID: ruleSimultaneous, Points: 5, Where: docServer, needs: []string{ruleJoin},
		Text: "A second client is served while the first one is connected.",
		Hint: "Serve every connection on a thread of its own, or wait for all of them at once.",
	}, playSimultaneous)
}

func playSimultaneous(p *player) {
	p.join(p.connect("ann"), p.room("a"))
	c, err := p.tryConnect("bob", p.net.server)
	if err != nil {
		p.failf("a second connection while the first is open", "%v", err)
	}
	if _, ok := p.tryJoin(c, p.room("b")); !ok {
		p.failf("JOINED_CHATROOM: "+p.room("b")+"\n…", "%s on the second connection", p.noAnswer(c, "JOIN_CHATROOM"))
	}
}

func playClientIDs(p *player) {
	ann, bob := p.pair()
	if ann.id == bob.id {
		p.failf("JOIN_ID: <another than "+ann.id+">", "JOIN_ID: %s for both, in one room", bob.id)
	}
	eve := p.join(p.connect("eve"), p.room("other"))
	for _, s := range []seat{ann, bob} {
		if s.id == eve.id {
			p.failf("JOIN_ID: <another than "+s.id+">", "JOIN_ID: %s for %s and %s, in two rooms", eve.id, s.label, eve.label)
		}
	}
}

func playClientsJoinNotice(p *player) {
	ann := p.join(p.connect("ann"), p.room("a"))
	p.quiet()
	bob := p.join(p.connect("bob"), ann.room)
	p.checkNotice(ann.client, ann.ref, bob.name, noticeWanted(ann.ref, bob.name, "joined this chatroom"))
}

func playElsewhere(p *player) {
	ann := p.join(p.connect("ann"), p.room("a"))
	bob := p.join(p.connect("bob"), p.room("b"))
	p.quiet()
	bob.leave()
	p.quiet()
	if got := ann.messages(func(m *message) bool { return m.kind == kindChat && m.says(bob.name) }); len(got) > 0 {
		p.failf("nothing for ann, who is in another room", "%s", got[0].raw)
	}
}

func playTurns(p *player) {
	ann, bob := p.pair()
	eve := p.join(p.connect("eve"), ann.room)
	p.quiet()
	seats := []seat{ann, bob, eve}
	for i := range 6 {
		from := seats[i%3]
		text := p.text(fmt.Sprintf("turn %d of", i))
		from.say(text)
		for _, to := range seats {
			if to != from && to.hears(text) == nil {
				p.failf(to.label+" gets "+chatWanted(from.ref, from.name, text), "%s", p.noAnswer(to.client, "CHAT"))
			}
		}
	}
}

func playSilentClient(p *player) {
	p.connect("mute")
	ann, bob := p.pair()
	p.connect("mute2")
	text := p.text("past the silent one")
	ann.say(text)
	if bob.hears(text) == nil {
		p.failf(chatWanted(ann.ref, ann.name, text), "%s while others are connected and silent", p.noAnswer(bob.client, "CHAT"))
	}
}
