package labtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"udpchat/reliable"
)

func udpActs() []act {
	join := []string{ruleJoin}
	two := []string{ruleJoin, ruleSimultaneous, ruleMembers}
	datagrams := []string{UDP, Plain}
	return []act{
		one(Rule{
			ID: "udp.callback", Points: 5, Where: docJoin + ": \"these need not be the same as the port and ip address used to transmit the join request\"", needs: join, Transports: datagrams,
			Text: "A JOIN_CHATROOM that names another port of the client is answered there.",
			Hint: "Send JOINED_CHATROOM to CLIENT_IP and PORT, not to the source of the datagram.",
		}, playCallback),
		one(Rule{
			ID: "udp.callback-chat", Points: 4, Where: docJoin, needs: append(two, "udp.callback"), Transports: datagrams,
			Text: "All that follows, CHATs and LEFT_CHATROOM, goes to the callback address, too.",
			Hint: "Keep CLIENT_IP and PORT with the member.",
		}, playCallbackChat),
		one(Rule{
			ID: "udp.callback-nobody", Points: 4, Where: docJoin, needs: append(two, "udp.callback"), Transports: datagrams,
			Text: "A JOIN_CHATROOM that names a port where nobody listens does no harm to others.",
			Hint: "Catch errors of sending to one client; do not wait for it in the loop that serves all.",
		}, playCallbackNobody),
		one(Rule{
			ID: "udp.repeat", Points: 3, Where: docUDP, needs: two, Transports: []string{Plain},
			Text: "A datagram that comes twice is answered and carried out once.",
			Hint: "Remember the last request of each client: if the same comes again at once, send the old answer.",
		}, playRepeat),
		one(Rule{
			ID: "udp.long", Points: 2, Where: docUDP, needs: two, Transports: []string{Plain},
			Text: fmt.Sprintf("A CHAT of %d bytes arrives whole, or is refused with ERROR_CODE.", overlongDatagram),
			Hint: "Receive into a buffer of 65,507 bytes; what is longer than the buffer is cut off silently.",
		}, playLongDatagram),
		one(Rule{
			ID: "udp.loss", Points: 4, Where: docUDP, needs: two, Transports: []string{UDP},
			Text: "Across a link that loses and repeats datagrams (--loss) every message arrives once and in order.",
			Hint: "That is what the transport is for: look at what it acknowledges.",
		}, playLoss),
		one(Rule{
			ID: "udp.loss-repeats", Points: 4, Where: docUDP, needs: two, Transports: []string{Plain},
			Text: "Across a link that loses and repeats datagrams (--loss) a client that repeats until it is answered gets through, and nothing is done twice.",
			Hint: "Remember the last request of each client: if the same comes again at once, send the old answer.",
		}, playLossRepeats),
	}
}

// A callback is a second address of a client, where the server's answers should arrive.
type callback struct {
	addr   netip.AddrPort
	answer func() (*client, error) // Blocks until the server has come; then the inbox of what arrives there.
	close  func()
}

// openCallback listens at another port of ours.
func (p *player) openCallback(first *client) callback {
	if p.net.transport == Plain {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.net.local, 0)))
		if err != nil {
			p.stop("cannot listen for callbacks: %v", err)
		}
		addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		p.transcript.note("callback", "listening at %v", addr)
		c := p.newClient("callback", first.name, conn)
		return callback{addr: addr, answer: func() (*client, error) { return c, nil }, close: func() {}}
	}
	key := reliable.Key{}
	if conn, ok := first.conn.(*reliable.Conn); ok {
		key = conn.ServerKey()
	}
	e, err := p.net.listen(key)
	if err != nil {
		p.stop("cannot listen for callbacks: %v", err)
	}
	addr, err := netip.ParseAddrPort(e.Addr().String())
	if err != nil {
		p.stop("cannot listen for callbacks: %v", err)
	}
	p.transcript.note("callback", "listening at %v", addr)
	return callback{
		addr: addr,
		answer: func() (*client, error) {
			ctx, cancel := context.WithTimeout(p.ctx, callbackWait)
			defer cancel()
			conn, err := e.AwaitCall(ctx, p.net.server)
			if err != nil {
				return nil, err
			}
			p.transcript.note("callback", "called back from %v", addr)
			return p.newClient("callback", first.name, conn), nil
		},
		close: func() { _ = e.Close() }, // Nothing more is expected.
	}
}

