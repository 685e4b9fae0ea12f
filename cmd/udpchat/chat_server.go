package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"udpchat/client/lab"
	"udpchat/reliable"
)

// checkServer completes and checks what is said of the server.
func (o *chatOptions) checkServer() (err error) {
	if o.to, err = parseInvite(o.server); err != nil {
		return fmt.Errorf("--server %q: %w", o.server, err)
	}
	o.server = o.to.server
	if err := o.to.pin(o.serverKey); err != nil {
		return err
	}
	if o.to.key != (reliable.Key{}) && o.protocol == protocolLab && o.transport != lab.UDP {
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
		t.want = e.got
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
			Trace: o.trace,
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
