package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"udpchat/chat/wire/carrier"
	"udpchat/cmd/internal/proxy"
	"udpchat/config"
	"udpchat/reliable"
)

// proxyOptions are the flags of udpchat proxy.
type proxyOptions struct {
	listen, server, serverKey, trust, target, redundancy string
	to                                                   invite // what server and serverKey say
	protection                                           reliable.Redundancy
}

func newProxyCommand() *cobra.Command {
	var o proxyOptions
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Carry any TCP client over our transport to a server",
		Long: `proxy listens for TCP connections and carries each over reliable, encrypted UDP to a udpchat server, where it is what
the TCP connection would be: programs that know nothing of all this lose nothing, and wait for nothing, on a bad link.
Point the old program at --listen, and the proxy at the server:

  old program ── TCP ──▶ udpchat proxy ══ our UDP, bad link ══▶ udpchat serve

The server tells by the first bytes which protocol a connection speaks, as it does on its TCP port. With --target NAME
connections go on to another TCP service beside the server instead; its operator has to allow it there:

  udpchat serve --proxy-targets web=localhost:8080

The server's key is checked as 'udpchat chat' does. When the server is lost its connections are reset, and the next one
tries again. Whoever can connect to --listen uses the proxy: keep it on 127.0.0.1 unless all who reach it may. Ctrl-C stops it.`,
		Example: strings.Trim(`
  udpchat proxy --listen 127.0.0.1:6000 --to chat.example.org:4000
                                  then, for example:  nc 127.0.0.1 6000
  udpchat proxy --to 'udpchat://chat.example.org:4000/#KEY'
                                  with the invite that the server shows
  udpchat proxy --listen 127.0.0.1:8080 --to chat.example.org --target web`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:6000", "`address` to take TCP connections at")
	flags.StringVar(&o.server, "to", "localhost:"+chatDefaultPort, "`HOST:PORT` of the server, or its invite")
	flags.StringVar(&o.serverKey, "server-key", "", "the server's `key`, as it shows it when it starts")
	flags.StringVar(&o.trust, "trust", trustFirstUse, "what to do about a server never been to: first-use, ask or pinned")
	flags.StringVar(&o.target, "target", "", "`name` of a service beside the server that its operator lets be reached; empty: the server itself")
	flags.StringVar(&o.redundancy, "redundancy", "latency", "what to send beside the data: latency, economy or off")
	return cmd
}

// check completes and checks the options.
func (o *proxyOptions) check() (err error) {
	if o.to, err = parseInvite(o.server); err != nil {
		return fmt.Errorf("--to %q: %w", o.server, err)
	}
	if err := o.to.pin(o.serverKey); err != nil {
		return err
	}
	if !slices.Contains([]string{trustAsk, trustFirstUse, trustPinned}, o.trust) {
		return fmt.Errorf("--trust %q is not supported: want first-use, ask or pinned", o.trust)
	}
	if o.target != "" && !carrier.ValidName(o.target) {
		return fmt.Errorf("--target %q is no name of a target: want 1 to %d of a-z, 0-9 and -", o.target, carrier.NameBytesMax)
	}
	if o.protection, err = reliable.ParseRedundancy(o.redundancy); err != nil {
		return fmt.Errorf("--redundancy: want latency, economy or off, not %q", o.redundancy)
	}
	return nil
}

// run carries until a signal comes; a second one quits at once.
func (o *proxyOptions) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	log, err := newLogger(config.Config{LogLevel: "info", LogFormat: "auto"}, stderr)
	if err != nil {
		return err
	}
	t, err := newTrust(o.trust, o.to)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // After the first signal the next one has its usual effect.
	var seen reliable.Key        // Of the server, at the latest connection.
	start := func() (*proxy.Proxy, net.Addr, error) {
		l, err := listenTCP(ctx, o.listen)
		if err != nil {
			return nil, nil, advise(fmt.Errorf("cannot listen on %s: %w", o.listen, err),
				"Name another address of this machine with --listen HOST:PORT; port 0 is any that is free.")
		}
		p, err := proxy.New(ctx, proxy.Config{
			Listener: l, Target: o.target, Logger: log,
			Dial: func(ctx context.Context) (*reliable.Conn, error) {
				conn, err := o.dial(ctx, t)
				if err == nil {
					seen = conn.ServerKey()
				}
				return conn, err
			},
		})
		return p, l.Addr(), err
	}
	p, addr, err := start()
	if e, ok := isKeyError(err); ok && t.mode == trustAsk && t.want == (reliable.Key{}) && isTerminal(stdin) {
		if !e.ask(stdin, stderr) {
			return errors.New("the server's key was not accepted")
		}
		t.accept(e.got, stderr)
		t.want = e.got
		p, addr, err = start()
	}
	if err != nil {
		return o.explain(ctx, err)
	}
	t.accept(seen, stderr)
	t.want = seen // Nobody else is taken from now on.
	o.greet(stdout, addr)
	if err := p.Run(ctx); err != nil {
		return failures(err)
	}
	fmt.Fprintln(stdout, "stopped")
	return nil
}

// dial connects to the server.
func (o *proxyOptions) dial(ctx context.Context, t *trust) (*reliable.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, chatConnectWait)
	defer cancel()
	return reliable.Dial(ctx, o.to.server, reliable.Config{
		VerifyServer: t.verify, KeepAlive: chatKeepAlive, IdleTimeout: chatIdleTimeout, Redundancy: o.protection,
	})
}

// greet says what is carried where. Scripts read the first line.
func (o *proxyOptions) greet(w io.Writer, addr net.Addr) {
	to := o.to.server
	if o.target != "" {
		to = o.target + " beside " + to
	}
	fmt.Fprintf(w, "listening on %v, carrying to %s\n", addr, to)
	if a, err := netip.ParseAddrPort(addr.String()); err == nil && !a.Addr().IsLoopback() {
		fmt.Fprintln(w, "anybody who reaches that address can use the proxy, and is not encrypted up to here")
	}
	fmt.Fprintln(w, "Press Ctrl-C to stop.")
}

// explain turns an error of the beginning into what happened and what the user can do about it.
func (o *proxyOptions) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted before there was a connection")
	}
	if e, ok := isKeyError(err); ok {
		return advise(e, "%s", e.advice())
	}
	if e, ok := errors.AsType[*proxy.RefusedError](err); ok {
		return advise(fmt.Errorf("%s does not carry this: %q", o.to.server, e.Text),
			"The operator lists what may be reached there: udpchat serve --proxy-targets NAME=HOST:PORT.")
	}
	if errors.Is(err, proxy.ErrForeign) {
		return advise(fmt.Errorf("%s does not carry connections", o.to.server),
			"It answers, but not as udpchat serve does: an older one, or a port pinned to one protocol.")
	}
	if _, ok := errors.AsType[*advised](err); ok {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("nobody answers")
	}
	return advise(fmt.Errorf("cannot connect to %s over udp: %w", o.to.server, err),
		"Is the server running, and does UDP get there? Start one with\n  %s serve\nor name another one with --to HOST:PORT.", os.Args[0])
}
