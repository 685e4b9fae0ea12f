package compare

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// A Side is one of the two hosts.
type Side uint8

// The client connects and sends what is measured; the server answers.
const (
	Client Side = iota
	Server
)

// String returns the side's name.
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// A Field is two hosts and the link between them, for one connection. Its methods may be called by several goroutines.
type Field interface {
	// Packet opens the side's UDP socket at Addr(side). It may be called once for each side. In the wire lane it is a
	// *net.UDPConn, otherwise a *netem.Socket.
	Packet(side Side) (net.PacketConn, error)
	// Addr is where the side's socket is, or will be.
	Addr(side Side) netip.AddrPort
	// Listen opens the server's TCP socket at Addr(Server), Dial connects to it from the client. Control, if not nil,
	// is called with each socket before it is used, to set its options. Fields without a kernel return an error.
	Listen(ctx context.Context, control Control) (net.Listener, error)
	Dial(ctx context.Context, control Control) (net.Conn, error)
	// Wire returns what the link has carried so far.
	Wire() Wire
	// Close closes what is left and ends the link. The run's last call.
	Close() error
}

// Control sets options of a socket, see net.Dialer.Control.
type Control func(network, address string, c syscall.RawConn) error

// A Pair is the two ends of a connection.
type Pair struct {
	Client net.Conn
	// Accept returns the server's end. It may wait for the client's first byte. It is called once.
	Accept func(ctx context.Context) (net.Conn, error)
	// OpenBulk and AcceptBulk are for another stream of the same connection, for files; each is called once at most. Nil: files
	// go over the same stream as messages.
	OpenBulk   func() (net.Conn, error)
	AcceptBulk func(ctx context.Context) (net.Conn, error)
	// Split says what the bytes on the wire so far were for. Nil: the transport cannot tell.
	Split func() Split
	// Note is something the report should say about this connection, like the congestion control in force.
	Note string
	// Close closes both ends and everything below them, so that all their calls return.
	Close func() error
}
