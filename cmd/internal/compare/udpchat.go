package compare

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/simulate"
)

// udpchatTransport is ours.
type udpchatTransport struct {
	name, text string
	redundancy reliable.Redundancy
}

func (t udpchatTransport) Info() Info {
	return Info{
		Name: t.name, Text: t.text, Encrypted: true, Repeatable: true, Lanes: []Lane{LaneVirtual, LaneWire, LaneRealTime},
	}
}

func (t udpchatTransport) config() reliable.Config {
	return reliable.Config{HandshakeTimeout: connectMax, Redundancy: t.redundancy, Streams: 1} // One for a file.
}

// Connect dials from one endpoint to another.
func (t udpchatTransport) Connect(ctx context.Context, f Field) (*Pair, error) {
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	var endpoints [2]*reliable.Endpoint
	var meters [2]watcher
	for side, pc := range ends {
		cfg := t.config()
		cfg.Watch = meters[side].watch
		if endpoints[side], err = reliable.NewEndpoint(pc, cfg); err != nil {
			return nil, err
		}
	}
	conn, err := endpoints[Client].Dial(ctx, f.Addr(Server))
	if err != nil {
		return nil, err
	}
	accepted := make(chan *reliable.Conn, 1)
	return &Pair{
		Client: conn,
		Accept: func(ctx context.Context) (net.Conn, error) {
			stop := context.AfterFunc(ctx, func() { _ = endpoints[Server].Close() }) // The run is over.
			defer stop()
			c, err := endpoints[Server].Accept()
			if err != nil {
				return nil, err
			}
			accepted <- c.(*reliable.Conn)
			return c, nil
		},
		OpenBulk: func() (net.Conn, error) { return conn.OpenStream(reliable.Bulk) },
		AcceptBulk: func(ctx context.Context) (net.Conn, error) {
			select {
			case c := <-accepted:
				return c.AcceptStream(ctx)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
		Split: func() Split {
			split := meters[Client].split()
			split.add(meters[Server].split())
			return split
		},
		Close: func() error {
			conn.Abort(reliable.CodeNone, "")
			for _, e := range endpoints {
				_ = e.Close() // The run is over: that something has not arrived is in its figures.
			}
			return ends.close()
		},
	}, nil
}

// watcher is a meter that several goroutines may use.
type watcher struct {
	mu    sync.Mutex
	meter simulate.Meter
}

func (w *watcher) watch(packet []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.Watch(packet)
}

func (w *watcher) split() Split {
	w.mu.Lock()
	defer w.mu.Unlock()
	return splitOf(&w.meter)
}

func splitOf(m *simulate.Meter) Split {
	return Split{Payload: m.Payload, Headers: m.Headers, Acks: m.Acks, Retransmits: m.Retransmits, Parity: m.Parity}
}

// machines runs the connection's machines as they are. Cookies are for crowds: the server answers every hello.
func (t udpchatTransport) machines(d *simulate.Duel, spec Spec) func() Split {
	shared := reliable.NewShared()
	var meters [2]simulate.Meter
	config := func(side simulate.Side) reliable.Config {
		cfg := t.config()
		cfg.Random, cfg.Watch = seeded(spec.Seed, uint64(side)), meters[side].Watch
		return cfg
	}
	d.Dial = func(now time.Time, path reliable.Path, emit func(reliable.Datagram)) (simulate.Peer, error) {
		m, err := reliable.NewClientMachine(config(simulate.Client), shared, now, path, emit)
		if err != nil {
			return nil, fmt.Errorf("udpchat: %w", err)
		}
		return m, nil
	}
	d.Answer = func(now time.Time, first reliable.Datagram, emit func(reliable.Datagram)) (simulate.Peer, error) {
		m, err := reliable.NewServerMachine(config(simulate.Server), shared, now, first, emit)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	return func() Split {
		split := splitOf(&meters[simulate.Client])
		split.add(splitOf(&meters[simulate.Server]))
		return split
	}
}

// seeded returns random bytes that are always the same.
func seeded(seed, stream uint64) *rand.ChaCha8 {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], stream)
	return rand.NewChaCha8(key)
}
