package session

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Close ends the session in order: nothing more is accepted, what waits is written for at most Config.DrainTimeout,
// then the connection is closed. It returns when nothing of the session runs any more, with an error if something
// could not be written. If the session has ended before, that reason stays and Close only waits. A nil reason is
// net.ErrClosed.
func (s *Session) Close(reason error) error {
	s.mu.Lock()
	if s.end == nil {
		s.endLocked(reason)
		// Errors here mean that the connection is broken, which the writer finds out next.
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.cfg.DrainTimeout))
		_ = s.conn.SetReadDeadline(longAgo())
		if !s.writing {
			s.startWriterLocked(nil)
		}
	}
	end := s.end
	s.mu.Unlock()

	s.writer.Wait() // There will be no other writer: see writing.
	s.mu.Lock()
	defer s.mu.Unlock()
	return end.drain
}

// Abort ends the session at once: what waits is thrown away, also if Close is still writing it. It does not wait and
// may be called anywhere; somebody still has to call Close. A nil reason is net.ErrClosed.
func (s *Session) Abort(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abortLocked(reason)
}

// AbortAll is Abort for the session and for those that Call returned or will return.
func (s *Session) AbortAll(reason error) {
	s.mu.Lock()
	s.cut = true
	s.abortLocked(reason)
	called := s.called
	s.called = nil
	s.mu.Unlock()
	for _, c := range called {
		c.Abort(reason)
	}
}

// Err returns why the session ended: what Close or Abort was given, ErrSlow, or the error of a failed write. It is nil
// while the session lives; the peer's closing the connection is seen by Read and does not end the session.
func (s *Session) Err() error {
	if end := s.ended(); end != nil {
		return end.reason
	}
	return nil
}

// Done returns a channel that is closed when the session has ended, which is before its connection is closed.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.end != nil {
			close(s.done)
		}
	}
	return s.done
}

// ended returns the session's end, or nil while it lives.
func (s *Session) ended() *ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// closed reports whether the session's connection has been closed. Locks nest from a session to those it called.
func (s *Session) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end != nil && s.end.closed
}

// endLocked marks the session as ended.
func (s *Session) endLocked(reason error) {
	if reason == nil {
		reason = net.ErrClosed
	}
	s.end = &ending{reason: reason}
	if s.done != nil {
		close(s.done)
	}
	s.wroteLocked()
}

// abortLocked ends the session, or an orderly end that is under way, without writing anything more. The deadlines in
// the past wake the reader and the writer, and the writer closes the connection: closing may block (TLS says good-bye,
// reliable connections wait for acknowledgements), and the caller may hold a room's lock.
func (s *Session) abortLocked(reason error) {
	if s.end == nil {
		s.endLocked(reason)
	}
	if s.end.aborted {
		return
	}
	s.end.aborted = true
	s.queue = nil
	_ = s.conn.SetDeadline(longAgo()) // An error means that the connection is closed already.
	if !s.writing {
		s.startWriterLocked(nil)
	}
}

// closeConn closes the connection. Only the writer of an ended session calls it, once.
func (s *Session) closeConn() {
	s.mu.Lock()
	aborted := s.end.aborted
	conn := s.conn // For good: an ended session is not upgraded any more.
	s.mu.Unlock()

	var err error
	if aborted {
		abandon(conn, s.end.reason)
	} else {
		linger(conn)
		err = conn.Close()
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.queuedBytes = nil, 0
	s.end.closed = true
	if err != nil && s.end.drain == nil {
		s.end.drain = fmt.Errorf("session: close: %w", err)
	}
}

// linger says on connections that can (TCP and TLS) that we have said everything, and waits a little for the peer to
// do the same, so that our last words are not lost to a reset. Its errors mean that there is nobody to wait for.
func linger(conn net.Conn) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || conn.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	buf := make([]byte, lingerBytes)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// abandon closes conn without delivering anything more: TLS would try to say good-bye for five seconds, a reliable
// connection would go on sending for as long, and the kernel would keep what a slow TCP peer does not take for minutes.
// Nobody can do anything about its errors.
func abandon(conn net.Conn, reason error) {
	for {
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = outer.NetConn()
	}
	say, ok := errors.AsType[*Reason](reason)
	if !ok {
		say = errAborted
	}
	switch c := conn.(type) {
	case interface {
		Abort(code uint32, text string)
	}:
		c.Abort(say.Code, say.Text)
	case interface{ Abort(code uint32) }: // A stream has no words for it.
		c.Abort(say.Code)
	case interface{ SetLinger(sec int) error }:
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}

// longAgo is a deadline that has passed, also on the clocks of simulations.
func longAgo() time.Time { return time.Unix(1, 0) }
