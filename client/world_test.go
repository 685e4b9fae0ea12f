package client

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A world is a server and a client on a network, in a bubble.
type world struct {
	*testing.T
	net    *netem.Network
	server *server

	mu      sync.Mutex
	dialled []string // Guarded by mu: every address that was dialled over UDP.
	refuses error    // Guarded by mu: what dialling over UDP fails with; nil: it does not.
}

// inWorld runs f in a bubble, with a link that delays by 50 ms and loses that share each way.
func inWorld(t *testing.T, loss float64, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: netem.NewNetwork(1), server: newServer(t)}
		link := netem.Params{Delay: 50 * time.Millisecond, Loss: loss}
		w.net.Connect(clientAddr, serverAddr, netem.Profile{Up: link, Down: link}, 7)
		w.server.up(w.net)
		f(w)
		w.server.down()
		w.net.Close()
	})
}

// dial logs in over the network in memory. TCP is refused.
func (w *world) dial(cfg Config) *Client {
	w.Helper()
	return w.dialFrom(clientAddr, cfg)
}

func (w *world) tryDial(cfg Config) (*Client, error) { return w.tryDialFrom(clientAddr, cfg) }

// dialFrom is dial from another address.
func (w *world) dialFrom(addr netip.AddrPort, cfg Config) *Client {
	w.Helper()
	c, err := w.tryDialFrom(addr, cfg)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) tryDialFrom(from netip.AddrPort, cfg Config) (*Client, error) {
	cfg.Server = serverAddr.String()
	if cfg.Account == "" {
		cfg.Account, cfg.Password = "ann", "right"
	}
	var ep *reliable.Endpoint
	cfg.Dial = func(ctx context.Context, transport, addr string) (Conn, error) {
		if transport == TCP {
			return nil, errors.New("refused")
		}
		w.mu.Lock()
		w.dialled = append(w.dialled, addr)
		refuses := w.refuses
		w.mu.Unlock()
		if refuses != nil {
			return nil, refuses
		}
		if ep == nil {
			sock, err := w.net.ListenPacket(from)
			if err != nil {
				return nil, err
			}
			if ep, err = reliable.NewEndpoint(sock, reliable.Config{IdleTimeout: idleTimeout}); err != nil {
				return nil, err
			}
		}
		conn, err := ep.Dial(ctx, netip.MustParseAddrPort(addr))
		if err != nil {
			return nil, err
		}
		return udpConn{conn}, nil
	}
	c, err := Dial(w.Context(), cfg)
	if err != nil {
		if ep != nil {
			_ = ep.Close()
		}
		return nil, err
	}
	c.tasks.Go(func() { // Closes what the network in memory needs, with the client.
		<-c.ended
		_ = ep.Close()
	})
	return c, nil
}

// collect takes events in the background until the client ends.
func collect(c *Client) *collector {
	k := &collector{}
	k.task.Go(func() {
		for ev := range c.Events() {
			k.mu.Lock()
			k.events = append(k.events, ev)
			k.mu.Unlock()
		}
	})
	return k
}

type collector struct {
	task   sync.WaitGroup
	mu     sync.Mutex
	events []Event
}

// said returns the texts of a log, in the order they came, and fails if their numbers do not rise.
func (k *collector) said(t *testing.T, log string) (texts []string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	var last uint64
	for _, ev := range k.events {
		s, ok := ev.(Said)
		if r, reload := ev.(Reload); reload && r.Log == log {
			last = 0
		}
		if !ok || s.Log != log {
			continue
		}
		if s.Seq <= last {
			t.Errorf("number %d came after %d", s.Seq, last)
		}
		last = s.Seq
		texts = append(texts, s.Text)
	}
	return texts
}

// of returns the events of one type.
func of[E Event](k *collector) (all []E) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, ev := range k.events {
		if e, ok := ev.(E); ok {
			all = append(all, e)
		}
	}
	return all
}
