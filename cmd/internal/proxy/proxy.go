package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/splice"
)

// Config says what is carried where to. Listener and Dial must be set.
type Config struct {
	// Listener is where TCP connections come from. It belongs to the proxy.
	Listener net.Listener

	// Dial connects to the server. It is called once at a time.
	Dial func(ctx context.Context) (*reliable.Conn, error)

	// Target is the name of the service beside the server that connections are for. Empty: the server itself.
	Target string

	// Logger gets a line when the server is lost or not reached. Nil discards.
	Logger *slog.Logger
}

// A Proxy is a listener and the reliable connections behind it.
type Proxy struct {
	cfg Config
	wg  sync.WaitGroup // everything that runs

	mu       sync.Mutex
	attempt  *attempt              // guarded by mu; to make a reliable connection; nil: nobody is at it
	failed   time.Time             // guarded by mu; when the last one failed
	why      error                 // guarded by mu; and how; nil: it did not
	carriers []*conveyor           // guarded by mu; living
	conns    map[net.Conn]struct{} // guarded by mu; from the listener
	stopped  bool                  // guarded by mu
}

// New connects to the server, and checks that it carries. Run must follow, with the same context. It closes the listener
// when it returns an error.
func New(ctx context.Context, cfg Config) (*Proxy, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{cfg: cfg, conns: make(map[net.Conn]struct{})}
	if err := p.dial(ctx); err != nil {
		return nil, errors.Join(err, cfg.Listener.Close())
	}
	return p, nil
}

// Run carries until ctx ends, and returns nil then, or until nothing can be accepted any more.
func (p *Proxy) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.cfg.Listener.Close() }) // Accept tells.
	defer stop()
	err := p.accept(ctx)
	p.stop()
	p.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("proxy: %w", err)
}

func (p *Proxy) accept(ctx context.Context) error {
	for {
		conn, err := p.cfg.Listener.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return err
			}
			p.cfg.Logger.Warn("cannot accept, trying again", "err", err)
			wait := time.NewTimer(acceptGap)
			select {
			case <-wait.C:
			case <-ctx.Done():
				wait.Stop()
			}
			continue
		}
		if !p.add(conn) {
			p.cfg.Logger.Warn("connection refused", "reason", "too many", "peer", conn.RemoteAddr(), "conns_max", connsMax)
			splice.Abort(conn)
			continue
		}
		// Owns the connection; ends with it, at the latest when stop closes it.
		p.wg.Go(func() {
			defer p.remove(conn)
			p.carry(ctx, conn)
		})
	}
}

// carry is the life of a TCP connection.
func (p *Proxy) carry(ctx context.Context, conn net.Conn) {
	c, stream, err := p.open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.cfg.Logger.Warn("connection not carried", "peer", conn.RemoteAddr(), "err", err)
		}
		splice.Abort(conn)
		return
	}
	defer p.release(c)
	err = splice.Join(conn, stream)
	p.cfg.Logger.Debug("connection ended", "peer", conn.RemoteAddr(), "err", err)
}

func (p *Proxy) add(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) >= connsMax || p.stopped {
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) remove(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// stop cuts everything off.
func (p *Proxy) stop() {
	_ = p.cfg.Listener.Close() // It may be closed already.
	p.mu.Lock()
	p.stopped = true
	for conn := range p.conns {
		_ = conn.Close() // Its readers pass that on.
	}
	carriers := slices.Clone(p.carriers)
	p.mu.Unlock()
	for _, c := range carriers {
		_ = c.conn.Close() // What could not be delivered is lost with the process.
	}
}
