package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"udpchat/chat/front"
)

// Config says how a server behaves. The zero value is usable.
type Config struct {
	// Logger gets one line for every ended session, and what the operator should know. nil discards.
	Logger *slog.Logger

	// OutboxBytes is how many bytes may wait for one peer; see session.Config. 0 means 1 MiB.
	OutboxBytes int

	// DrainTimeout is how long an ending session goes on writing what waits. 0 means 2 s.
	DrainTimeout time.Duration

	// SniffTimeout is how long a peer may take to show its protocol before the listener's last front-end gets it. 0
	// means 10 s.
	SniffTimeout time.Duration

	// HandshakeTimeout is how long a TLS handshake may take. 0 means 10 s.
	HandshakeTimeout time.Duration

	// SessionsMax is how many sessions there may be on all listeners together. 0 means 20,000.
	SessionsMax int

	// SessionsPerNetworkMax is how many of them may come from one network (IPv4 /24, IPv6 /56; loopback exempt). 0
	// means half of SessionsMax, so that no single network can lock everybody else out.
	SessionsPerNetworkMax int

	// AcceptPerSecond and AcceptBurst limit how many new sessions one network may open on one listener: so many per
	// second in the long run, so many at once (loopback exempt). 0 means 50 and 200; negative means no limit.
	AcceptPerSecond int
	AcceptBurst     int
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.SniffTimeout == 0 {
		c.SniffTimeout = sniffTimeoutDefault
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = handshakeTimeoutDefault
	}
	if c.SessionsMax == 0 {
		c.SessionsMax = sessionsMaxDefault
	}
	if c.SessionsPerNetworkMax == 0 {
		c.SessionsPerNetworkMax = max(1, c.SessionsMax/2)
	}
	if c.AcceptPerSecond == 0 {
		c.AcceptPerSecond = acceptPerSecondDefault
	}
	if c.AcceptBurst == 0 {
		c.AcceptBurst = acceptBurstDefault
	}
	return c
}

// A Listener is where connections come from, and what they may speak.
//
// Closing it must make Accept fail and leave the connections it accepted alone, so that they can take leave.
type Listener struct {
	net.Listener

	// Transport is the sessions' transport: "tcp", "udp", "stream", "plain" or "tls".
	Transport string

	// TLS, if not nil, lets a peer that begins with a TLS handshake have it. What is inside is spoken with the same
	// Fronts, and the session's transport is then "tls". For listeners of streams that are not encrypted.
	TLS *tls.Config

	// Fronts are the protocols spoken here, at least one. The last gets the sessions that no other recognises.
	Fronts []front.Front

	// Call returns how to have conn's client called at another address; nil, or a nil result, means not at all. See
	// session.Config.Call.
	Call func(conn net.Conn) func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
}
