package labtest

import (
	"fmt"
	"slices"
	"time"
)

// killActs is one act: a server can be ended once.
func killActs() []act {
	graded := Rule{
		ID: ruleGradedKill, Group: groupGraded, Points: courseKill, Profiles: []string{AsGraded},
		Where: courseTester + ", step 10",
		Text:  "KILL_SERVICE ends the server: its connections end or nobody can connect any more.",
		Hint:  "Close the listener and all connections within half a second, then end the process. Here: serve --allow-kill.",
	}
	stops := Rule{
		ID: "kill.stops", Group: groupKill, Points: 5, Where: docBase,
		Text: "KILL_SERVICE ends the service: soon nobody can connect any more.",
		Hint: "Close the listener; a loop that blocks in accept does not see a flag. Here: serve --allow-kill.",
	}
	closes := Rule{
		ID: "kill.closes", Group: groupKill, Points: 3, Where: docBase, Transports: []string{TCP, UDP},
		Text: "KILL_SERVICE ends the connections of all clients.",
		Hint: "End the process, or close every connection: threads that are not daemons keep a process alive.",
	}
	return []act{{rules: []Rule{graded, stops, closes}, play: playKill}}
}

func playKill(p *player) {
	if p.run.kept != nil && p.killByKept() {
		return
	}
	var sockets []*client
	if p.run.results[ruleSimultaneous].Verdict != Fail { // Then nobody must be in the killer's way.
		ann := p.connect("ann")
		p.tryJoin(ann, p.room("a"))
		sockets = append(sockets, ann)
	}
	killer := p.connect("killer")
	killer.send("KILL_SERVICE\n")
	sockets = append(sockets, killer)
	begun, limit := time.Now(), p.killWait()
	closed, gone, extra := false, false, 0
	for time.Since(begun) < limit && !(closed && gone) {
		p.sleep(killWait / 20)
		closed = !slices.ContainsFunc(sockets, func(c *client) bool { return !c.closed() })
		if !gone && time.Since(begun) > limit/4 {
			gone = !p.reachable()
			extra++
		}
	}
	for _, c := range sockets {
		c.pull(true)
		c.joined = false // Nobody is left to say goodbye to.
		for _, m := range c.inbox {
			if m.kind == kindError && !closed && !gone {
				p.refusedToDie(m)
				return
			}
		}
	}
	after := fmt.Sprintf("%v after KILL_SERVICE", limit)
	if p.net.transport == Plain {
		closed = gone
	}
	if closed || gone {
		p.graded(&Outcome{Verdict: Pass, Passed: 5})
	} else {
		p.graded(&Outcome{
			Verdict: Fail, Passed: 1, Note: "the message could be sent",
			Finding: describe("all connections end, or nobody can connect any more", "the server goes on "+after),
		})
	}
	switch {
	case gone && extra > 1 && p.net.transport == TCP:
		p.lax("kill.stops", "late, or only after one more client had connected", describe("nobody can connect half a second after KILL_SERVICE", "one client could connect"))
	case !gone:
		p.decide("kill.stops", Fail, "", describe("nobody can connect", "a client can still connect "+after))
	}
	if !closed {
		p.decide("kill.closes", Fail, "", describe("the connections end", "they are open "+after))
	}
}

func (p *player) killWait() time.Duration { return max(killWait, p.cfg.Timeout) }

// graded notes what the course's tester would have said, once: of five checks one is that the message could be sent.
func (p *player) graded(o *Outcome) {
	if o.Checks = 5; p.outcomes[ruleGradedKill] == nil {
		p.outcomes[ruleGradedKill] = o
	}
}

// killByKept sends KILL_SERVICE as the course's tester did when the scenario had broken off: on the connection of
// client1, which had asked to be disconnected. It reports whether that ended the server; if not, that costs the points
// of the scenario only.
func (p *player) killByKept() bool {
	const text = "KILL_SERVICE\n"
	p.transcript.add(p.run.kept.label, sent, []byte(text))
	if _, err := p.run.kept.conn.Write([]byte(text)); err != nil {
		p.transcript.note(p.run.kept.label, "not sent: %v", err)
	}
	p.sleep(p.killWait())
	if !p.reachable() {
		p.graded(&Outcome{Verdict: Pass, Passed: 5})
		return true
	}
	p.graded(&Outcome{
		Verdict: Fail, Passed: 1,
		Note: "the course's tester sent KILL_SERVICE on the connection of client1, where the scenario had broken off; " +
			"kill.stops says whether another connection works",
		Finding: describe("all connections end, or nobody can connect any more", "the server goes on"),
	})
	return false
}

// refusedToDie notes that the server said no.
func (p *player) refusedToDie(m *message) {
	f := describe("the service ends", string(m.raw))
	p.graded(&Outcome{Verdict: Fail, Passed: 1, Note: "the server refuses", Finding: f})
	for _, id := range []string{"kill.stops", "kill.closes"} {
		p.decide(id, Unsupported, "the server refuses", f)
	}
}

// reachable reports whether a new client gets a connection, or over datagrams an answer.
func (p *player) reachable() bool {
	c, err := p.tryConnect("after", p.net.server)
	if err != nil {
		p.gone = false // As it should be.
		return false
	}
	if p.net.transport != Plain {
		// The kernel may have accepted for a listener that is closed by now.
		p.sleep(waitShort)
		open := !c.closed()
		c.shut()
		return open
	}
	c.send("HELO " + p.unique("after") + "\n")
	return c.awaitFor(killWait/5, func(m *message) bool { return m.kind == kindHelo }) != nil
}
