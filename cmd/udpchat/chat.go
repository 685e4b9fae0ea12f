package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"udpchat/client/clean"
	"udpchat/client/lab"
	"udpchat/reliable"
)

const (
	// chatConnectWait bounds connecting. Lost datagrams are repeated within milliseconds, so who does not answer by then
	// is not there.
	chatConnectWait = 5 * time.Second

	// chatKeepAlive keeps the mapping of a NAT alive while nobody says anything.
	chatKeepAlive = 25 * time.Second

	// chatIdleTimeout is after what silence of a reliable UDP server, which is probed from half of it on, the user is told
	// that it is gone.
	chatIdleTimeout = 30 * time.Second

	chatDefaultPort = "4000"
)

// chatOptions are the flags of udpchat chat.
type chatOptions struct {
	server, serverKey, trust                        string
	to                                              invite // what server and serverKey say
	transport, protocol, name, callback, redundancy string
	protection                                      reliable.Redundancy // what redundancy says
	rooms                                           []string
	lines                                           bool // Line mode, for now the only one.
}

func newChatCommand() *cobra.Command {
	var o chatOptions
	cmd := &cobra.Command{
		Use:   "chat",
		Short: "Chat in a terminal or from a script",
		Long: `chat joins chat rooms on a server and lets you talk there.

On a terminal it shows a prompt with the room your lines go to. Otherwise it reads lines from standard input and
writes lines to standard output, one for each event, for scripts:

  [room] name: text                          somebody, perhaps you, said something
  * [room] name has joined this chatroom.    a notice of the server
  * [room] name has left this chatroom.
  * ...                                      the answer to a command such as /rooms

A line break inside a text is shown as ⏎. Names with one of the characters []:"* in them stand in double quotes.
Control characters, escape sequences and invisible characters of others are never shown.

Each line is said in the current room, the one joined last; empty lines are skipped. What you said is shown when it
comes back from the server. Lines that begin with a slash are commands (begin with two to say one slash):

` + chatHelp("  ") + `
At the end of the input everything said is waited for, then the client says goodbye. Ctrl-C does not wait; a second one
does not even say goodbye. Exit codes: 0 fine; 1 the server
answered with an ERROR_CODE, which goes to standard error, the connection was lost, or a line of a script could not be
sent; 2 wrong usage, or no connection.`,
		Example: `  udpchat chat --name ann --room lobby                       over reliable UDP
  udpchat chat --transport tcp --name bob --room lobby       over TCP, in the same room
  echo 'deployed' | udpchat chat --name bot --room ops       from a script`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return advise(err, "See '%s --help'.", cmd.CommandPath())
			}
			ctx, interrupted, stop := watchInterrupts(cmd.Context())
			defer stop()
			return o.run(ctx, interrupted, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "localhost:"+chatDefaultPort, "`HOST:PORT` of the server, or its invite: udpchat://HOST:PORT/#KEY")
	f.StringVar(&o.serverKey, "server-key", "", "`KEY` that the server must have, as it shows it when it starts; for udp")
	f.StringVar(&o.trust, "trust", trustFirstUse, "`HOW` to take a server you have not been to: first-use (and remember it), ask, or pinned (not at all)")
	f.StringVar(&o.transport, "transport", lab.UDP, "`TRANSPORT`: udp (reliable), tcp, or plain (text datagrams: what others say may get lost)")
	f.StringVar(&o.protocol, "protocol", "lab", "chat `PROTOCOL`; lab is the only one so far")
	f.StringVar(&o.name, "name", "", "your `NAME` in the chat (default: your user name)")
	f.StringArrayVar(&o.rooms, "room", nil, "`ROOM` to join at the start; may be repeated, the last one becomes the current one")
	f.StringVar(&o.redundancy, "redundancy", "latency", "`KIND` of protection against loss over udp: latency, economy (fewer bytes) or off")
	f.StringVar(&o.callback, "callback", "", "listen at `ADDR` (HOST:PORT) and have the server call there; for udp and plain")
	f.BoolVar(&o.lines, "lines", false, "line mode (for now the only one)")
	return cmd
}

// check completes the options and reports what is wrong with them.
func (o *chatOptions) check() error {
	if o.protocol != "lab" {
		return fmt.Errorf("--protocol %q is not supported: want lab", o.protocol)
	}
	if !slices.Contains([]string{lab.UDP, lab.TCP, lab.Plain}, o.transport) {
		return fmt.Errorf("--transport %q is not supported: want udp, tcp or plain", o.transport)
	}
	if o.callback != "" && o.transport == lab.TCP {
		return errors.New("--callback needs --transport udp or plain: over tcp everything comes over the one connection")
	}
	var err error
	if o.protection, err = reliable.ParseRedundancy(o.redundancy); err != nil {
		return fmt.Errorf("--redundancy %q is not supported: want latency, economy or off", o.redundancy)
	}
	if err := o.checkServer(); err != nil {
		return err
	}
	if o.callback != "" {
		if _, _, err := net.SplitHostPort(o.callback); err != nil {
			return fmt.Errorf("--callback %q: want HOST:PORT, like 127.0.0.1:0 for any free port", o.callback)
		}
	}
	if o.name == "" {
		o.name = defaultName()
	}
	if err := lab.CheckName(o.name); err != nil {
		return fmt.Errorf("--name %q: %s", o.name, bare(err))
	}
	for _, room := range o.rooms {
		if err := lab.CheckName(room); err != nil {
			return fmt.Errorf("--room %q: %s", room, bare(err))
		}
	}
	return nil
}

