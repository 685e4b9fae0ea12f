package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// serve is the life of a session: sniff, serve, close, log. It returns when nothing of the session runs any more.
func (s *Server) serve(ctx context.Context, l *Listener, sess *session.Session, id uint64) {
	start := time.Now()
	proto := "none"
	f, err := s.sniff(ctx, l, sess)
	if err == nil {
		proto = f.Name()
		err = s.speak(ctx, f, sess, id)
	}
	if cause := sess.Err(); cause != nil {
		err = cause // It ended by itself, and the front-end only heard of it.
	}
	drain := sess.Close(err)
	s.logEnd(sess, id, proto, err, drain, time.Since(start))
}

// speak lets f serve the session. A panic is f's mistake about this one session, and must not end the others.
func (s *Server) speak(ctx context.Context, f front.Front, sess *session.Session, id uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(f, sess, id, p)
		}
	}()
	if err := f.Serve(ctx, sess, s.hub); err != nil {
		return err
	}
	return errNoReason
}

// panicked logs what the front-end did and returns the reason of the session's end, by which the line is found.
func (s *Server) panicked(f front.Front, sess *session.Session, id uint64, p any) error {
	ref := fmt.Sprintf("%04X", rand.IntN(1<<16))
	s.mu.Lock()
	s.stats.Panics++
	s.mu.Unlock()
	s.cfg.Logger.Error("front-end panicked", "ref", ref, "session", id, "proto", f.Name(),
		"peer", sess.RemoteAddr().String(), "err", printable(fmt.Errorf("%v", p)), "stack", string(debug.Stack()))
	return &panicError{ref}
}

// logEnd writes the one line that every session gets, unless there are too many: a stranger who opens and closes
// sessions, or sends datagrams from forged addresses, must not fill the disk.
func (s *Server) logEnd(sess *session.Session, id uint64, proto string, err, drain error, dur time.Duration) {
	if errors.Is(err, session.ErrSlow) {
		s.mu.Lock()
		s.stats.EndedSlow++
		s.mu.Unlock()
	}
	if !s.endLines.Allow() {
		if n, ok := s.unlogged.due(time.Now()); ok {
			s.cfg.Logger.Warn("too many sessions end for a line each", "count", n)
		}
		return
	}
	reason := reasonOf(err)
	if drain != nil {
		err = fmt.Errorf("%w (and then %w)", err, drain)
	}
	s.cfg.Logger.Info("session ended", "session", id, "proto", proto, "transport", sess.Transport(),
		"peer", sess.RemoteAddr().String(), "reason", reason, "err", printable(err), "dur", dur.Round(time.Millisecond))
}
