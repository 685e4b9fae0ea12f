package session

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Transports as the rest of the program names them.
const (
	TransportTCP    = "tcp"    // A plain TCP connection.
	TransportUDP    = "udp"    // A reliable connection over UDP.
	TransportStream = "stream" // One of the further streams of a reliable connection: to protocols, what TCP is.
	TransportPlain  = "plain"  // Text datagrams: one Write is one datagram.
	TransportTLS    = "tls"    // TLS over TCP.
)

// Config says how a session behaves. The zero value is a session over a stream without callbacks.
type Config struct {
	// OutboxBytes is how many bytes may wait for the peer, those being written included. 0 means 1 MiB.
	OutboxBytes int

	// Transport is "tcp", "udp", "stream", "plain" or "tls". Only for "plain" do the boundaries of writes matter.
	Transport string

	// Call has the client that listens at addr open a connection to us. nil: the transport has no callbacks.
	Call func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

	// DrainTimeout is how long Close goes on writing what waits. 0 means 2 s.
	DrainTimeout time.Duration
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	if c.OutboxBytes == 0 {
		c.OutboxBytes = outboxBytesDefault
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = drainTimeoutDefault
	}
	return c
}
