package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/client/clean"
	"udpchat/client/lab"
	"udpchat/reliable"
)

// checkNative reports what is wrong with the options for the native protocol.
func (o *chatOptions) checkNative() error {
	switch {
	case o.transport == lab.Plain:
		return errors.New("--transport plain is for --protocol lab: the native protocol is always encrypted")
	case o.callback != "":
		return errors.New("--callback is for --protocol lab: in the native protocol everything comes over the one connection")
	case o.guest && (o.register || o.passwordFile != ""):
		return errors.New("--guest or a password, not both: a guest has none")
	case o.change && (o.guest || o.register):
		return errors.New("--change-password is for an account with a password, without --guest and --register")
	case o.newPasswordFile != "" && !o.change:
		return errors.New("--new-password-file is for --change-password")
	case o.history > native.PageEventsMax:
		return fmt.Errorf("--history %d: at most %d", o.history, native.PageEventsMax)
	}
	for _, other := range o.others {
		if _, _, err := net.SplitHostPort(other); err != nil {
			return fmt.Errorf("--other-server %q: want HOST:PORT", other)
		}
	}
	return nil
}

// runNative logs in and chats until the input, the user or the account ends.
func (o *chatOptions) runNative(ctx context.Context, i *interruption, stdin io.Reader, stdout, stderr io.Writer) error {
	l, err := o.openLogin(stdin, stderr)
	if err != nil {
		return err
	}
	defer l.close()
	c, err := l.enter(ctx)
	if err != nil {
		return err
	}
	if o.change {
		return o.changePassword(ctx, l, c)
	}
	tty, err := openChatIO(l.stdin, stdout, stderr, i.again)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	defer tty.restore()
	history := o.history
	if history < 0 {
		history = 0
		if tty.interactive {
			history = nativeHistory
		}
	}
	ui := &nativeUI{
		client: c, out: tty.out, server: o.server, interactive: tty.interactive, hurry: i.hurry, history: history, files: o.files,
	}
	if tty.interactive {
		ui.out.event(fmt.Sprintf("* Connected to %s over %s as %s. /help lists the commands, /quit ends.",
			o.server, c.Link().Transport, clean.Name(c.Account())))
		if len(o.rooms) == 0 {
			ui.out.event(noRoom)
		}
	}
	return ui.run(ctx, o.rooms, tty.in) // It closes the client.
}

// nativeConfig is how the client connects, whoever logs in.
func (o *chatOptions) nativeConfig() client.Config {
	transport := o.transport
	if transport == transportAuto {
		transport = ""
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // The device has no label then.
	}
	return client.Config{
		Server: o.server, Others: o.others, Transport: transport,
		Account: o.name, Label: host[:min(len(host), native.LabelBytesMax)], Agent: "udpchat chat",
		Reliable: reliable.Config{KeepAlive: chatKeepAlive, Redundancy: o.protection, Trace: o.trace},
	}
}

// dialNative connects and logs in, asks the user about an unknown key if that is wanted, and remembers the one there is, also
// when the server does not let us in: the next password goes to the same server or nowhere.
func (l *login) dialNative(ctx context.Context, cfg client.Config) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, nativeDialWait)
	defer cancel()
	c, err := l.dialOnce(ctx, cfg)
	if e, ok := isKeyError(err); ok && l.trust.mode == trustAsk && l.trust.want == (reliable.Key{}) && isTerminal(l.stdin) {
		if !e.ask(l.stdin, l.stderr) {
			return nil, errors.New("the server's key was not accepted")
		}
		l.met(e.got)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nativeDialWait) // The user may have thought long.
		defer cancel()
		c, err = l.dialOnce(ctx, cfg)
	}
	if e, ok := isKeyError(err); ok {
		return nil, advise(e, "%s", e.advice())
	}
	return c, err
}

