package lab

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"udpchat/chat/wire/lab"
	"udpchat/reliable"
)

// Transports.
const (
	TCP   = "tcp"
	UDP   = "udp"   // Reliable UDP.
	Plain = "plain" // Plain datagrams, one message each.
)

// Config says where to connect and who we are. It is not changed and may be reused.
type Config struct {
	Transport string // TCP, UDP or Plain.
	Server    string // host:port
	Name      string // CLIENT_NAME of all requests.

	// Callback is the host:port at which we listen for the server's callbacks; empty: everything comes over the
	// connection we open. An unspecified host (0.0.0.0) is announced as the address the server is reached from, port
	// 0 as the port the system picks. Not for TCP, where the protocol has none.
	Callback string

	Dialect  lab.Dialect     // How requests are spelt.
	Reliable reliable.Config // For UDP; its Plain is not used.
	Logger   *slog.Logger    // nil discards.

	// Dial opens the connection instead of the real network; nil: the network. transport is one of the three above;
	// for Plain every Read and Write is one datagram. For tests.
	Dial func(ctx context.Context, transport, addr string) (net.Conn, error)
	// ListenPlain opens the callback socket for Plain; nil: a UDP socket. For tests.
	ListenPlain func(addr string) (net.PacketConn, error)
	// ListenCalls opens the callback endpoint for UDP; nil: a reliable.Endpoint at that address. For tests.
	ListenCalls func(addr string) (Caller, error)
}

// A Caller is what the client needs of a reliable endpoint: to be called.
type Caller interface {
	// AwaitCall waits until the server at from calls, and connects back to it from the address of the Caller.
	AwaitCall(ctx context.Context, from netip.AddrPort) (net.Conn, error)
	Addr() net.Addr
	Close() error
}

// check reports what is wrong with the configuration.
func (c *Config) check() error {
	switch c.Transport {
	case UDP, Plain:
	case TCP:
		if c.Callback != "" {
			return fmt.Errorf("lab: a callback address needs transport %s or %s: over %s everything comes over the one connection",
				UDP, Plain, TCP)
		}
	default:
		return fmt.Errorf("lab: unknown transport %q: want %s, %s or %s", c.Transport, UDP, TCP, Plain)
	}
	return CheckName(c.Name)
}

// CheckName returns nil if s can be the name of a client or a room, and otherwise an ErrBadName (PROTOCOL.md 2.4).
func CheckName(s string) error {
	if strings.TrimSpace(s) == "" || len(s) > lab.NameBytesMax || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("lab: name %q: %w", s, ErrBadName)
	}
	return nil
}
