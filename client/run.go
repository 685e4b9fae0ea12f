package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// A dialled is a new connection.
type dialled struct {
	conn               Conn
	transport, address string
}

// A road is how run finds the server.
type road struct {
	order   order
	address string // Of the next attempt.
	at      int    // Place of address among the servers of the Config.
	retry   comeback
	failed  int // Attempts since there was a connection.
	first   int // Attempts to log in for the first time.
}

// elsewhere makes the next server of the Config the next to try.
func (r *road) elsewhere(cfg Config) {
	if r.at++; r.at > len(cfg.Others) {
		r.at = 0
	}
	r.address = cfg.server(r.at)
}

// run connects, serves the connection and connects again, until Close or until there is no point in it.
func (c *Client) run() {
	defer close(c.ended)
	r := &road{address: c.cfg.Server, order: order{tcpUntil: c.m.numbers.loaded().TCPUntil}}
	var next *dialled
	for {
		d, err := next, error(nil)
		if next = nil; d == nil {
			d, err = c.connect(r)
		}
		v := verdict{err: err}
		if err == nil {
			v, next = c.serve(r, d)
		} else {
			v.final = final(err)
		}
		if c.stop.Err() != nil {
			c.end(nil)
			if next != nil {
				next.conn.Drop()
			}
			return
		}
		if !c.isReady() {
			r.first++
			mute := errors.Is(v.err, ErrNoAnswer) || errors.Is(v.err, ErrForeign)
			v.final = v.final || err != nil || mute || r.first >= dialTriesMax
		}
		if v.final {
			c.end(v.err)
			return
		}
		if next == nil && !c.pauseFor(r, v, err != nil) {
			c.end(nil)
			return
		}
	}
}

// isReady reports whether we have been logged in once.
func (c *Client) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// connect makes one attempt.
func (c *Client) connect(r *road) (*dialled, error) {
	ctx, cancel := context.WithTimeout(c.stop, connectWait)
	defer cancel()
	address := r.address
	conn, transport, err := race(ctx, r.order.next(time.Now(), c.cfg.Transport), raceHeadStart,
		func(ctx context.Context, transport string) (Conn, error) { return c.cfg.Dial(ctx, transport, address) })
	if err != nil {
		return nil, err
	}
	c.net.pin(conn.ServerKey())
	if c.cfg.Transport == "" {
		r.order.won(time.Now(), transport)
		c.m.numbers.prefer(r.order.tcpUntil)
	}
	return &dialled{conn, transport, address}, nil
}

// pauseFor waits until the next attempt, and reports whether there is to be one.
func (c *Client) pauseFor(r *road, v verdict, unreachable bool) bool {
	c.mu.Lock()
	wait := max(v.wait, 0)
	if wait > 0 {
		wait += time.Duration(c.m.rng.Int64N(int64(wait) + 1)) // All clients are told the same.
	}
	wait = max(wait, r.retry.next(c.m.rng, !unreachable || turnedAway(v.err)))
	if unreachable {
		r.failed++
		c.m.queue.add(Retry{Attempt: r.failed, Err: v.err, In: wait})
	}
	c.mu.Unlock()
	signal(c.queued)
	c.log.Debug("connecting again", "err", v.err, "dur", wait)
	switch {
	case v.next != "":
		r.address = v.next
	case unreachable:
		r.elsewhere(c.cfg)
	default:
		r.address = c.cfg.server(r.at)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.stop.Done():
		return false
	}
}

// serve runs one connection to its end, and returns what is to come after it: perhaps a new connection that is there
// already.
func (c *Client) serve(r *road, d *dialled) (v verdict, next *dialled) {
	r.failed = 0
	end := make(chan error, 2) // Of the reader and the writer.
	write := make(chan struct{}, 1)
	c.mu.Lock()
	c.conn, c.wrote = d.conn, func() { signal(write) }
	c.m.connected(time.Now(), d.transport, d.address)
	c.mu.Unlock()
	var movers sync.WaitGroup
	done := make(chan struct{})
	movers.Go(func() { end <- c.read(d.conn) })               // Owns reading from conn; ends with it.
	movers.Go(func() { end <- c.write(d.conn, write, done) }) // Owns writing to conn; ends with done or conn.
	s := &scout{c: c, r: r}
	v, next = c.watch(end, s)
	close(done)
	c.mu.Lock()
	silent := c.m.suspect(time.Now())
	c.mu.Unlock()
	if !silent && (v.err == nil || errors.Is(v.err, ErrDrained)) {
		_ = d.conn.Close() // What was written may still arrive; nobody waits for more.
	} else {
		d.conn.Drop()
	}
	if other := s.stop(); other != nil {
		other.conn.Drop()
	}
	movers.Wait()
	now := time.Now()
	c.mu.Lock()
	if c.m.phase >= up {
		r.retry.ended(now, now.Sub(c.m.upSince), v.err)
	}
	c.m.lost(now, v.err)
	c.conn, c.wrote = nil, nil
	c.m.change()
	c.mu.Unlock()
	signal(c.queued)
	c.log.Info("connection ended", "peer", d.address, "err", v.err)
	return v, next
}