// dialOnce is one attempt, whose server's key is remembered if it was taken.
func (l *login) dialOnce(ctx context.Context, cfg client.Config) (*client.Client, error) {
	var mu sync.Mutex
	var taken reliable.Key // Guarded by mu.
	now := *l.trust        // The client asks as long as it lives, and keeps to the first key by itself.
	cfg.VerifyServer = func(key reliable.Key) error {
		err := now.verify(key)
		if err == nil {
			mu.Lock()
			taken = key
			mu.Unlock()
		}
		return err
	}
	c, err := client.Dial(ctx, cfg)
	mu.Lock()
	defer mu.Unlock()
	if taken != (reliable.Key{}) {
		l.met(taken)
	}
	return c, err
}

// met remembers and shows the server's key.
func (l *login) met(key reliable.Key) {
	l.trust.accept(key, l.stderr)
	l.trust.want = key
}

// explainNative turns an error of client.Dial into what happened and what the user can do about it.
func (o *chatOptions) explainNative(err error) error {
	if _, ok := errors.AsType[*advised](err); ok {
		return err
	}
	if e, ok := errors.AsType[native.Error](err); ok {
		return o.explainRefusal(e)
	}
	if e, ok := errors.AsType[*reliable.RefusedError](err); ok { // Over TCP it closes the connection without a word.
		return advise(fmt.Errorf("cannot connect to %s: %s", o.server, nativeReason(e)), "Try again later.")
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return advise(fmt.Errorf("this machine cannot remember your account: %w", e), stateAdvice)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted before there was a connection")
	case errors.Is(err, client.ErrForeign):
		return advise(fmt.Errorf("%s does not speak the native protocol", o.server), onePort+"\n--protocol lab speaks the lab protocol.")
	case errors.Is(err, client.ErrNoAnswer):
		return advise(fmt.Errorf("%s does not answer", o.server), "It lets clients connect and says nothing. "+onePort+"\n"+
			"--protocol lab speaks the lab protocol. Or it is overloaded.")
	case errors.Is(err, io.EOF):
		return advise(fmt.Errorf("%s closes connections at once", o.server), onePort+"\n--protocol lab speaks the lab protocol. Or it is full.")
	}
	why := errors.New("nobody answers")
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		why = dns
	} else if op, ok := errors.AsType[*net.OpError](err); ok {
		why = op.Err // Without the addresses, which are said already.
	} else if !errors.Is(err, context.DeadlineExceeded) {
		why = errors.New(clean.Line(strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return advise(fmt.Errorf("cannot connect to %s: %w", o.server, why), "Is the name right? --server HOST:PORT names the server, localhost:PORT one on this machine.")
	}
	_, port, _ := net.SplitHostPort(o.server) // Checked before.
	return advise(fmt.Errorf("cannot connect to %s: %w", o.server, why),
		"Is the server running, and does it listen there? Start one with\n  %s serve --listen :%s\nor name another one with --server HOST:PORT.",
		os.Args[0], port)
}

// explainRefusal says why the server does not let us in, and what to do.
func (o *chatOptions) explainRefusal(e native.Error) error {
	err := errors.New("not logged in: " + refusalText(e))
	switch e.Code {
	case native.CodeBadLogin:
		return advise(err, "There is no account %s with that password. To make one: --register.", clean.Name(o.name))
	case native.CodeNameTaken:
		return advise(err, "If the account is yours, give its password (and no --register); if not, choose another one with --name NAME.")
	case native.CodeBadName:
		return advise(err, "Choose another one with --name NAME.")
	case native.CodeLocked, native.CodeRateLimited:
		return advise(err, "Try again in %v.", max(time.Second, e.RetryAfter.Duration().Round(time.Second)))
	case native.CodeNotAllowed:
		return advise(err, "Ask who runs the server for an account.")
	case native.CodeVersion:
		return advise(err, "Update this program, or the server.")
	}
	return err
}

// refusalText is why the server refused something, safe to print.
func refusalText(e native.Error) string {
	text := clean.Line(e.Error())
	if e.Reference != "" && !strings.Contains(e.Text, e.Reference) { // Most servers name it in the text.
		text += " (reference " + clean.Name(e.Reference) + ")"
	}
	return text
}
