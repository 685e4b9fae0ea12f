package server

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"udpchat/chat"
	"udpchat/chat/session"
)

// A Server is a set of listeners and their sessions.
type Server struct {
	hub *chat.Hub // Constant after New.
	cfg Config    // With defaults. Constant after New.

	full, fullNetwork, tooFast, cannotAccept, unlogged notice

	endLines *rate.Limiter // Of "session ended". Constant; safe for concurrent use.

	mu       sync.Mutex
	ends     []context.CancelCauseFunc     // Guarded by mu: of every Serve there was, and its sessions; few.
	sessions map[*session.Session]struct{} // Guarded by mu: living.
	networks map[netip.Prefix]int          // Guarded by mu: living sessions, without exempt networks.
	active   int                           // Guarded by mu: running Serve calls and session goroutines.
	securing int                           // Guarded by mu: TLS handshakes under way.
	stopping bool                          // Guarded by mu: Shutdown was called.
	idle     chan struct{}                 // Constant; closed, with mu held, when stopping and nothing is active.
	lastID   uint64                        // Guarded by mu: the number of the newest session, for the log.
	stats    Stats                         // Guarded by mu: of ended sessions.
}

// New returns a server whose sessions talk to hub. Nothing happens before Serve.
func New(hub *chat.Hub, cfg Config) *Server {
	return &Server{
		hub:      hub,
		cfg:      cfg.withDefaults(),
		sessions: make(map[*session.Session]struct{}),
		networks: make(map[netip.Prefix]int),
		idle:     make(chan struct{}),
		endLines: rate.NewLimiter(endLinesPerSecond, endLinesBurst),
	}
}

// Serve accepts from l until l fails, ctx ends or Shutdown is called; it closes l. The sessions it began may live on,
// until Shutdown, which must be called in the end; the end of ctx tells their front-ends that the server shuts down. It
// returns nil after Shutdown, else why it ended. Several may run at the same time, each with its own listener.
func (s *Server) Serve(ctx context.Context, l Listener) error {
	if len(l.Fronts) == 0 {
		_ = l.Close() // It was of no use.
		return fmt.Errorf("server: listener %v has no front-ends", l.Addr())
	}
	ctx, end := context.WithCancelCause(ctx)
	if !s.begin(end) {
		end(ErrShutdown)
		_ = l.Close()
		return nil
	}
	defer s.release()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Ends Accept; an error says that it is closed.
	defer stop()

	err := s.accept(ctx, &l)
	_ = l.Close()
	switch {
	case s.isStopping():
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("server: accepting on %v: %w", l.Addr(), err)
}

// Shutdown stops accepting, ends the context of the front-ends, which take leave of their peers, and returns when all
// sessions have written what waited and everything has ended. If ctx ends first, it cuts the remaining sessions off and
// returns an error. It may be called again to wait again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	s.checkIdleLocked()
	ends := s.ends
	s.mu.Unlock()

	for _, end := range ends {
		end(ErrShutdown)
	}
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
	}
	cut := s.abortAll()
	grace := time.NewTimer(abortGrace)
	defer grace.Stop()
	select {
	case <-s.idle:
		return fmt.Errorf("server: %d sessions cut off: %w", cut, context.Cause(ctx))
	case <-grace.C:
		return fmt.Errorf("server: %d sessions do not end: %w", s.Stats().Sessions, context.Cause(ctx))
	}
}

// abortAll ends all sessions at once, with those that their clients called back, and returns how many there were.
func (s *Server) abortAll() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sess := range s.sessions {
		sess.AbortAll(ErrShutdown)
	}
	return len(s.sessions)
}

// begin notes how to end a Serve and its sessions, unless the server is stopping.
func (s *Server) begin(end context.CancelCauseFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.ends = append(s.ends, end)
	s.active++
	return true
}

// release is the end of a Serve or of a session.
func (s *Server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	s.checkIdleLocked()
}

// checkIdleLocked tells Shutdown when nothing runs any more. Nothing can begin after that.
func (s *Server) checkIdleLocked() {
	if !s.stopping || s.active > 0 {
		return
	}
	select {
	case <-s.idle: // Closed before.
	default:
		close(s.idle)
	}
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}