// watch keeps the machine's time until the connection is of no use any more.
func (c *Client) watch(end <-chan error, s *scout) (verdict, *dialled) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		c.mu.Lock()
		c.m.advance(now)
		v, at, suspect, phase := c.m.verdict, c.m.nextAt(now), c.m.suspect(now), c.m.phase
		if len(c.m.out) > 0 {
			c.wrote()
		}
		c.mu.Unlock()
		signal(c.queued)
		if phase == up && !c.isReady() {
			close(c.ready)
		}
		if v.drop {
			return v, nil
		}
		if suspect {
			at = earlier(at, s.look(now))
		}
		if at.IsZero() {
			at = now.Add(time.Hour)
		}
		timer.Reset(at.Sub(now))
		select {
		case <-timer.C:
		case <-c.poke:
		case d := <-s.found:
			if c.replaces(d, s) {
				return verdict{err: ErrSilent}, d
			}
		case err := <-end:
			c.mu.Lock()
			v := c.m.verdict
			c.mu.Unlock()
			if v.err == nil {
				v.err = err
			}
			return v, nil
		case <-c.stop.Done():
			return verdict{}, nil
		}
	}
}

// replaces reports whether a scout's connection is to take the place of the one there is: when that has been silent since
// the scout left. Else it is dropped.
func (c *Client) replaces(d *dialled, s *scout) bool {
	s.back()
	if d == nil {
		return false
	}
	c.mu.Lock()
	silent := c.m.suspect(time.Now())
	c.mu.Unlock()
	if !silent {
		d.conn.Drop()
	}
	return silent
}

// A scout looks for the server over a new connection while the one there is says nothing. It belongs to run's goroutine.
type scout struct {
	c       *Client
	r       *road
	found   chan *dialled // nil while nobody is under way; nil is sent when nobody answers.
	cancel  context.CancelFunc
	task    sync.WaitGroup
	lookAt  time.Time // Not before.
	retries backoff
}

// look sends somebody, unless somebody is under way, and returns when to do so again; zero: when that one is back.
func (s *scout) look(now time.Time) time.Time {
	if s.found != nil {
		return time.Time{}
	}
	if now.Before(s.lookAt) {
		return s.lookAt
	}
	if s.lookAt.IsZero() {
		s.c.mu.Lock()
		s.c.m.queue.add(Silent{})
		s.c.mu.Unlock()
		signal(s.c.queued)
	}
	ctx, cancel := context.WithTimeout(s.c.stop, connectWait)
	s.cancel = cancel
	found := make(chan *dialled, 1)
	s.found = found
	order := s.r.order.next(now, s.c.cfg.Transport)
	s.r.elsewhere(s.c.cfg) // Another server of the cluster first: this one says nothing.
	address := s.r.address
	// Owns one attempt; ends with it, or soon after cancel.
	s.task.Go(func() {
		conn, transport, err := race(ctx, order, raceHeadStart, func(ctx context.Context, transport string) (Conn, error) {
			return s.c.cfg.Dial(ctx, transport, address)
		})
		if err != nil {
			found <- nil
			return
		}
		found <- &dialled{conn, transport, address}
	})
	return time.Time{}
}

// back notes that the one under way has come back.
func (s *scout) back() {
	s.cancel()
	s.task.Wait()
	s.c.mu.Lock()
	s.lookAt = time.Now().Add(s.retries.next(s.c.m.rng))
	s.c.mu.Unlock()
	s.found = nil
}

// stop calls back the one under way and returns what it has found, nil if nothing.
func (s *scout) stop() (d *dialled) {
	if s.found == nil {
		return nil
	}
	s.cancel()
	s.task.Wait()
	d = <-s.found
	s.found = nil
	return d
}

// end notes that the client has ended: err is nil if Close was called.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	if err == nil {
		err = ErrClosed
	}
	c.m.end(time.Now(), err)
	c.m.change()
}

// read gives everything that comes to the machine.
func (c *Client) read(conn Conn) error {
	r := message.NewReader(&opening{conn: conn}, message.Config{MessageBytesMax: native.ReplyBytesMax, BufferBytes: readBytes})
	defer r.Close()
	garbled := 0 // In a row.
	for {
		b, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("client: the server closed the connection: %w", err)
			}
			return err
		}
		head, reply, err := native.DecodeReply(b)
		if err == nil {
			garbled = 0
		} else if garbled++; garbled > garbledMax {
			return fmt.Errorf("client: what the server sent makes no sense: %w", err)
		}
		c.mu.Lock()
		if err != nil {
			c.m.garbled(time.Now(), head, err)
		} else {
			c.m.handle(time.Now(), head, reply)
		}
		c.m.change()
		c.mu.Unlock()
		c.wake()
	}
}

// An opening reads what a server says, after a look at how it begins.
type opening struct {
	conn Conn
	head [openingBytes]byte
	n    int  // How many bytes of head have come.
	sure bool // They are of the native protocol.
}

func (o *opening) Read(b []byte) (int, error) {
	n, err := o.conn.Read(b)
	if o.sure {
		return n, err
	}
	o.n += copy(o.head[o.n:], b[:n])
	yes, sure := native.BeginsReplies(o.head[:o.n])
	if !yes {
		return 0, fmt.Errorf("%w: it begins with %q", ErrForeign, o.head[:o.n])
	}
	o.sure = sure
	return n, err
}

// write writes what the machine leaves.
func (c *Client) write(conn Conn, more <-chan struct{}, done <-chan struct{}) error {
	var spare []byte
	for {
		select {
		case <-more:
		case <-done:
			return nil
		}
		c.mu.Lock()
		b := c.m.out
		c.m.out = spare[:0]
		c.mu.Unlock()
		if len(b) == 0 {
			spare = b
			continue
		}
		if err := conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
			return err
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
		if spare = b; cap(spare) > frameBytesMax {
			spare = nil
		}
		c.wake() // There is room for more.
	}
}
