package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"
)

// loopbackField is the kernel's own loopback: no link at all, to see what a transport itself takes.
type loopbackField struct {
	sockets  [2]*net.UDPConn
	listener net.Listener
}

func newLoopbackField() (*loopbackField, error) {
	f := &loopbackField{}
	for side := range f.sockets {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("compare: %w", err), f.Close())
		}
		f.sockets[side] = conn
	}
	return f, nil
}

func (f *loopbackField) Packet(side Side) (net.PacketConn, error) { return f.sockets[side], nil }
func (f *loopbackField) Addr(side Side) netip.AddrPort {
	return f.sockets[side].LocalAddr().(*net.UDPAddr).AddrPort()
}

func (f *loopbackField) Listen(ctx context.Context, control Control) (net.Listener, error) {
	lc := net.ListenConfig{Control: control}
	lc.SetMultipathTCP(false)
	var err error
	f.listener, err = lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	return f.listener, err
}

func (f *loopbackField) Dial(ctx context.Context, control Control) (net.Conn, error) {
	d := net.Dialer{Control: control}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, "tcp4", f.listener.Addr().String())
}

func (f *loopbackField) Wire() Wire { return Wire{} }

func (f *loopbackField) Close() error {
	var err error
	for _, s := range f.sockets {
		if s != nil {
			err = errors.Join(err, ignoreClosed(s.Close()))
		}
	}
	return err
}

// PingPong is how long questions and answers of 200 bytes take on the loopback, one after the other, in ms.
type PingPong struct {
	Transport string `json:"transport"`
	Rounds    int    `json:"rounds"`
	P50       Number `json:"p50_ms"`
	P99       Number `json:"p99_ms"`
	P999      Number `json:"p999_ms"`
	Max       Number `json:"max_ms"`
}

// pingPongBytes is the size of a question and of its answer.
const pingPongBytes = 200

// RunPingPong plays rounds over t on the loopback.
func RunPingPong(ctx context.Context, t Transport, rounds int) (PingPong, error) {
	out := PingPong{Transport: t.Info().Name, Rounds: rounds}
	f, err := newLoopbackField()
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, runWallMax)
	defer cancel()
	pair, err := t.Connect(ctx, f)
	if err != nil {
		return out, errors.Join(fmt.Errorf("compare: %s: %w", out.Transport, err), f.Close())
	}
	closeAll := func() error {
		err := f.Close()
		if pair.Close != nil {
			err = errors.Join(ignoreClosed(pair.Close()), err)
		}
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = closeAll() }) // It says so by the error of a read.
	defer stop()
	answered := make(chan struct{})
	// Owns the server's end; ends when it is closed.
	go func() {
		defer close(answered)
		conn, err := pair.Accept(ctx)
		if err != nil {
			return
		}
		b := make([]byte, pingPongBytes)
		for {
			if _, err := io.ReadFull(conn, b); err != nil {
				return
			}
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}()
	took, err := askRounds(pair.Client, rounds)
	err = errors.Join(err, closeAll())
	<-answered
	if err != nil {
		return out, fmt.Errorf("compare: %s: %w", out.Transport, err)
	}
	slices.Sort(took)
	out.P50, out.P99 = Number(quantile(took, 0.5)), Number(quantile(took, 0.99))
	out.P999, out.Max = Number(quantile(took, 0.999)), Number(quantile(took, 1))
	return out, nil
}

// askRounds asks and waits for each answer. The first tenth is for warming up.
func askRounds(conn net.Conn, rounds int) ([]float64, error) {
	b := make([]byte, pingPongBytes)
	var took []float64
	for i := range rounds + rounds/10 {
		start := time.Now()
		if _, err := conn.Write(b); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, b); err != nil {
			return nil, err
		}
		if i >= rounds/10 {
			took = append(took, float64(time.Since(start))/float64(time.Millisecond))
		}
	}
	return took, nil
}

// KernelTCP is TCP as the kernel has it, without a delay for small writes. It is a contestant on the loopback; where links
// are concerned the wire lane has its own.
type KernelTCP struct{}

// Info says what it is.
func (KernelTCP) Info() Info { return Info{Name: "tcp", Text: "kernel TCP, no delay", Kernel: true} }

// Connect dials.
func (KernelTCP) Connect(ctx context.Context, f Field) (*Pair, error) {
	listener, err := f.Listen(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	client, err := f.Dial(ctx, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tcp: %w", err), listener.Close())
	}
	server, err := listener.Accept()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tcp: %w", err), client.Close(), listener.Close())
	}
	return &Pair{
		Client: client,
		Accept: func(context.Context) (net.Conn, error) { return server, nil },
		Close: func() error {
			return errors.Join(ignoreClosed(client.Close()), ignoreClosed(server.Close()), ignoreClosed(listener.Close()))
		},
	}, nil
}
