package compare

import (
	"context"
	"errors"
	"fmt"
	"net"

	"udpchat/chat/wire/carrier"
	"udpchat/cmd/internal/proxy"
	"udpchat/reliable"
)

// ProxyTransport is the name of a TCP client whose connection 'udpchat proxy' carries. It is no contestant of its own:
// between the hosts there is ours.
const ProxyTransport = "tcp-by-proxy"

// proxyTransport runs the proxy beside the client, which reaches it through the kernel, without a network.
type proxyTransport struct{}

func (proxyTransport) Info() Info {
	return Info{
		Name: ProxyTransport, Text: "a client of a socket of the kernel, carried by our proxy as an express stream", Encrypted: true,
		Lanes: []Lane{LaneWire},
	}
}

// Connect has the client connect to the proxy, and the proxy to the server.
func (proxyTransport) Connect(ctx context.Context, f Field) (*Pair, error) {
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	var endpoints [2]*reliable.Endpoint
	var meters [2]watcher
	for side, pc := range ends {
		cfg := reliable.Config{HandshakeTimeout: connectMax, Watch: meters[side].watch}
		if Side(side) == Server {
			cfg.Streams, cfg.StreamBacklog = 1, 1
		}
		if endpoints[side], err = reliable.NewEndpoint(pc, cfg); err != nil {
			return nil, err
		}
	}
	near, err := net.Listen("unix", "") // Namespaces have no loopback. Linux gives it a name.
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	agreed := make(chan error, 1)
	go func() { agreed <- agree(endpoints[Server]) }() // Ends with the endpoint.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	p, err := proxy.New(running, proxy.Config{Listener: near, Dial: func(ctx context.Context) (*reliable.Conn, error) {
		return endpoints[Client].Dial(ctx, f.Addr(Server))
	}})
	if err != nil {
		stop()
		return nil, err
	}
	stopped := make(chan struct{})
	// Ends by stop; Close waits for it.
	go func() {
		defer close(stopped)
		_ = p.Run(running) // The run shows what does not work.
	}()
	client, err := net.Dial("unix", near.Addr().String())
	if err != nil {
		stop()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return &Pair{
		Client: client,
		Accept: func(ctx context.Context) (net.Conn, error) {
			unhook := context.AfterFunc(ctx, func() { _ = endpoints[Server].Close() }) // The run is over.
			defer unhook()
			if err := <-agreed; err != nil {
				return nil, err
			}
			return endpoints[Server].StreamListener().Accept()
		},
		Split: func() Split {
			split := meters[Client].split()
			split.add(meters[Server].split())
			return split
		},
		Close: func() error {
			stop()
			err := ignoreClosed(client.Close())
			now, cancel := context.WithCancel(context.Background())
			cancel()
			for _, e := range endpoints {
				_ = e.Shutdown(now) // The run is over: that something has not arrived is in its figures.
			}
			<-stopped
			return errors.Join(err, ends.close())
		},
	}, nil
}

// agree says to the proxy what a server says.
func agree(e *reliable.Endpoint) error {
	conn, err := e.Accept()
	if err != nil {
		return err
	}
	b := make([]byte, carrier.LineBytesMax)
	n, err := conn.Read(b)
	if err == nil {
		_, _, err = carrier.ParseRequest(b[:n])
	}
	if err != nil {
		return err
	}
	_, err = conn.Write(carrier.Answer{OK: true}.Append(nil))
	return err
}