// joinCalled joins with a callback address and returns the seat whose messages arrive there; it speaks over first.
func (p *player) joinCalled(first *client, room string, must func(expected, actual string)) (seat, callback) {
	cb := p.openCallback(first)
	ip, port := cb.addr.Addr().String(), strconv.Itoa(int(cb.addr.Port()))
	first.joined = true
	first.ip, first.port = ip, port
	first.send(p.joinText(room, ip, port, first.name))
	want := fmt.Sprintf("JOINED_CHATROOM: %s\n… at %v", room, cb.addr)
	there, err := cb.answer()
	if err != nil {
		cb.close()
		must(want, fmt.Sprintf("%s; nobody called at %v (%v)", p.noAnswer(first, "JOIN_CHATROOM"), cb.addr, err))
	}
	m := there.await(func(m *message) bool { return m.kind == kindJoined })
	if m == nil {
		cb.close()
		if got := first.messages(func(m *message) bool { return m.kind == kindJoined }); len(got) > 0 {
			must(want, fmt.Sprintf("it came to the source of the request: %q", got[0].raw))
		}
		must(want, p.noAnswer(first, "JOIN_CHATROOM"))
	}
	return seat{client: there, room: room, ref: m.fields["ROOM_REF"], id: m.fields["JOIN_ID"]}, cb
}

func playCallback(p *player) {
	first := p.connect("ann")
	_, cb := p.joinCalled(first, p.room("a"), func(expected, actual string) { p.fail(describe(expected, actual)) })
	defer cb.close()
	p.quiet()
	if got := first.messages(func(m *message) bool { return m.kind == kindJoined }); len(got) > 0 {
		p.failf("JOINED_CHATROOM at the callback address only", "it came to the source of the request, too")
	}
}

// mustBeCalled is joinCalled for rules about what follows.
func (p *player) mustBeCalled(first *client, room string) (seat, callback) {
	return p.joinCalled(first, room, func(_, actual string) { p.stop("%s, see udp.callback", actual) })
}

func playCallbackChat(p *player) {
	bob := p.join(p.connect("bob"), p.room("a"))
	first := p.connect("ann")
	s, cb := p.mustBeCalled(first, bob.room)
	defer cb.close()
	p.quiet()
	text := p.text("to the callback")
	bob.say(text)
	if s.hears(text) == nil {
		p.failf(fmt.Sprintf("at %v: %s", cb.addr, chatWanted(bob.ref, bob.name, text)), "%s", p.noAnswer(s.client, "CHAT"))
	}
	text = p.text("from the caller")
	first.send(chatText(s.ref, s.id, first.name, text))
	if bob.hears(text) == nil || s.hears(text) == nil {
		p.failf("a CHAT of the client reaches the room and its callback address", "%s", p.noAnswer(s.client, "CHAT"))
	}
	first.send(leaveText(s.ref, s.id, first.name))
	if s.await(func(m *message) bool { return m.kind == kindLeft }) == nil {
		p.failf(fmt.Sprintf("at %v: %s", cb.addr, leftWanted(s.ref, s.id)), "%s", p.noAnswer(s.client, "LEAVE_CHATROOM"))
	}
}

func playCallbackNobody(p *player) {
	ann, bob := p.pair()
	// A port that was free a moment ago.
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.net.local, 0)))
	if err != nil {
		p.stop("cannot find a free port: %v", err)
	}
	port := conn.LocalAddr().(*net.UDPAddr).Port
	_ = conn.Close() // It was only to find the port.
	eve := p.connect("eve")
	eve.send(p.joinText(ann.room, p.net.local.String(), strconv.Itoa(port), eve.name))
	p.sleep(pieceGap)
	for i := range 3 {
		text := p.text(fmt.Sprintf("meanwhile %d", i))
		ann.say(text)
		if bob.hears(text) == nil {
			p.failf(chatWanted(ann.ref, ann.name, text), "%s after a JOIN_CHATROOM whose callback address nobody listens at", p.noAnswer(bob.client, "CHAT"))
		}
		p.sleep(pieceGap)
	}
	if p.net.transport == UDP && eve.awaitFor(callbackWait, func(m *message) bool { return m.kind == kindError }) == nil {
		p.failf("ERROR_CODE on the connection that asked, within 5 s", "%s", p.noAnswer(eve, "JOIN_CHATROOM"))
	}
	p.mustLive("a callback address where nobody listens")
}

func playRepeat(p *player) {
	ann, bob := p.pair()
	for i := range pieceTriesMax {
		text := p.text(fmt.Sprintf("twice %d", i))
		begun := time.Now()
		ann.say(text)
		if i == 0 { // Later at once: the server, too, may be one that takes its time.
			p.everybodyHears(text, bob.client)
		}
		ann.say(text)
		quick := time.Since(begun) <= repeatsMax
		if i > 0 {
			p.everybodyHears(text, bob.client)
		}
		after := p.text(fmt.Sprintf("after that %d", i)) // When it is here, a second one would be, too.
		ann.say(after)
		p.everybodyHears(after, bob.client)
		got := bob.messages(func(m *message) bool { return m.says(text) })
		if quick && len(got) != 1 {
			p.failf("bob gets the CHAT once", "%d times", len(got))
		}
		if len(got) == 1 {
			return
		}
	}
	p.stop("this machine was too slow to send a datagram again at once")
}

