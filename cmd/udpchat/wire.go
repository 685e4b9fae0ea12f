package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/account"
	"udpchat/chat/front"
	nativefront "udpchat/chat/front/native"
	"udpchat/chat/server"
	"udpchat/chat/session"
	labwire "udpchat/chat/wire/lab"
	"udpchat/config"
	"udpchat/reliable"
	"udpchat/reliable/plain"
)

const (
	// usersPerSession is how many clients the front-ends let one connection carry; see the lab front-end's limits. One
	// more there is refused; here that many have room for every session.
	usersPerSession = 64

	// streamsPerConn is how many further streams of each lane one reliable connection may have, each a session of its own:
	// all the protocol allows. streamBacklog is how many of a socket may wait to be accepted. More are refused.
	streamsPerConn = 64
	streamBacklog  = 1024

	// usersMax is the most the core takes.
	usersMax = 1 << 24
)

// A node is one running server: the parts list of the program. build opens everything, serve runs it, stop ends it.
type node struct {
	cfg       config.Config
	log       *slog.Logger
	engine    core.Engine
	accounts  *account.Service
	hub       *core.Hub
	native    *nativefront.Front // One of fronts; nil: not made yet.
	fronts    []front.Front
	server    *server.Server
	listeners []server.Listener
	endpoints []*reliable.Endpoint
	identity  *reliable.Identity // Of all that is encrypted; nil: nothing is.
	addrs     []address          // Where it listens, in the order of the configuration.
	accepting sync.WaitGroup

	mu      sync.Mutex
	stopped bool // Nothing more is accepted. Guarded by mu.

	background       sync.WaitGroup     // What runs beside the listeners.
	cancelBackground context.CancelFunc // Ends that.
}

// build makes a node of a configuration and opens its listeners. kill is called when a client may stop the server and
// does so; it must not block.
func build(ctx context.Context, cfg config.Config, log *slog.Logger, kill func()) (*node, error) {
	n := &node{cfg: cfg, log: log}
	var err error
	if slices.ContainsFunc(cfg.Listen, isEncrypted) {
		if n.identity, err = openIdentity(cfg); err != nil {
			return nil, err
		}
	}
	if n.engine, err = openEngine(ctx, cfg, log); err != nil {
		return nil, err
	}
	if err := n.open(ctx, kill); err != nil {
		return nil, errors.Join(err, n.abandon(ctx))
	}
	return n, nil
}

// abandon ends a node that could not be built.
func (n *node) abandon(ctx context.Context) error {
	if n.server == nil {
		return n.engine.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return n.stop(ctx)
}

// open makes the parts above the engine and opens the listeners.
func (n *node) open(ctx context.Context, kill func()) error {
	cfg, log := n.cfg, n.log
	var err error
	if n.accounts, err = openAccounts(ctx, cfg, n.engine, log); err != nil {
		return err
	}
	n.hub, err = core.New(core.Config{
		Engine: n.engine, Logger: log, Accounts: n.accounts, Reserved: n.accounts.Reserved,
		// A few connections must not take the places of all others.
		UsersMax: min(cfg.SessionsMax*usersPerSession, usersMax), RoomsPerUserMax: cfg.RoomsPerClientMax,
	})
	if err != nil {
		return err
	}
	n.accounts.OnChange(n.announce)
	if n.native, err = n.makeNative(); err != nil {
		return err
	}
	if n.fronts, err = n.makeFronts(ctx, kill); err != nil {
		return err
	}
	n.hub.Start()
	n.server = server.New(n.hub, server.Config{
		Logger: log, OutboxBytes: cfg.OutboxBytes, SessionsMax: cfg.SessionsMax,
		AcceptPerSecond: cfg.AcceptPerSecond, AcceptBurst: cfg.AcceptBurst,
	})
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.cancelBackground = cancel
	n.background.Go(func() { n.sweep(background) }) // Owns nothing but its timer; stop ends and awaits it.
	for _, l := range cfg.Listen {
		fronts, err := n.speaking(l.Protocol)
		if err != nil {
			return err
		}
		if err := n.listen(ctx, l, fronts); err != nil {
			return explainListen(l.Address, err)
		}
	}
	return nil
}

// listen opens the sockets of one configured listener.
func (n *node) listen(ctx context.Context, l config.Listener, fronts []front.Front) error {
	switch {
	case l.Transport == config.TCP:
		ln, err := listenTCP(ctx, l.Address)
		if err != nil {
			return err
		}
		n.addTCP(ln, len(n.addrs), fronts, l)
	case l.Has(config.TCP):
		at := len(n.addrs)
		ln, err := listenPair(ctx, l.Address, func(addr string) error { return n.listenUDP(ctx, addr, fronts, l) })
		if err != nil {
			return err
		}
		n.addTCP(ln, at, fronts, l)
	default:
		return n.listenUDP(ctx, l.Address, fronts, l)
	}
	return nil
}

// addTCP adds a TCP listener, at this place of the addresses.
func (n *node) addTCP(ln net.Listener, at int, fronts []front.Front, l config.Listener) {
	n.listeners = append(n.listeners, server.Listener{
		Listener: ln, Transport: session.TransportTCP, TLS: reliable.ServerTLS(n.identity), Fronts: fronts,
	})
	n.addrs = slices.Insert(n.addrs, at, address{config.TCP, l.Protocol, ln.Addr()})
}

// listenUDP opens one socket for reliable connections, plain text datagrams, or both.
func (n *node) listenUDP(ctx context.Context, addr string, fronts []front.Front, l config.Listener) error {
	redundancy, err := reliable.ParseRedundancy(n.cfg.Redundancy)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return err
	}
	var e atomic.Pointer[reliable.Endpoint] // The endpoint reads, and so may hand us datagrams, before we have it.
	host, err := os.Hostname()
	if err != nil {
		host = "" // Then the address tells us from others with our key, or nothing does.
	}
	cfg := reliable.Config{
		Identity: n.identity, Node: host, AlwaysCookie: n.cfg.AlwaysCookie, IdleTimeout: n.cfg.IdleTimeout, ConnsMax: n.cfg.SessionsMax,
		NoBatch: !n.cfg.BatchIO, Redundancy: redundancy, Logger: n.log,
		Streams: streamsPerConn, StreamBacklog: streamBacklog,
	}
	if l.Has(config.Plain) {
		lab, err := n.speaking(config.Lab)
		if err != nil {
			return errors.Join(err, pc.Close())
		}
		texts := plain.New(plainConfig(n.cfg, pc.LocalAddr(), func(b []byte, to netip.AddrPort, local netip.Addr) error {
			if e := e.Load(); e != nil {
				return e.WritePlain(b, to, local)
			}
			return nil // Lost, as datagrams may be.
		}))
		cfg.Plain = texts.Handle
		n.listeners = append(n.listeners, server.Listener{
			Listener: texts, Transport: session.TransportPlain, Fronts: lab, Call: callPlain,
		})
	}
	endpoint, err := reliable.NewEndpoint(pc, cfg)
	if err != nil {
		return err
	}
	e.Store(endpoint)
	n.endpoints = append(n.endpoints, endpoint)
	n.addrs = append(n.addrs, address{udpName(l), l.Protocol, endpoint.Addr()})
	if l.Has(config.UDP) {
		n.listeners = append(n.listeners, server.Listener{
			Listener: endpoint.Listener(), Transport: session.TransportUDP, Fronts: fronts, Call: callUDP,
		}, server.Listener{
			Listener: endpoint.StreamListener(), Transport: session.TransportStream, Fronts: fronts,
		})
	}
	return nil
}

