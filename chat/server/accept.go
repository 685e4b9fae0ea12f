package server

import (
	"context"
	"net"
	"net/netip"
	"time"

	"udpchat/chat/session"
)

// accept makes sessions of l's connections until l fails. It returns why.
func (s *Server) accept(ctx context.Context, l *Listener) error {
	g := newGate(s.cfg)
	backoff := acceptBackoffMin
	for {
		conn, err := l.Accept()
		if err == nil {
			backoff = acceptBackoffMin
			s.admit(ctx, l, g, conn)
			continue
		}
		if ctx.Err() != nil || !canRetry(err) {
			return err
		}
		s.acceptFailed(l, err, backoff)
		wait := time.NewTimer(backoff)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return err
		}
		backoff = min(2*backoff, acceptBackoffMax)
	}
}

func (s *Server) acceptFailed(l *Listener, err error, wait time.Duration) {
	s.mu.Lock()
	s.stats.AcceptErrors++
	s.mu.Unlock()
	if n, ok := s.cannotAccept.due(time.Now()); ok {
		s.cfg.Logger.Warn("cannot accept connections, trying again", "listener", l.Addr().String(),
			"err", err, "count", n, "wait", wait)
	}
}

// admit makes a session of conn, or refuses it.
func (s *Server) admit(ctx context.Context, l *Listener, g *gate, conn net.Conn) {
	prepare(conn)
	cfg := session.Config{OutboxBytes: s.cfg.OutboxBytes, Transport: l.Transport, DrainTimeout: s.cfg.DrainTimeout}
	if l.Call != nil {
		cfg.Call = l.Call(conn)
	}
	sess := session.New(conn, cfg)
	from, limited := network(sess.RemoteAddr().Addr())
	if limited && !g.admit(time.Now(), from) {
		s.refuse(sess, errTooFast)
		return
	}
	id, refusal := s.reserve(sess, from, limited)
	if refusal != nil {
		s.refuse(sess, refusal)
		return
	}
	// Owns reading from the session and its end. Ends when the front-end returns, at the latest soon after the end of
	// ctx; Shutdown waits for it.
	go func() {
		defer s.release()
		s.serve(ctx, l, sess, id)
		s.forget(sess, from, limited)
	}()
}

// reserve makes room for a session and returns its number, or why there is none.
func (s *Server) reserve(sess *session.Session, from netip.Prefix, limited bool) (id uint64, refusal error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return 0, ErrShutdown
	case len(s.sessions) >= s.cfg.SessionsMax:
		return 0, errFull
	case limited && s.networks[from] >= s.cfg.SessionsPerNetworkMax:
		return 0, errFullNetwork
	}
	if limited {
		s.networks[from]++
	}
	s.sessions[sess] = struct{}{}
	s.active++
	s.stats.Accepted++
	s.lastID++
	return s.lastID, nil
}

// forget gives back what reserve took. The session has ended.
func (s *Server) forget(sess *session.Session, from netip.Prefix, limited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sess)
	if limited {
		if s.networks[from]--; s.networks[from] == 0 {
			delete(s.networks, from)
		}
	}
	s.stats.Ended++
	s.stats.add(sess.Stats())
}

// refuse closes a connection that becomes no session.
func (s *Server) refuse(sess *session.Session, reason error) {
	peer := sess.RemoteAddr()
	sess.Abort(reason)
	_ = sess.Close(reason) // Nothing waits, so it cannot fail or take time.

	var n *notice
	s.mu.Lock()
	switch reason {
	case errTooFast:
		s.stats.RefusedRate++
		n = &s.tooFast
	case errFullNetwork:
		s.stats.RefusedNetwork++
		n = &s.fullNetwork
	case errFull:
		s.stats.RefusedFull++
		n = &s.full
	}
	s.mu.Unlock()
	if n == nil {
		return // Shutting down.
	}
	if count, ok := n.due(time.Now()); ok {
		s.cfg.Logger.Warn("sessions refused", "reason", reason, "peer", peer.String(), "count", count,
			"sessions_max", s.cfg.SessionsMax, "sessions_per_network_max", s.cfg.SessionsPerNetworkMax,
			"accept_per_second", s.cfg.AcceptPerSecond, "accept_burst", s.cfg.AcceptBurst)
	}
}

// prepare sets what matters on TCP: messages leave at once, and peers that vanished are noticed. An error means that
// the connection is broken, which its first use will show.
func prepare(conn net.Conn) {
	for {
		outer, ok := conn.(interface{ NetConn() net.Conn }) // TLS.
		if !ok {
			break
		}
		conn = outer.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetNoDelay(true)
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		})
	}
}
