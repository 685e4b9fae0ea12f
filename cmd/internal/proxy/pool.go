package proxy

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"udpchat/reliable"
)

// An attempt to make a reliable connection serves all who want one meanwhile.
type attempt struct {
	done chan struct{} // closed at its end
	err  error         // what came of it; constant then
}

// open begins a stream for a TCP connection, over a reliable connection that has room or a new one.
func (p *Proxy) open(ctx context.Context) (*conveyor, net.Conn, error) {
	for {
		c := p.reserve()
		if c == nil {
			if err := p.dial(ctx); err != nil {
				return nil, nil, err
			}
			continue
		}
		stream, err := c.open(p.cfg.Target)
		if err == nil {
			return c, stream, nil
		}
		p.release(c)
		if !errors.Is(err, net.ErrClosed) {
			return nil, nil, err
		}
		p.drop(c) // It has ended, and its goroutine will find out, too.
	}
}

// reserve takes a place on a reliable connection; nil: there is none.
func (p *Proxy) reserve() *conveyor {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.carriers {
		if c.used < streamsMax {
			c.used++
			return c
		}
	}
	return nil
}

func (p *Proxy) release(c *conveyor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.used--
}

func (p *Proxy) drop(c *conveyor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.carriers = slices.DeleteFunc(p.carriers, func(o *conveyor) bool { return o == c })
}

// dial makes a reliable connection, or waits for somebody else who does. It fails at once if that has just failed.
func (p *Proxy) dial(ctx context.Context) error {
	p.mu.Lock()
	if a := p.attempt; a != nil {
		p.mu.Unlock()
		select {
		case <-a.done:
			return a.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if p.why != nil && time.Since(p.failed) < retryGap {
		defer p.mu.Unlock()
		return p.why
	}
	a := &attempt{done: make(chan struct{})}
	p.attempt = a
	p.mu.Unlock()

	c, err := connect(ctx, p.cfg)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		if p.stopped {
			c.conn.Abort(reliable.CodeNone, "")
		}
		p.carriers = append(p.carriers, c)
		p.wg.Go(func() { p.attend(ctx, c) }) // Ends with the reliable connection, at the latest by stop.
	}
	p.attempt, p.failed, p.why, a.err = nil, time.Now(), err, err
	close(a.done)
	return err
}

// attend waits for the end of a reliable connection.
func (p *Proxy) attend(ctx context.Context, c *conveyor) {
	err := c.wait()
	p.drop(c)
	if ctx.Err() == nil {
		p.cfg.Logger.Warn("server lost, what it carried is reset", "server", c.conn.RemoteAddr(), "err", err)
	}
	_ = c.conn.Close() // It has ended; its socket has not.
}