// checkServer completes and checks what is said of the server.
func (o *chatOptions) checkServer() (err error) {
	if o.to, err = parseInvite(o.server); err != nil {
		return fmt.Errorf("--server %q: %w", o.server, err)
	}
	o.server = o.to.server
	if o.serverKey != "" {
		key, err := parseKey(o.serverKey)
		switch {
		case err != nil:
			return fmt.Errorf("--server-key: %w", err)
		case o.to.key != (reliable.Key{}) && o.to.key != key:
			return errors.New("--server-key and the invite name different keys")
		}
		o.to.key = key
	}
	if o.to.key != (reliable.Key{}) && o.transport != lab.UDP {
		return fmt.Errorf("--transport %s is not encrypted, so the server's key cannot be checked: use udp, or leave out the key", o.transport)
	}
	if !slices.Contains([]string{"", trustAsk, trustFirstUse, trustPinned}, o.trust) {
		return fmt.Errorf("--trust %q is not supported: want first-use, ask or pinned", o.trust)
	}
	return nil
}

// withPort returns addr with the default port if it names none, and with this machine if it names no host.
func withPort(addr string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(addr, "[]")); err == nil {
		return net.JoinHostPort(ip.String(), chatDefaultPort), nil
	}
	if addr != "" && !strings.Contains(addr, ":") {
		return net.JoinHostPort(addr, chatDefaultPort), nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		if addrErr, ok := errors.AsType[*net.AddrError](err); ok {
			err = errors.New(addrErr.Err) // The address is said already.
		}
		return addr, fmt.Errorf("%w: want HOST or HOST:PORT", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return addr, fmt.Errorf("port %q is no number from 1 to 65535", port)
	}
	if host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}

// defaultName returns the user's name, or a guest's.
func defaultName() string {
	for _, key := range []string{"USER", "USERNAME"} {
		if name := os.Getenv(key); lab.CheckName(name) == nil {
			return name
		}
	}
	var b [2]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return "guest-" + hex.EncodeToString(b[:])
}

// run connects and chats until the input, the user or the connection ends.
func (o *chatOptions) run(ctx context.Context, i *interruption, stdin io.Reader, stdout, stderr io.Writer) error {
	c, err := o.connect(ctx, stdin, stderr)
	if err != nil {
		return err
	}
	tty, err := openChatIO(stdin, stdout, stderr, i.again)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	defer tty.restore()
	ui := &chatUI{
		client: c, out: tty.out, server: o.server, transport: o.transport, interactive: tty.interactive, hurry: i.hurry,
	}
	if tty.interactive {
		ui.out.event(fmt.Sprintf("* Connected to %s over %s as %s. /help lists the commands, /quit ends.",
			o.server, o.transport, clean.Name(o.name)))
		if len(o.rooms) == 0 {
			ui.out.event(noRoom)
		}
	}
	return ui.run(ctx, o.rooms, tty.in) // It closes the client.
}

// connect dials the server, and explains what to do if that does not work. What the user must know, or decide, about its
// key is said on w.
func (o *chatOptions) connect(ctx context.Context, stdin io.Reader, w io.Writer) (*lab.Client, error) {
	if o.transport != lab.UDP {
		return o.dial(ctx, &trust{}) // Nothing proves who is there.
	}
	t, err := newTrust(o.trust, o.to)
	if err != nil {
		return nil, err
	}
	c, err := o.dial(ctx, t)
	if e, ok := isKeyError(err); ok && t.mode == trustAsk && t.want == (reliable.Key{}) && isTerminal(stdin) {
		if !e.ask(stdin, w) {
			return nil, errors.New("the server's key was not accepted")
		}
		t.accept(e.got, w)
		c, err = o.dial(ctx, t)
	}
	if e, ok := isKeyError(err); ok {
		return nil, advise(e, "%s", e.advice())
	}
	if err != nil {
		return nil, err
	}
	if key, ok := c.ServerKey(); ok {
		t.accept(key, w)
	}
	return c, nil
}

// dial tries once.
func (o *chatOptions) dial(ctx context.Context, t *trust) (*lab.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, chatConnectWait)
	defer cancel()
	c, err := lab.Dial(ctx, lab.Config{
		Transport: o.transport,
		Server:    o.server,
		Name:      o.name,
		Callback:  o.callback,
		Reliable: reliable.Config{
			VerifyServer: t.verify, KeepAlive: chatKeepAlive, IdleTimeout: chatIdleTimeout, Redundancy: o.protection,
		},
	})
	_, wrongKey := isKeyError(err)
	switch {
	case err == nil || wrongKey:
		return c, err
	case ctx.Err() == context.Canceled:
		return nil, errors.New("interrupted before there was a connection")
	}
	return nil, o.explainConnect(err)
}

// explainConnect turns an error of lab.Dial into what happened and what the user can do about it.
func (o *chatOptions) explainConnect(err error) error {
	if errors.Is(err, lab.ErrCallback) {
		return advise(err, "Name an address of this machine and a free port with --callback HOST:PORT; port 0 is any.")
	}
	why := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		why = op.Err // Without the addresses, which are said already.
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		why = dns
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lab.ErrNoAnswer) {
		why = errors.New("nobody answers")
	}
	_, port, _ := net.SplitHostPort(o.server) // Checked before.
	advice := "Is the server running, and does it listen there? Start one with\n  " + os.Args[0] + " serve --listen :" + port +
		"\nor name another one with --server HOST:PORT."
	if o.transport != lab.TCP {
		advice += " If something on the way drops UDP, try --transport tcp."
	}
	return advise(fmt.Errorf("cannot connect to %s over %s: %w", o.server, o.transport, why), "%s", advice)
}
