package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/client/clean"
)

const (
	// nativeDialWait bounds connecting and logging in. Passwords are slow to check on purpose, and on a busy server wait for
	// each other.
	nativeDialWait = 30 * time.Second

	// passwordTriesMax is how often a password may be typed; servers lock after as many.
	passwordTriesMax = 3

	// stateAdvice is what to do when what a machine remembers cannot be read or written.
	stateAdvice = "It is kept in " + stateHome + "/udpchat/client, which must be writable. A file that is damaged may be removed, to log in anew."

	// clientsMax is how many clients of one account may run on this machine at once: each is a device of its own.
	clientsMax = 8
)

// A login is how the user gets in: by what this machine remembers, by a password, or as a guest.
type login struct {
	o      *chatOptions
	trust  *trust
	state  *client.FileState
	saved  client.Saved
	stdin  io.Reader // What is left of it after a password.
	stderr io.Writer

	password string // As it was given or typed; empty: none was needed.
}

// openLogin takes the state of this account on this machine.
func (o *chatOptions) openLogin(stdin io.Reader, stderr io.Writer) (*login, error) {
	t, err := newTrust(o.trust, o.to)
	if err != nil {
		return nil, err
	}
	l := &login{o: o, trust: t, stdin: stdin, stderr: stderr}
	path, err := chatStatePath(o.server, o.name, o.guest)
	if err == nil {
		l.state, err = openFreeState(path)
	}
	if err == nil {
		if l.saved, err = l.state.Load(); err != nil {
			l.close()
		}
	}
	if err != nil {
		return nil, advise(fmt.Errorf("what this machine remembers of your account: %w", err), stateAdvice)
	}
	return l, nil
}

// chatStatePath returns the file with the token and the message numbers of an account on a server:
// $XDG_STATE_HOME/udpchat/client/SERVER/name-NAME.json, or guest-NAME.json for who wants to be a guest although there may be an
// account.
func chatStatePath(server, name string, guest bool) (string, error) {
	kind := "name-"
	if guest {
		kind = "guest-"
	}
	dir := os.Getenv(stateHome[1:])
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "udpchat", "client", url.QueryEscape(server), kind+url.QueryEscape(name)), nil
}

// openFreeState opens the first state that no other client on this machine has.
func openFreeState(path string) (*client.FileState, error) {
	for n := 1; ; n++ {
		name := path + ".json"
		if n > 1 {
			name = fmt.Sprintf("%s.%d.json", path, n)
		}
		state, err := client.OpenState(name)
		if err == nil || !errors.Is(err, client.ErrInUse) || n == clientsMax {
			return state, err
		}
	}
}

// close lets others have the state.
func (l *login) close() { _ = l.state.Close() }

// enter connects and logs in.
func (l *login) enter(ctx context.Context) (_ *client.Client, err error) {
	cfg := l.o.nativeConfig()
	cfg.State, cfg.Guest = l.state, l.o.guest
	password, err := l.fromFile()
	if err != nil {
		return nil, err
	}
	l.password, cfg.Password, cfg.Register = password, password, l.o.register
	if l.guestBefore() && (password != "" || l.o.register) {
		if err := l.state.Save(client.Saved{TCPUntil: l.saved.TCPUntil}); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil { // Nobody is logged in, so the guest stays who it was.
				err = errors.Join(err, l.state.Save(l.saved))
			}
		}()
	}
	known := l.saved.Token != "" && l.saved.Name == l.o.name && !l.o.register && (password == "" || !l.guestBefore())
	switch {
	case known || password != "" || l.o.guest:
	case isTerminal(l.stdin):
		return l.ask(ctx, cfg)
	case l.o.register:
		return nil, advise(errors.New("--register needs a password, and there is no terminal to ask for one"), "Name a file with it: --password-file FILE.")
	default:
		cfg.Guest = true
	}
	c, err := l.dialNative(ctx, cfg)
	if e, ok := errors.AsType[native.Error](err); ok && known && e.Code == native.CodeBadToken {
		if err := l.state.Save(client.Saved{TCPUntil: l.saved.TCPUntil}); err != nil {
			return nil, err
		}
		if isTerminal(l.stdin) {
			fmt.Fprintln(l.stderr, "The server does not know this machine any more.")
			return l.ask(ctx, cfg)
		}
	}
	if err != nil {
		return nil, l.o.explainNative(err)
	}
	return c, nil
}

