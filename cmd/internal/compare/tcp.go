package compare

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// tcpTransport is the kernel's TCP with a congestion control of its own choice.
type tcpTransport struct{ congestion string }

func (t tcpTransport) Info() Info {
	return Info{
		Name: "tcp-" + t.congestion, Text: "the kernel's TCP, " + t.congestion + ", without Nagle's algorithm", Kernel: true,
		Lanes: []Lane{LaneWire, LaneRecorded},
	}
}

// Connect makes one connection. The congestion control is set on both sockets before they are used, and read back after.
func (t tcpTransport) Connect(ctx context.Context, f Field) (*Pair, error) {
	l, err := f.Listen(ctx, congestionControl(t.congestion))
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	client, err := f.Dial(ctx, congestionControl(t.congestion))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tcp: %w", err), l.Close())
	}
	pair := &Pair{Client: client}
	if pair.Note, err = describeTCP(client); err != nil {
		return nil, errors.Join(fmt.Errorf("tcp: %w", err), client.Close(), l.Close())
	}
	if s, ok := f.(interface{ TCPSplit() Split }); ok {
		pair.Split = s.TCPSplit
	}
	var server net.Conn
	pair.Accept = func(ctx context.Context) (net.Conn, error) {
		stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // The run is over.
		defer stop()
		conn, err := l.Accept()
		if err != nil {
			return nil, fmt.Errorf("tcp: %w", err)
		}
		server = conn
		return conn, nil
	}
	pair.Close = func() error {
		err := errors.Join(ignoreClosed(client.Close()), ignoreClosed(l.Close()))
		if server != nil {
			err = errors.Join(err, ignoreClosed(server.Close()))
		}
		return err
	}
	return pair, nil
}
