package reliable

import (
	"context"
	"io"
	"net"
	"slices"
	"time"
)

// A Stream is one of several ordered streams of bytes on a connection. It is a net.Conn: all methods are safe for concurrent
// use. Streams do not wait for each other: a loss on one does not hold up another, and a transfer on a bulk stream does
// not delay what express streams say.
//
// Each direction ends by itself. A stream ends with its connection at the latest; closing the connection delivers what was
// written to its streams, as closing a stream does. Whoever has a stream must read it to the end, Close or Abort it.
type Stream struct {
	port
	c  *Conn
	l  Lane
	s  *MachineStream // owned by the turn; nil: not opened yet, or that failed
	id uint32         // guarded by c.mu; set with opened

	opened latch  // guarded by c.mu; the turn has looked at OpenStream
	ending bool   // guarded by c.mu; CloseWrite was called
	closed bool   // guarded by c.mu; Close was called
	abort  bool   // guarded by c.mu; Abort was called
	code   uint32 // guarded by c.mu; of Abort
	ended  bool   // guarded by c.mu; the peer's end was read by the turn
	err    error  // guarded by c.mu; why it was broken off, or could not be opened

	away    bool      // guarded by c.mu; the machine has something that has not been acknowledged
	arrived time.Time // guarded by c.mu; when it last had not
}

// streamSet are the further streams of a connection.
type streamSet struct {
	asked []*Stream     // guarded by Conn.mu; OpenStream waits for them
	list  []*Stream     // guarded by Conn.mu; those that are not over, but for what is to be read
	queue []*Stream     // guarded by Conn.mu; for AcceptStream
	news  chan struct{} // one token: look at queue
}

// setLocked returns the connection's further streams.
func (c *Conn) setLocked() *streamSet {
	if c.streams == nil {
		c.streams = &streamSet{news: make(chan struct{}, 1)}
	}
	return c.streams
}

func (c *Conn) newStream(l Lane) *Stream {
	s := &Stream{c: c, l: l}
	s.init(c)
	return s
}

// OpenStream begins a stream, at once: the peer hears of it with the next packets, but may refuse it (Config.Streams), which
// shows as a *StreamError with CodeFull when it is used. It fails when the connection has ended, and when 64 express or 4 bulk streams
// of ours are open.
func (c *Conn) OpenStream(l Lane) (*Stream, error) {
	s := c.newStream(l)
	c.mu.Lock()
	if c.err != nil || c.shut() {
		defer c.mu.Unlock()
		return nil, c.writeEnd()
	}
	set := c.setLocked()
	set.asked = append(set.asked, s)
	opened, ended := s.opened.wait(), c.ended.wait()
	c.mu.Unlock()
	c.e.workers.push(c)
	select {
	case <-opened:
	case <-ended:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.err != nil && s.s == nil:
		return nil, s.err
	case !s.opened.set:
		return nil, c.writeEnd()
	}
	return s, nil
}

