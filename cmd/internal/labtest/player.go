package labtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A player is what one act is played with: sockets, names, waiting, and a place for what is found. It belongs to the
// goroutine of the act, which its methods may end, as those of testing.T do.
type player struct {
	ctx        context.Context
	cfg        Config
	net        *network
	run        *run // What is known from earlier rules.
	act        act
	number     int // Of the act, for names.
	transcript *transcript
	outcomes   map[string]*Outcome

	clients []*client
	waits   int       // Timeouts spent.
	endBy   time.Time // When the act must be over.
	over    bool      // The play came to its end.
	gone    bool      // Nobody listens at the server's address any more.
}

// Ending.

// stop ends the act: what has not been decided is skipped with this reason.
func (p *player) stop(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	for _, r := range p.act.rules {
		if p.outcomes[r.ID] == nil {
			p.outcomes[r.ID] = &Outcome{Verdict: Skipped, Note: note}
		}
	}
	runtime.Goexit()
}

// rule is the act's only rule.
func (p *player) rule() string { return p.act.rules[0].ID }

// decide notes a verdict unless there is one already: the first finding counts.
func (p *player) decide(id string, v Verdict, note string, f *Finding) {
	if p.outcomes[id] == nil {
		p.outcomes[id] = &Outcome{Verdict: v, Note: note, Finding: f}
	}
}

// fail ends the act with a failure of its only rule.
func (p *player) fail(f *Finding) {
	p.decide(p.rule(), Fail, "", f)
	runtime.Goexit()
}

// failf is fail for what cannot be compared byte by byte.
func (p *player) failf(expected, actual string, args ...any) {
	p.fail(describe(expected, fmt.Sprintf(actual, args...)))
}

// lax notes that the rule works, but not as written. The play goes on, and may still fail.
func (p *player) lax(id, note string, f *Finding) {
	p.decide(id, NonStrict, note, f)
}

// Waiting.

// wait blocks until woken, for d at most. It ends the act if the run is cancelled or the act has lasted too long.
func (p *player) wait(wake <-chan struct{}, d time.Duration) {
	d = min(d, time.Until(p.endBy))
	if d > 0 {
		t := time.NewTimer(d)
		select {
		case <-wake:
		case <-t.C:
		case <-p.ctx.Done():
		}
		t.Stop()
	}
	switch {
	case p.ctx.Err() != nil:
		p.stop("interrupted")
	case !time.Now().Before(p.endBy):
		p.stop("the rule took longer than it may")
	}
}

func (p *player) sleep(d time.Duration) { p.wait(nil, d) }

// patience is how long the next answer may take.
func (p *player) patience() time.Duration {
	switch {
	case p.waits >= waitsPerAct:
		return min(waitShort, p.cfg.Timeout)
	case p.run.waits >= waitsPerRun:
		return max(p.cfg.Timeout/4, min(waitShort, p.cfg.Timeout))
	}
	return p.cfg.Timeout
}

// waited counts an answer that did not come.
func (p *player) waited(limit time.Duration) {
	if limit > quietTime*2 {
		p.waits++
		p.run.waits++
	}
}

// quiet waits until nothing has come on any socket for a while: what a server sends to others than those who asked.
func (p *player) quiet() {
	total := func() (n int) {
		for _, c := range p.clients {
			n += c.received()
		}
		return n
	}
	for range settleMax {
		before := total()
		p.sleep(p.cfg.quiet())
		if total() == before {
			break
		}
	}
	for _, c := range p.clients {
		c.pull(true)
	}
}

// Names. Every run and every rule has its own, so that nothing of one is met by another.

func (p *player) unique(what string) string { return fmt.Sprintf("%s%s%d", what, p.run.tag, p.number) }

// room is the name of a room for this rule.
func (p *player) room(what string) string { return p.unique("room" + what) }

// text is a message that no other rule sends.
func (p *player) text(what string) string { return what + " " + p.unique("msg") }

// Connecting.

// connect opens a socket for a client called so; the act ends if that does not work.
func (p *player) connect(what string) *client { return p.connectTo(what, p.net.server) }

func (p *player) connectTo(what string, to netip.AddrPort) *client {
	c, err := p.tryConnect(what, to)
	if err != nil && p.act.risk >= rude && p.transcript.last() != "" {
		p.failf("the server goes on serving others", "it does not take connections any more: %v", err)
	}
	if err != nil {
		p.stop("cannot connect: %v", err)
	}
	return c
}

func (p *player) tryConnect(what string, to netip.AddrPort) (*client, error) {
	conn, err := p.net.dial(p.ctx, to)
	if err != nil {
		p.transcript.note(what, "cannot connect to %v: %v", to, err)
		p.gone = p.gone || refused(err)
		return nil, err
	}
	p.transcript.note(what, "connected from %v to %v", conn.LocalAddr(), to)
	return p.newClient(what, p.unique(what), conn), nil
}

// refused reports whether an error says that nobody listens.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// A seat is a client in a room.
type seat struct {
	*client
	room, ref, id string
}

// join brings c into a room, to set something else up: the act ends if the server does not let it. The notice that c
// joined is awaited for a moment only; it has rules of its own.
func (p *player) join(c *client, room string) seat {
	s, ok := p.tryJoin(c, room)
	if !ok {
		p.stop("%s could not join: %s", c.label, p.noAnswer(c, "JOIN_CHATROOM"))
	}
	return s
}

