package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
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

	// chatKeepAlive keeps the mapping of a NAT alive while nobody says anything. A NAT that has given us another port in the
	// silence is noticed with the next one: before the 20 s are over in which the server waits for us to acknowledge what it
	// has said meanwhile.
	chatKeepAlive = 15 * time.Second

	// chatIdleTimeout is after what silence of a reliable UDP server, which is probed from half of it on, the user is told
	// that it is gone.
	chatIdleTimeout = 30 * time.Second

	chatDefaultPort = "4000"
)

// chatOptions are the flags of udpchat chat.
type chatOptions struct {
	server, serverKey, trust, events                string
	to                                              invite // what server and serverKey say
	transport, protocol, name, callback, redundancy string
	protection                                      reliable.Redundancy  // what redundancy says
	trace                                           func(reliable.Event) // what events asks for
	rooms                                           []string
	lines                                           bool // Line mode, for now the only one.

	// For the native protocol.
	others                  []string // Further servers of the cluster.
	guest, register, change bool
	passwordFile            string
	newPasswordFile         string
	history                 int
	files                   string
}

// The protocols of udpchat chat.
const (
	protocolNative = "native"
	protocolLab    = "lab"
)

// transportAuto is reliable UDP, and over the native protocol TLS over TCP as well if that does not answer at once.
const transportAuto = "auto"

func newChatCommand() *cobra.Command {
	var o chatOptions
	cmd := &cobra.Command{
		Use:   "chat",
		Short: "Chat in a terminal or from a script",
		Long: `chat joins chat rooms on a server and lets you talk there, and to people directly.

You are known by an account: the first time you choose a password, or none and are a guest. Then this machine is
remembered, until /logout. What you said is shown when the server has stored it, with the time that took; whatever
happens to the network or the server, it is stored once, and you miss nothing. A password is asked for at the terminal or
read from a file, --password-file; without either you are a guest.

On a terminal it shows a prompt with the room your lines go to. Otherwise it reads lines from standard input and
writes lines to standard output, one for each event, for scripts:

  [room] name: text        somebody, perhaps you, said something
  [@name] name: text       the same in the direct conversation with name
  * [room] ann has joined  a notice
  * ...                    the answer to a command such as /who

A line break inside a text is shown as ⏎. Names with one of the characters []:"* in them stand in double quotes.
Control characters, escape sequences and invisible characters of others are never shown.

Each line is said in the current room or conversation; empty lines are skipped. Lines that begin with a slash are commands
(begin with two to say one slash):

` + nativeCommands().describe("  ") + `
At the end of the input everything said is waited for. Ctrl-C does not wait.

With --protocol lab it speaks the lab chat protocol, which knows no accounts and remembers nothing. What you said is
shown when it comes back from the server; a lost connection ends the chat. Its commands:

` + chatCommands().describe("  "),
		Example: `  udpchat chat --name ann --room lobby          over reliable UDP, or else TCP
  udpchat chat --guest --name bob --room lobby  as a guest
  echo 'deployed' | udpchat chat --name bot --password-file bot.pw --room ops
  udpchat chat --protocol lab --transport tcp --name cat --room lobby`,
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
	f.StringArrayVar(&o.others, "other-server", nil, "`HOST:PORT` of a further server of the same cluster, with the same key, to go on at when the first is not to be found; may be repeated")
	f.StringVar(&o.serverKey, "server-key", "", "`KEY` that the server must have, as it shows it when it starts")
	f.StringVar(&o.trust, "trust", trustFirstUse, "`HOW` to take a server you have not been to: first-use (and remember it), ask, or pinned (not at all)")
	f.StringVar(&o.transport, "transport", transportAuto, "`TRANSPORT`: auto (udp, and tcp where that does not get through), udp, tcp, or plain (lab only: what others say may get lost)")
	f.StringVar(&o.protocol, "protocol", "", "chat `PROTOCOL`: native or lab (default: native, but lab with --transport plain or --callback)")
	f.StringVar(&o.name, "name", "", "your `NAME`, or your account's, in the chat (default: your user name)")
	f.BoolVar(&o.guest, "guest", false, "enter as a guest: an account without a password, which ends after a while")
	f.BoolVar(&o.register, "register", false, "make the account, with the password of --password-file or asked for")
	f.StringVar(&o.passwordFile, "password-file", "", "read the password from the first line of `FILE`; - is standard input")
	f.BoolVar(&o.change, "change-password", false, "change the account's password, and end")
	f.StringVar(&o.newPasswordFile, "new-password-file", "", "read the new password for --change-password from the first line of `FILE`, instead of asking for it")
	f.IntVar(&o.history, "history", -1, "show `N` messages of the past when entering a room (default 20 on a terminal, else 0)")
	f.Lookup("history").DefValue = "0" // The help has said what the default is.
	f.StringVar(&o.files, "files", ".", "`DIR` where /file get puts files")
	f.StringArrayVar(&o.rooms, "room", nil, "`ROOM` to join at the start; may be repeated, the last one becomes the current one")
	f.StringVar(&o.redundancy, "redundancy", "latency", "`KIND` of protection against loss over udp: latency, economy (fewer bytes) or off")
	f.StringVar(&o.callback, "callback", "", "listen at `ADDR` (HOST:PORT) and have the server call there; for udp and plain")
	f.StringVar(&o.events, "events", "", "write all that happens on the connection to `FILE`, a line of JSON for each event; for udp")
	f.BoolVar(&o.lines, "lines", false, "line mode (for now the only one)")
	return cmd
}

// check completes the options and reports what is wrong with them.
func (o *chatOptions) check() error {
	if o.protocol == "" {
		o.protocol = protocolNative
		if o.transport == lab.Plain || o.callback != "" {
			o.protocol = protocolLab
		}
	}
	if o.transport == "" || o.transport == transportAuto && o.protocol == protocolLab {
		o.transport = lab.UDP
	}
	switch o.protocol {
	case protocolNative:
		if err := o.checkNative(); err != nil {
			return err
		}
	case protocolLab:
		if o.guest || o.register || o.passwordFile != "" || o.change {
			return errors.New("--guest, --register, --password-file and --change-password need --protocol native: the lab protocol has no accounts")
		}
		if len(o.others) > 0 {
			return errors.New("--other-server needs --protocol native: the lab protocol cannot go on elsewhere")
		}
	default:
		return fmt.Errorf("--protocol %q is not supported: want native or lab", o.protocol)
	}
	if !slices.Contains([]string{transportAuto, lab.UDP, lab.TCP, lab.Plain}, o.transport) {
		return fmt.Errorf("--transport %q is not supported: want auto, udp, tcp or plain", o.transport)
	}
	if o.callback != "" && o.transport == lab.TCP {
		return errors.New("--callback needs --transport udp or plain: over tcp everything comes over the one connection")
	}
	if o.events != "" && o.transport != lab.UDP && o.transport != transportAuto {
		return fmt.Errorf("--events needs --transport udp: over %s nothing is known about the connection", o.transport)
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
	if o.events != "" {
		f, err := os.Create(o.events)
		if err != nil {
			return fmt.Errorf("--events: %w", err)
		}
		defer f.Close() // A trace that is cut short is no reason to fail.
		o.trace = reliable.TraceTo(f)
	}
	if o.protocol == protocolNative {
		return o.runNative(ctx, i, stdin, stdout, stderr)
	}
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
