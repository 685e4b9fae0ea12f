package labtest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

func concurrencyActs() []act {
	two := []string{ruleJoin, ruleSimultaneous, ruleMembers}
	return []act{
		one(Rule{
			ID: "concurrency.connect", Points: 4, Where: docServer, needs: two,
			Text: fmt.Sprintf("%d clients connect and join one room at once; each is answered.", crowdClients),
			Hint: "Raise the backlog of the listener, and lock what connections share.",
		}, playCrowd),
		one(Rule{
			ID: "concurrency.ids", Points: 3, Where: docJoin, needs: append(two, "concurrency.connect", "clients.ids"),
			Text: fmt.Sprintf("%d clients that join one room at once have one ROOM_REF and different JOIN_IDs.", crowdClients),
			Hint: "Look up and create a room, and count JOIN_IDs, under one lock.",
		}, playCrowdIDs),
		one(Rule{
			ID: "concurrency.fanout", Points: 4, Where: docChat, needs: append(two, "concurrency.connect"),
			Text: fmt.Sprintf("A CHAT reaches all other members of a room of %d.", crowdClients),
			Hint: "Lock the list of members while you go through it, or copy it.",
		}, playFanout),
		one(Rule{
			ID: "concurrency.interleaved", Points: 4, Where: docChat, needs: append(two, "concurrency.connect"),
			Text: fmt.Sprintf("%d rooms of %d clients talk at the same time: every message reaches its room, whole, once, and no other.", interleavedRooms, interleavedSize),
			Hint: "Write each message with one call and under one lock for each connection; messages of two threads must not mix.",
		}, playInterleaved),
		one(Rule{
			ID: "concurrency.order", Points: 2, Where: theField, needs: append(two, "concurrency.connect"),
			Text: "All members see the messages of several senders in the same order.",
			Hint: "Deliver the messages of a room one after the other.",
		}, playSameOrder),
	}
}

// gather connects n clients at once. A server whose queue of new connections is short refuses some by silence, and their
// systems ask again after 1, 3 and 7 s: that is slow, but no failure, and must not be a matter of luck.
func (p *player) gather(n int) []*client {
	conns, errs := make([]net.Conn, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { conns[i], errs[i] = p.net.dialFor(p.ctx, p.net.server, crowdDialMax) })
	}
	wg.Wait()
	clients := make([]*client, 0, n)
	for i, conn := range conns {
		if errs[i] == nil {
			what := fmt.Sprintf("c%d", i+1)
			p.transcript.note(what, "connected from %v to %v", conn.LocalAddr(), p.net.server)
			clients = append(clients, p.newClient(what, p.unique(what), conn))
		}
	}
	for i, err := range errs {
		if err != nil {
			p.failOrStop("concurrency.connect", fmt.Sprintf("%d connections", n), fmt.Sprintf("connection %d: %v", i+1, err))
		}
	}
	return clients
}

// crowd connects n clients at once and has them join at once.
func (p *player) crowd(n int, room func(i int) string) []seat {
	clients := p.gather(n)
	var wg sync.WaitGroup
	for i, c := range clients {
		c.joined = true
		wg.Go(func() { c.send(c.joinText(room(i))) })
	}
	wg.Wait()
	seats := make([]seat, n)
	for i, c := range clients {
		m := c.await(func(m *message) bool { return m.kind == kindJoined })
		if m == nil && p.net.transport == Plain { // It may have been lost.
			m = p.request(c, c.joinText(room(i)), func(m *message) bool { return m.kind == kindJoined })
		}
		if m == nil {
			p.failOrStop("concurrency.connect", fmt.Sprintf("JOINED_CHATROOM for all %d clients", n),
				fmt.Sprintf("%s got none: %s", c.label, p.noAnswer(c, "JOIN_CHATROOM")))
		}
		seats[i] = seat{client: c, room: room(i), ref: m.fields["ROOM_REF"], id: m.fields["JOIN_ID"]}
	}
	return seats
}

