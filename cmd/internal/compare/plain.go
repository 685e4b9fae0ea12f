package compare

import (
	"context"
	"net"
)

// plainTransport sends each message as one datagram and does nothing else.
type plainTransport struct{}

func (plainTransport) Info() Info {
	return Info{
		Name: "plain", Text: "bare datagrams: what is lost stays lost", Bare: true, Repeatable: true,
		Lanes: []Lane{LaneVirtual, LaneWire, LaneRealTime},
	}
}

func (plainTransport) Connect(_ context.Context, f Field) (*Pair, error) {
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	client := &datagramConn{ends[Client], net.UDPAddrFromAddrPort(f.Addr(Server))}
	server := &datagramConn{ends[Server], net.UDPAddrFromAddrPort(f.Addr(Client))}
	return &Pair{
		Client: client,
		Accept: func(context.Context) (net.Conn, error) { return server, nil },
		Close:  ends.close,
	}, nil
}

// datagramConn is a packet connection with one peer.
type datagramConn struct {
	net.PacketConn
	peer net.Addr
}

func (c *datagramConn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFrom(b)
	return n, err
}

func (c *datagramConn) Write(b []byte) (int, error) { return c.WriteTo(b, c.peer) }
func (c *datagramConn) RemoteAddr() net.Addr        { return c.peer }
