package compare

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	relayfront "udpchat/chat/front/relay"
	"udpchat/chat/server"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/relay"
)

const (
	relaySender    = "alice"
	relayRecipient = "carol"

	// relayTextBytes is a message's text: with the head of SEND it makes Workload.Bytes.
	relayTextBytes   = 168
	relayNumberBytes = 8 // Digits of the message's number, with which the text begins.
)

// A relayTalk is one user of the relay protocol writing to another. The sender is at the client's end of the link and has
// both registrations on its one connection; at the other end is our server, as it is but for its memory engine, and the
// recipient, who is connected to it without a network.
type relayTalk struct {
	play      *play
	filler    string // what follows the number in a text
	engine    *memory.Engine
	hub       *chat.Hub
	server    *server.Server
	sender    relayClient
	recipient relayClient
	stop      context.CancelFunc
}

// newRelayTalk starts the server. Who accepts at the link's end is a transport of the kernel, or a stream of another.
func newRelayTalk(ctx context.Context, p *play, transport string) (*relayTalk, error) {
	engine := memory.New(memory.Config{})
	hub, err := chat.New(chat.Config{Engine: engine})
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	near, far := net.Pipe()
	filler := base64.StdEncoding.EncodeToString(p.printer.filler[:relayTextBytes])
	t := &relayTalk{
		play: p, filler: filler[:relayTextBytes-relayNumberBytes], engine: engine, hub: hub, server: server.New(hub, server.Config{}),
		sender: relayClient{conn: p.pair.Client, count: p.sheet.wrote}, recipient: relayClient{conn: near, count: func(int) {}},
	}
	ctx, t.stop = context.WithCancel(ctx)
	fronts := []front.Front{relayfront.New(relayfront.Config{})}
	serve := func(transport string, accept func(context.Context) (net.Conn, error)) {
		listening, unlisten := context.WithCancel(ctx)
		// Owns the listener, which has one connection; close ends it.
		p.wg.Go(func() {
			l := server.Listener{Listener: &singleListener{accept, listening, unlisten}, Transport: transport, Fronts: fronts}
			if err := t.server.Serve(ctx, l); err != nil {
				p.sheet.failed(err)
			}
		})
	}
	serve(transport, func(ctx context.Context) (net.Conn, error) {
		conn, err := p.pair.Accept(ctx)
		if err != nil {
			p.sheet.failed(fmt.Errorf("accepting: %w", err))
		}
		return conn, err
	})
	serve(session.TransportTCP, func(context.Context) (net.Conn, error) { return far, nil })
	return t, nil
}

// register registers both. It ends with ctx.
func (t *relayTalk) register(ctx context.Context) error {
	if err := t.recipient.register(ctx, relayRecipient); err != nil {
		return err
	}
	return t.sender.register(ctx, relaySender)
}

// send sends the messages at their times. As relay clients do, it sends none before the last one has been answered: what
// has to wait for that counts from its planned time nevertheless.
func (t *relayTalk) send(ctx context.Context, first time.Duration) {
	p := t.play
	for i, at := range p.sheet.plan {
		if !sleepUntil(ctx, p.start.Add(first+at)) {
			return
		}
		err := t.sender.say(wire.Send{To: relayRecipient, Text: fmt.Sprintf("%0*d", relayNumberBytes, i) + t.filler})
		var answer wire.Reply
		if err == nil {
			answer, err = t.sender.hear()
		}
		now := p.now()
		if err == nil && answer != wire.Reply(wire.Sent{To: relayRecipient}) {
			err = fmt.Errorf("message %d was answered with %T %+v", i, answer, answer)
		}
		if err != nil {
			p.sheet.failed(fmt.Errorf("relay: sender: %w", err))
			return
		}
		if p.work.Echo {
			p.sheet.arrived(i, now)
		}
	}
}

// receive takes what is forwarded to the recipient, and acknowledges it, until the connection is closed.
func (t *relayTalk) receive() {
	p := t.play
	for {
		said, err := t.recipient.hear()
		now := p.now()
		number := -1
		if f, ok := said.(wire.Forward); ok && len(f.Text) == relayTextBytes && f.Text[relayNumberBytes:] == t.filler {
			if n, err := strconv.ParseUint(f.Text[:relayNumberBytes], 10, 32); err == nil {
				number = int(n)
			}
		}
		if err == nil && number < 0 {
			err = fmt.Errorf("got a %T that nobody sent", said)
		}
		if err == nil {
			if !p.work.Echo {
				p.sheet.arrived(number, now)
			}
			err = t.recipient.say(wire.Received{From: relaySender})
		}
		if err != nil {
			p.sheet.failed(fmt.Errorf("relay: recipient: %w", err)) // At the end nobody writes that down any more.
			return
		}
	}
}

// close ends all but the link. What the play's WaitGroup waits for ends with it and the link.
func (t *relayTalk) close() error {
	t.stop()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = t.server.Shutdown(now) // The run is over: that somebody had to be cut off is in its figures.
	return errors.Join(t.recipient.conn.Close(), t.hub.Close(), t.engine.Close())
}

// A relayClient is a client that asks one thing at a time.
type relayClient struct {
	conn    net.Conn
	decoder wire.ReplyDecoder
	count   func(bytes int) // of what crosses conn, both ways
}

func (c *relayClient) say(r wire.Request) error {
	n, err := c.conn.Write(wire.AppendRequest(nil, r, wire.Form{}))
	c.count(n)
	return err
}

// hear returns what the server says next.
func (c *relayClient) hear() (wire.Reply, error) {
	var buf [4 << 10]byte
	for {
		rep, ok, err := c.decoder.Next()
		if ok || err != nil {
			return rep, err
		}
		n, err := c.conn.Read(buf[:])
		if n == 0 && err != nil {
			return nil, err
		}
		c.count(n)
		c.decoder.Feed(buf[:n])
	}
}

// register registers to send, and then to receive.
func (c *relayClient) register(ctx context.Context, name string) error {
	unhook := context.AfterFunc(ctx, func() { _ = c.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer unhook()
	for _, role := range []wire.Role{wire.ToSend, wire.ToRecv} {
		if err := c.say(wire.Register{Role: role, Name: name}); err != nil {
			return err
		}
		switch answer, err := c.hear(); {
		case err != nil:
			return fmt.Errorf("registering %s: %w", name, err)
		case answer != wire.Reply(wire.Registered{Role: role, Name: name}):
			return fmt.Errorf("registering %s was answered with %T %+v", name, answer, answer)
		}
	}
	return nil
}

// A singleListener accepts one connection, and then nothing until it is closed.
type singleListener struct {
	accept func(context.Context) (net.Conn, error) // nil: it has
	ctx    context.Context
	stop   context.CancelFunc
}

func (l *singleListener) Accept() (net.Conn, error) {
	if accept := l.accept; accept != nil {
		l.accept = nil
		return accept(l.ctx)
	}
	<-l.ctx.Done()
	return nil, net.ErrClosed
}

func (l *singleListener) Close() error { l.stop(); return nil }

func (*singleListener) Addr() net.Addr { return new(net.TCPAddr) }