// plainConfig is how plain text datagrams are taken.
func plainConfig(cfg config.Config, addr net.Addr, send func([]byte, netip.AddrPort, netip.Addr) error) plain.Config {
	return plain.Config{
		Addr: addr, Send: send, IdleTimeout: cfg.PlainIdleTimeout, ConnsMax: cfg.SessionsMax,
		IsAnswer: isLabAnswer,
		TooLong: labwire.AppendError(nil, labwire.ErrorReply{
			Code:        labwire.CodeTooLong,
			Description: fmt.Sprintf("a datagram may have %d bytes", plain.DatagramBytesMax),
		}),
	}
}

// isLabAnswer reports whether a datagram is what a server of the lab protocol says (PROTOCOL.md 1.2): an answer by its
// first word, the reply to HELO by its address, a CHAT to members by its missing JOIN_ID. Our own servers' answers are
// what matters: their spelling is known.
func isLabAnswer(datagram []byte) bool {
	head, rest, _ := bytes.Cut(bytes.TrimLeft(datagram, " \t\r\n"), []byte("\n"))
	starts := func(word string) bool { return bytes.HasPrefix(head, []byte(word)) }
	switch {
	case starts("ERROR_CODE"), starts("JOINED_CHATROOM"), starts("LEFT_CHATROOM"):
		return true
	case starts("HELO"):
		return bytes.HasPrefix(rest, []byte("IP:"))
	case starts("CHAT:"):
		for line := range bytes.Lines(rest) { // Names are somebody's choice, and may contain words that are keys.
			switch line := bytes.TrimLeft(line, " \t"); {
			case bytes.HasPrefix(line, []byte("JOIN_ID:")):
				return false
			case bytes.HasPrefix(line, []byte("MESSAGE:")):
				return true
			}
		}
	}
	return false
}

// isEncrypted reports whether connections to a listener are, or may be.
func isEncrypted(l config.Listener) bool { return l.Has(config.UDP) || l.Has(config.TCP) }

// udpName is what a listener's UDP socket is called: udp unless it takes nothing but plain text.
func udpName(l config.Listener) string {
	if l.Has(config.UDP) {
		return config.UDP
	}
	return config.Plain
}

// callUDP has the client of conn called at another address: it dials back from there.
func callUDP(conn net.Conn) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		return conn.(*reliable.Conn).Call(ctx, addr)
	}
}

// callPlain is for datagrams what callUDP is for connections, to another port of the same host only.
func callPlain(conn net.Conn) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
		return conn.(*plain.Conn).ReplyTo(addr)
	}
}

// serve accepts on all listeners until stop, and returns nil then. If one of them breaks it returns the error at once,
// while the others go on until stop.
func (n *node) serve(ctx context.Context) error {
	results := make(chan error, len(n.listeners))
	n.mu.Lock()
	if n.stopped { // Before it began.
		n.mu.Unlock()
		return nil
	}
	for _, l := range n.listeners {
		n.accepting.Go(func() { results <- n.server.Serve(ctx, l) }) // Owns accepting on l; stop ends and awaits it.
	}
	n.mu.Unlock()
	for range n.listeners {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

// stop ends the node: no new sessions, members are told, connections closed. What ctx leaves no time for is cut off.
func (n *node) stop(ctx context.Context) error {
	n.mu.Lock()
	n.stopped = true
	n.mu.Unlock()
	errs := []error{n.server.Shutdown(ctx)}
	for _, l := range n.listeners {
		_ = l.Close() // Those the server has not served; the others are closed already.
	}
	n.accepting.Wait()
	n.cancelBackground()
	n.background.Wait()
	for _, e := range n.endpoints {
		errs = append(errs, e.Shutdown(ctx))
	}
	n.native.Close()
	errs = append(errs, n.hub.Close(), n.engine.Close())
	if err := errors.Join(errs...); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping: %w", err)
	}
	return nil // That some could not be told in time is what the limit is for.
}
