package proxy

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"udpchat/chat/wire/carrier"
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
	if err == nil {
		p.adopt(ctx, c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempt, p.failed, p.why, a.err = nil, time.Now(), err, err
	close(a.done)
	return err
}

// adopt takes a new reliable connection.
func (p *Proxy) adopt(ctx context.Context, c *conveyor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		c.conn.Abort(reliable.CodeNone, "")
	}
	p.carriers = append(p.carriers, c)
	p.wg.Go(func() { p.attend(ctx, c) }) // Ends with the reliable connection, at the latest by stop.
}

// attend waits for the end of a reliable connection.
func (p *Proxy) attend(ctx context.Context, c *conveyor) {
	watching, stop := context.WithCancel(ctx)
	p.wg.Go(func() { p.watch(watching, c) }) // Ends by stop.
	err := c.wait()
	stop()
	p.drop(c)
	if ctx.Err() == nil {
		p.cfg.Logger.Warn("server lost, what it carried is reset", "server", c.conn.RemoteAddr(), "err", err)
	}
	_ = c.conn.Close() // It has ended; its socket has not.
}

// watch replaces a reliable connection whose server has fallen silent by a new one, if the server answers there. What the old
// one carried is reset then.
func (p *Proxy) watch(ctx context.Context, c *conveyor) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var s silence
	for {
		select {
		case now := <-ticker.C:
			s.look(now, c.conn.Stats())
			switch {
			case !s.long(now):
				continue
			case !s.asked: // What was sent may have needed no answer.
				_, _ = c.conn.Write([]byte(carrier.Ping)) // What comes of it is seen in the figures.
				s.asked, s.since = true, now
				continue
			}
		case <-ctx.Done():
			return
		}
		other, err := connect(ctx, p.cfg)
		if err != nil {
			continue // It is looked for again.
		}
		if s.look(time.Now(), c.conn.Stats()); s.since.IsZero() { // It was the way that was bad.
			_ = other.conn.Close() // It carries nothing.
			continue
		}
		c.conn.Abort(reliable.CodeNone, "")
		p.drop(c)
		p.adopt(ctx, other)
		return
	}
}

// A silence is how long a peer that is sent something says nothing.
type silence struct {
	sent, received uint64    // datagrams, when it was looked last
	since          time.Time // since when something was sent and nothing has come; zero: nothing was
	asked          bool      // it was asked for an answer
}

// look takes the figures of the connection.
func (s *silence) look(now time.Time, stats reliable.ConnStats) {
	switch {
	case stats.DatagramsReceived != s.received:
		s.since, s.asked = time.Time{}, false
	case stats.DatagramsSent != s.sent && s.since.IsZero():
		s.since = now
	}
	s.sent, s.received = stats.DatagramsSent, stats.DatagramsReceived
}

// long reports whether it is too long.
func (s *silence) long(now time.Time) bool {
	return !s.since.IsZero() && now.Sub(s.since) >= suspectAfter
}