// failOrStop fails if the act is of the rule that says so, and otherwise refers to it.
func (p *player) failOrStop(rule, expected, actual string) {
	if p.rule() == rule {
		p.fail(describe(expected, actual))
	}
	p.stop("%s, see %s", actual, rule)
}

func playCrowd(p *player) {
	p.crowd(crowdClients, func(int) string { return p.room("a") })
}

func playCrowdIDs(p *player) {
	seats := p.crowd(crowdClients, func(int) string { return p.room("a") })
	ids := make(map[string]string)
	for _, s := range seats {
		if s.ref != seats[0].ref {
			p.failf("one ROOM_REF", "%s has ROOM_REF %s, %s has %s", seats[0].label, seats[0].ref, s.label, s.ref)
		}
		if other := ids[s.id]; other != "" {
			p.failf("different JOIN_IDs", "%s and %s both have JOIN_ID %s", other, s.label, s.id)
		}
		ids[s.id] = s.label
	}
}

func playFanout(p *player) {
	seats := p.crowd(crowdClients, func(int) string { return p.room("a") })
	p.quiet()
	text := p.text("to all")
	seats[0].say(text)
	missing := 0
	var first seat
	for _, s := range seats[1:] {
		if s.hears(text) == nil {
			if missing++; missing == 1 {
				first = s
			}
		}
	}
	if missing > 0 {
		p.failf(fmt.Sprintf("all %d other members get the CHAT", len(seats)-1), "%d did not, among them %s", missing, first.label)
	}
}

// everybodyTalks has all clients say n messages, all of them one at the same time. Nobody says the next one before all
// have heard what they should: a client does not send again before its answer. Every message names its room and its
// sender.
func (p *player) everybodyTalks(seats []seat, n int) {
	p.quiet()
	for i := range n {
		var wg sync.WaitGroup
		for _, s := range seats {
			wg.Go(func() { s.say(p.saying(s, i)) })
		}
		wg.Wait()
		for _, to := range seats {
			for _, from := range seats {
				if from != to && from.room == to.room {
					to.hears(p.saying(from, i)) // Whether it came is for the rules to see.
				}
			}
		}
	}
	p.quiet()
}

func (p *player) saying(s seat, i int) string {
	return p.text(fmt.Sprintf("number %d of %s in %s", i, s.label, s.room))
}

func playInterleaved(p *player) {
	seats := p.crowd(interleavedRooms*interleavedSize, func(i int) string { return p.room(string(rune('a' + i%interleavedRooms))) })
	p.everybodyTalks(seats, interleavedSays)
	for _, to := range seats {
		for _, from := range seats {
			want := 0
			if from.room == to.room {
				want = 1
			}
			if from == to {
				continue // Another rule's business.
			}
			for i := range interleavedSays {
				text := p.saying(from, i)
				got := to.messages(func(m *message) bool { return m.kind == kindChat && m.fields["MESSAGE"] == text })
				if len(got) != want {
					p.failf(fmt.Sprintf("%s of %s gets %q of %s %d times", to.label, to.room, text, from.label, want), "it got it %d times", len(got))
				}
			}
		}
	}
}

func playSameOrder(p *player) {
	seats := p.crowd(interleavedSize, func(int) string { return p.room("a") })
	p.everybodyTalks(seats, interleavedSays)
	heard := func(s seat) []string {
		var texts []string
		for _, m := range s.messages(func(m *message) bool { return m.says("number ") }) {
			texts = append(texts, m.fields["MESSAGE"])
		}
		return texts
	}
	// both is what is in a and in b, in the order of a.
	both := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(text string) bool { return !slices.Contains(b, text) })
	}
	first := heard(seats[0])
	for _, s := range seats[1:] {
		got := heard(s)
		if one, other := both(first, got), both(got, first); !slices.Equal(one, other) {
			p.lax(p.rule(), "members see different orders; the document does not forbid it",
				compareBytes(strings.Join(one, "\n"), strings.Join(other, "\n")))
			return
		}
	}
}