func playLongDatagram(p *player) {
	ann, bob := p.pair()
	text := p.text("long") + " " + strings.Repeat("0123456789", overlongDatagram/10) + "."
	ann.say(text)
	m := bob.awaitFor(p.patience()/2, func(m *message) bool { return m.says(p.text("long")) })
	switch {
	case m != nil && m.fields["MESSAGE"] == text:
	case m != nil:
		p.fail(compareBytes("MESSAGE: "+text, "MESSAGE: "+m.fields["MESSAGE"]))
	case ann.await(func(m *message) bool { return m.kind == kindError }) == nil:
		p.failf("the CHAT, whole, or ERROR_CODE", "%s", p.noAnswer(ann.client, "CHAT"))
	}
}

// acrossLink runs play with the address of a bad link to the server.
func (p *player) acrossLink(play func(to netip.AddrPort)) {
	link, err := p.net.openLink(p.cfg.LossPercent)
	if err != nil {
		p.stop("%v", err)
	}
	p.transcript.note("link", "%v loses %g %% of the datagrams each way", link.proxy.Addr(), p.cfg.LossPercent)
	defer func() {
		p.hangUp() // Before the link is gone.
		link.close()
	}()
	play(link.proxy.Addr())
}

// across connects through the link. The server sees an address of the link, so the client names none of its own.
func (p *player) across(what string, to netip.AddrPort) *client {
	c := p.connectTo(what, to)
	c.ip, c.port = "0", "0"
	return c
}

// mustTakeZero ends the act if the server does not answer to the source of a JOIN_CHATROOM that names no address: then
// it cannot be reached across a link.
func (p *player) mustTakeZero() {
	c := p.across("zero", p.net.server)
	if _, ok := p.tryJoin(c, p.room("zero")); !ok {
		p.decide(p.rule(), Unsupported, "a JOIN_CHATROOM with CLIENT_IP 0 is not answered to where it came from, so no link can be put between", nil)
		p.stop("")
	}
}

func playLoss(p *player) {
	p.acrossLink(func(to netip.AddrPort) {
		ann := p.join(p.across("ann", to), p.room("a"))
		bob := p.join(p.connect("bob"), ann.room)
		p.quiet()
		p.inOrder(ann, bob, lossMessages/2)
		p.waits = 0
		p.inOrder(bob, ann, lossMessages/2)
	})
}

func playLossRepeats(p *player) {
	p.acrossLink(func(to netip.AddrPort) {
		bob := p.join(p.connect("bob"), p.room("a"))
		p.mustTakeZero()
		ann := p.across("ann", to)
		s := seat{client: ann, room: bob.room}
		ann.joined = true
		joined, _ := p.until(ann, ann.joinText(bob.room), func(m *message) bool { return m.kind == kindJoined })
		if joined == nil {
			p.failf("JOINED_CHATROOM: "+bob.room+"\n…", "none after %d tries", lossRepeats)
		}
		s.ref, s.id = joined.fields["ROOM_REF"], joined.fields["JOIN_ID"]
		quick := make(map[string]bool)
		for i := range lossMessages / 3 {
			text := p.text(fmt.Sprintf("number %d of", i+1))
			answer, took := p.until(ann, chatText(s.ref, s.id, s.name, text), func(m *message) bool { return m.says(text) })
			if quick[text] = took <= repeatsMax; answer == nil {
				p.failf(chatWanted(s.ref, s.name, text), "none after %d tries", lossRepeats)
			}
			if bob.hears(text) == nil {
				p.failf(chatWanted(s.ref, s.name, text), "ann heard herself, but bob did not hear her")
			}
		}
		p.quiet()
		for i := range lossMessages / 3 {
			text := p.text(fmt.Sprintf("number %d of", i+1))
			got := bob.messages(func(m *message) bool { return m.says(text) })
			if len(got) == 0 || len(got) > 1 && quick[text] { // What comes a second later may be meant.
				p.failf("bob gets each CHAT once", "%d times %q", len(got), text)
			}
		}
	})
}

// until repeats a datagram until it is answered, and returns how long that took.
func (p *player) until(c *client, text string, match func(*message) bool) (answer *message, took time.Duration) {
	begun := time.Now()
	for range lossRepeats {
		c.send(text)
		if m := c.awaitFor(100*time.Millisecond, match); m != nil {
			return m, time.Since(begun)
		}
	}
	return nil, time.Since(begun)
}