// AcceptStream returns the next stream the peer has opened. It waits for one until ctx is done or the connection has ended.
// Config.Streams says how many there may be.
func (c *Conn) AcceptStream(ctx context.Context) (*Stream, error) {
	for {
		c.mu.Lock()
		set := c.setLocked()
		if len(set.queue) > 0 {
			s := set.queue[0]
			set.queue = slices.Delete(set.queue, 0, 1)
			if len(set.queue) > 0 {
				notify(set.news)
			}
			c.mu.Unlock()
			return s, nil
		}
		if c.err != nil || c.shut() {
			defer c.mu.Unlock()
			return nil, c.endError()
		}
		ended := c.ended.wait()
		c.mu.Unlock()
		select {
		case <-set.news:
		case <-ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// feedStreamsLocked hands the machine what applications did with the further streams.
func (c *Conn) feedStreamsLocked() {
	if c.streams == nil {
		return
	}
	for _, s := range c.streams.asked {
		if s.s, s.err = c.m.OpenStream(s.l); s.s != nil {
			s.id = s.s.ID()
			c.streams.list = append(c.streams.list, s)
		}
		s.opened.happen()
	}
	c.streams.asked = nil
	for _, s := range c.streams.list {
		s.away = s.away || s.out.len() > 0
		s.take(s.s.Write)
		switch {
		case s.abort:
			s.s.Reset(s.code)
		case s.out.len() > 0:
		case s.closed:
			s.s.Close()
		case s.ending:
			s.s.CloseWrite()
		}
	}
}

// publishStreamsLocked makes visible what the machine has of the further streams.
func (c *Conn) publishStreamsLocked() {
	for m := c.m.AcceptStream(); m != nil; m = c.m.AcceptStream() {
		s := c.newStream(m.Lane())
		s.s, s.id = m, m.ID()
		set := c.setLocked()
		set.list = append(set.list, s)
		switch {
		case c.e.cfg.StreamBacklog == 0:
			set.queue = append(set.queue, s)
			notify(set.news)
		case c.leaving != nil || !c.e.streams.offer(s):
			s.abort, s.code = true, CodeFull
			c.e.workers.push(c) // For another turn.
		}
	}
	if c.streams == nil {
		return
	}
	if c.err != nil {
		notify(c.streams.news)
	}
	c.streams.list = slices.DeleteFunc(c.streams.list, func(s *Stream) bool {
		if s.shut() {
			s.in = fifo{}
		} else if s.pull(c, s.s.Read, c.err != nil) {
			s.readable.wake()
		}
		if s.away && !s.s.Waiting() {
			s.away, s.arrived = false, time.Now()
		}
		if s.s.Ended() != s.ended || s.s.Err() != s.err || c.err != nil {
			s.ended, s.err = s.s.Ended(), s.s.Err()
			s.wake()
		}
		return s.s.Gone()
	})
}

func (s *Stream) shut() bool { return s.closed || s.abort || s.c.closed }

func (s *Stream) readEnd() error {
	switch {
	case s.shut():
		return net.ErrClosed
	case s.err != nil:
		return s.err
	case s.ended:
		return io.EOF
	case s.c.err != nil:
		return s.c.endError()
	}
	return nil
}

func (s *Stream) writeEnd() error {
	switch {
	case s.shut() || s.ending:
		return net.ErrClosed
	case s.err != nil:
		return s.err
	case s.c.err != nil:
		return s.c.writeEnd()
	}
	return nil
}

// Read reads bytes in order. At the end of what the peer wrote it returns io.EOF; a *StreamError if the stream was broken
// off, and what Conn.Read returns if the connection ended.
func (s *Stream) Read(p []byte) (int, error) { return s.read(s.c, s, p) }

// Write queues p and returns when all of it is queued; it blocks while too much is waiting.
func (s *Stream) Write(p []byte) (int, error) { return s.write(s.c, s, p) }

// Arrived reports whether the peer has acknowledged all that was written, so that it is there to be read, and since when that
// is known; the zero time if nothing was written yet.
func (s *Stream) Arrived() (since time.Time, all bool) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.arrived, s.out.len() == 0 && !s.away
}

// CloseWrite ends what this side writes, in order: the peer reads all of it and then io.EOF. Reading goes on.
func (s *Stream) CloseWrite() error { return s.finish(func() { s.ending = true }) }

// Close ends the stream: what was written is still delivered, in the background. A peer that writes on after that is told that
// nobody reads.
func (s *Stream) Close() error { return s.finish(func() { s.closed = true }) }

// Abort breaks the stream off in both directions; the peer gets the code as a *StreamError. What is on the way may be lost.
func (s *Stream) Abort(code uint32) {
	_ = s.finish(func() { s.abort, s.code = true, code }) // It has no errors.
}

func (s *Stream) finish(how func()) error {
	s.c.mu.Lock()
	how()
	s.wake()
	s.c.checkLeavingLocked()
	s.c.mu.Unlock()
	s.c.e.workers.push(s.c)
	return nil
}

// ID returns the stream's number, the same on both sides.
func (s *Stream) ID() uint32 { return s.id }

// Lane returns the stream's lane.
func (s *Stream) Lane() Lane { return s.l }

// Conn returns the connection.
func (s *Stream) Conn() *Conn { return s.c }

// LocalAddr returns the connection's.
func (s *Stream) LocalAddr() net.Addr { return s.c.LocalAddr() }

// RemoteAddr returns the connection's.
func (s *Stream) RemoteAddr() net.Addr { return s.c.RemoteAddr() }

// SetDeadline sets both deadlines; see net.Conn.
func (s *Stream) SetDeadline(t time.Time) error { return s.setLimits(s.c, t, true, true) }

// SetReadDeadline sets when Read gives up with an error that is Timeout(). The zero time means never.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.setLimits(s.c, t, true, false) }

// SetWriteDeadline is SetReadDeadline for Write.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.setLimits(s.c, t, false, true) }
