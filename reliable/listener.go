package reliable

import (
	"fmt"
	"net"
	"sync"
)

// Listener returns the endpoint as a net.Listener whose Close only stops accepting: connections live on, as they do
// after closing a TCP listener.
func (e *Endpoint) Listener() net.Listener { return listener{e} }

type listener struct{ *Endpoint }

// Close stops accepting.
func (l listener) Close() error { l.stopAccepting(); return nil }

// StreamListener returns a net.Listener for the streams that the peers of all connections open, with
// Config.StreamBacklog. What it accepts is a *Stream. Its Close refuses further streams and those that wait, and nothing
// else; it is closed with the endpoint.
func (e *Endpoint) StreamListener() net.Listener { return &streamListener{e} }

type streamListener struct{ e *Endpoint }

// Accept returns the next stream that somebody opened. After Close it returns an error that matches net.ErrClosed.
func (l *streamListener) Accept() (net.Conn, error) {
	q := &l.e.streams
	if !isClosed(q.closing) {
		select {
		case s := <-q.waiting:
			return s, nil
		case <-q.closing:
		}
	}
	return nil, fmt.Errorf("reliable: accepting streams: %w", net.ErrClosed)
}

func (l *streamListener) Addr() net.Addr { return l.e.Addr() }

func (l *streamListener) Close() error { l.e.streams.close(); return nil }

// A streamQueue holds streams that peers have opened until they are accepted.
type streamQueue struct {
	waiting chan *Stream
	closing chan struct{}
	mu      sync.Mutex // held to put something in and to close; inside Conn.mu
}

func (q *streamQueue) init(backlog int) {
	q.waiting, q.closing = make(chan *Stream, backlog), make(chan struct{})
}

// offer puts a stream in. It reports false if nobody will accept it.
func (q *streamQueue) offer(s *Stream) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if isClosed(q.closing) {
		return false
	}
	select {
	case q.waiting <- s:
		return true
	default:
		return false
	}
}

// close refuses streams from now on.
func (q *streamQueue) close() {
	q.mu.Lock()
	if !isClosed(q.closing) {
		close(q.closing)
	}
	q.mu.Unlock()
	for {
		select {
		case s := <-q.waiting:
			s.Abort(CodeFull)
		default:
			return
		}
	}
}