// guestBefore reports whether what this machine remembers under the name is a guest, whom the server has given another one.
// Who gives a password, or wants an account, is not to be let in as that.
func (l *login) guestBefore() bool {
	return l.saved.Token != "" && l.saved.Name == l.o.name && !strings.EqualFold(l.saved.Account, l.o.name)
}

// fromFile returns the password of --password-file, empty without one.
func (l *login) fromFile() (string, error) {
	var r *bufio.Reader
	switch l.o.passwordFile {
	case "":
		return "", nil
	case "-":
		r = bufio.NewReader(l.stdin)
		l.stdin = r // The rest of it is for the chat.
	default:
		f, err := os.Open(l.o.passwordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		defer f.Close()
		r = bufio.NewReader(f)
	}
	return firstLine("--password-file", r)
}

// ask asks for the password at the terminal. None makes a guest; one that nobody has may become that of a new account.
func (l *login) ask(ctx context.Context, cfg client.Config) (*client.Client, error) {
	name := clean.Name(l.o.name)
	for try := 1; ; try++ {
		prompt := fmt.Sprintf("Password of %s (none: enter as a guest): ", name)
		if cfg.Register {
			prompt = fmt.Sprintf("Choose a password for %s: ", name)
		}
		password, err := l.secret(ctx, prompt)
		if err != nil {
			return nil, err
		}
		if cfg.Register {
			if err := l.again(ctx, password); err != nil {
				return nil, err
			}
		}
		l.password, cfg.Password, cfg.Guest = password, password, password == ""
		c, err := l.dialNative(ctx, cfg)
		e, refused := errors.AsType[native.Error](err)
		switch {
		case err == nil:
			return c, nil
		case !refused || e.Code != native.CodeBadLogin:
			return nil, l.o.explainNative(err)
		}
		fmt.Fprintf(l.stderr, "There is no account %s with that password.\n", name)
		yes, err := l.line(ctx, "Is it a new one? Type yes to make it, or nothing to try again: ")
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(yes, "yes") {
			if err := l.again(ctx, password); err != nil {
				return nil, err
			}
			cfg.Register = true
			if c, err = l.dialNative(ctx, cfg); err != nil {
				return nil, l.o.explainNative(err)
			}
			return c, nil
		}
		if try == passwordTriesMax {
			return nil, l.o.explainRefusal(e)
		}
	}
}

// again has a new password typed a second time.
func (l *login) again(ctx context.Context, password string) error {
	second, err := l.secret(ctx, "The same password again: ")
	if err == nil && second != password || password == "" {
		err = errors.New("that was another password: nothing was done")
	}
	return err
}

// secret reads a line that is not shown.
func (l *login) secret(ctx context.Context, prompt string) (string, error) {
	f, ok := l.stdin.(*os.File)
	if !ok || !isTerminal(f) {
		return "", advise(errors.New("there is no terminal to ask for the password"),
			"Name a file that has it: --password-file FILE, or --new-password-file FILE for a new one.")
	}
	fd := int(f.Fd())
	old, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	return l.read(ctx, prompt, func() (string, error) {
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(l.stderr)
		return string(b), err
	}, func() { _ = term.Restore(fd, old) })
}

// line reads a line.
func (l *login) line(ctx context.Context, prompt string) (string, error) {
	return l.read(ctx, prompt, func() (string, error) {
		var line []byte
		for b := make([]byte, 1); ; { // Byte by byte: what follows is for others.
			n, err := l.stdin.Read(b)
			if line = append(line, b[:n]...); err != nil || bytes.HasSuffix(line, []byte("\n")) {
				return strings.TrimSpace(string(line)), err
			}
		}
	}, func() {})
}

// read asks something, unless ctx ends before it is answered.
func (l *login) read(ctx context.Context, prompt string, f func() (string, error), giveUp func()) (string, error) {
	fmt.Fprint(l.stderr, prompt)
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	// A read of a terminal cannot be given up, so nobody waits for it: it ends with the process.
	go func() {
		text, err := f()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if errors.Is(r.err, io.EOF) {
			return "", errors.New("nothing was typed: not logged in")
		}
		return r.text, r.err
	case <-ctx.Done():
		giveUp()
		fmt.Fprintln(l.stderr)
		return "", errors.New("interrupted before logging in")
	}
}