func (p *player) tryJoin(c *client, room string) (seat, bool) {
	c.joined = true
	m := p.request(c, c.joinText(room), func(m *message) bool {
		return m.is(kindJoined, "JOINED_CHATROOM", room) || m.kind == kindJoined && m.fields["ROOM_REF"] != ""
	})
	if m == nil || m.fields["ROOM_REF"] == "" {
		return seat{}, false
	}
	s := seat{client: c, room: room, ref: m.fields["ROOM_REF"], id: m.fields["JOIN_ID"]}
	c.awaitFor(p.cfg.quiet(), func(m *message) bool { return s.chat(m) && m.says(c.name) })
	return s, true
}

// request sends and returns the answer, nil if there is none. A datagram is sent again if nothing comes: it may be lost.
func (p *player) request(c *client, text string, match func(*message) bool) *message {
	c.send(text)
	if p.net.transport != Plain {
		return c.await(match)
	}
	limit := p.patience()
	for range 2 {
		if m := c.awaitFor(limit/3, match); m != nil {
			return m
		}
		c.send(text)
	}
	return c.awaitFor(limit/3, match)
}

// mayAnswer waits for an answer that need not come, until all is quiet.
func (p *player) mayAnswer(c *client) {
	before := c.received()
	for range settleMax {
		if p.sleep(p.cfg.quiet()); c.received() > before {
			break
		}
	}
	p.quiet()
}

// noAnswer says what came instead of an answer.
func (p *player) noAnswer(c *client, to string) string {
	c.pull(true)
	for i := len(c.inbox) - 1; i >= 0; i-- {
		if m := c.inbox[i]; m.kind == kindError && !m.claimed {
			return fmt.Sprintf("%s was answered by ERROR_CODE %s: %s", to, escape(m.fields["ERROR_CODE"]), escape(m.fields["ERROR_DESCRIPTION"]))
		}
	}
	if c.closed() {
		return "the server closed the connection instead of answering " + to
	}
	if n := len(c.inbox); n > 0 && !c.inbox[n-1].claimed {
		return fmt.Sprintf("no answer to %s; the last that came was %s", to, escapeSome(c.inbox[n-1].raw, 200))
	}
	return "no answer to " + to
}

// chat reports whether m is a CHAT of the seat's room.
func (s seat) chat(m *message) bool { return m.is(kindChat, "CHAT", s.ref) }

// say sends a message to the room.
func (s seat) say(text string) { s.send(chatText(s.ref, s.id, s.name, text)) }

// leave sends LEAVE_CHATROOM and returns the answer, nil if there is none.
func (s seat) leave() *message {
	return s.p.request(s.client, leaveText(s.ref, s.id, s.name), func(m *message) bool { return m.kind == kindLeft })
}

// hears waits for a CHAT with this text.
func (c *client) hears(text string) *message {
	return c.await(func(m *message) bool { return m.says(text) })
}

// everybodyHears ends the act if one of the clients does not get the CHAT that was sent to set something up.
func (p *player) everybodyHears(text string, clients ...*client) {
	for _, c := range clients {
		if c.hears(text) == nil {
			p.stop("a CHAT did not reach %s, see chat.members-receive and chat.sender-receives", c.label)
		}
	}
}

// helo sends HELO and returns the answer, nil if there is none.
func (c *client) helo(text string) *message {
	return c.p.request(c, "HELO "+text+"\n", func(m *message) bool {
		return m.kind == kindHelo && strings.Contains(string(m.raw), text)
	})
}

// alive reports whether the server still serves a new client: everybody else of the rule is gone by then.
func (p *player) alive() bool {
	p.hangUp()
	p.clients = nil
	p.waits = 0 // This one is worth waiting for.
	return p.probe()
}

// probe tries a new client.
func (p *player) probe() bool {
	c, err := p.tryConnect("probe", p.net.server)
	if err != nil {
		return false
	}
	if p.run.heloMissing {
		_, ok := p.tryJoin(c, p.room("probe"))
		return ok
	}
	return c.helo(p.unique("probe")) != nil
}

// mustLive ends the act with a failure if the server does not serve a new client any more.
func (p *player) mustLive(after string) {
	if p.alive() {
		return
	}
	p.run.suspect = true
	how := "a new client is not answered any more"
	if p.gone {
		how = "nobody listens at its address any more"
	}
	p.failf("the server goes on serving others", "after %s %s", after, how)
}

// hangUp ends all sockets, gently: with DISCONNECT where a client has joined, and none is closed before all have been
// heard out. Connections that end without a word are a rule of their own, and break servers.
func (p *player) hangUp() {
	for _, c := range p.clients {
		if c.joined && !c.closed() {
			c.send(c.disconnectText())
		}
	}
	if p.net.transport == TCP {
		end := time.Now().Add(farewellWait)
		for _, c := range p.clients {
			if c.joined {
				c.linger(time.Until(end))
			}
		}
		for _, c := range p.clients {
			if tcp, ok := c.conn.(*net.TCPConn); ok && !c.closed() {
				_ = tcp.CloseWrite() // It may have ended meanwhile.
			}
		}
		end = time.Now().Add(farewellWait / 5)
		for _, c := range p.clients {
			c.linger(time.Until(end))
		}
	}
	var wg sync.WaitGroup
	for _, c := range p.clients {
		wg.Go(c.shut)
	}
	wg.Wait()
}

// linger waits for the server to end the connection, without ending the act.
func (c *client) linger(limit time.Duration) {
	for begun := time.Now(); !c.closed(); {
		left := limit - time.Since(begun)
		if left <= 0 {
			return
		}
		t := time.NewTimer(left)
		select {
		case <-c.arrived:
		case <-t.C:
		}
		t.Stop()
	}
}

// remoteIP is the address of the server as this client reached it.
func (c *client) remoteIP() netip.Addr {
	if c.p.net.transport == TCP {
		if a, ok := c.conn.RemoteAddr().(*net.TCPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	return c.p.net.server.Addr()
}
