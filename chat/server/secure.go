package server

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// sniff finds the session's front-end, inside TLS if the peer begins with it and the listener has it.
func (s *Server) sniff(ctx context.Context, l *Listener, sess *session.Session) (front.Front, error) {
	// A peer that has said nothing yet must not hold up the shutdown.
	stop := context.AfterFunc(ctx, func() { _ = sess.Close(ErrShutdown) }) // serve hears of an error.
	defer stop()
	if l.TLS == nil {
		return front.Sniff(sess, l.Fronts, s.cfg.SniffTimeout)
	}
	f, err := front.Sniff(sess, l.withTLS(), s.cfg.SniffTimeout)
	switch f := f.(type) {
	case clientHello:
		if err := s.secure(sess, l.TLS); err != nil {
			return nil, err
		}
		return front.Sniff(sess, l.Fronts, s.cfg.SniffTimeout)
	case unseen:
		return f.Front, err
	}
	return f, err
}

// secure does the server's part of the TLS handshake.
func (s *Server) secure(sess *session.Session, config *tls.Config) error {
	if !s.reserveHandshake() {
		return errHandshakes
	}
	defer s.releaseHandshake()
	return sess.Upgrade(session.TransportTLS, func(conn net.Conn) (net.Conn, error) {
		if err := conn.SetDeadline(time.Now().Add(s.cfg.HandshakeTimeout)); err != nil {
			return nil, err
		}
		secured := tls.Server(conn, config)
		return secured, secured.Handshake()
	})
}

func (s *Server) reserveHandshake() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.securing >= handshakesMax {
		s.stats.RefusedTLS++
		return false
	}
	s.securing++
	return true
}

func (s *Server) releaseHandshake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.securing--
}

// withTLS returns what may begin a session: a TLS handshake, or what the front-ends know.
func (l *Listener) withTLS() []front.Front {
	if len(l.Fronts) == 1 {
		return []front.Front{clientHello{}, unseen{l.Fronts[0]}}
	}
	return append([]front.Front{clientHello{}}, l.Fronts...)
}

// A clientHello stands among the front-ends for the beginning of TLS. It serves nothing.
type clientHello struct{ front.Front }

// Match looks for the record with the client's first message: its type, and a version from 3.1 on (RFC 8446, 5.1). Two
// bytes are not enough: the length that begins a message of one of the protocols may have them, too.
func (clientHello) Match(prefix []byte) front.Match {
	const handshake, major = 0x16, 3
	switch {
	case prefix[0] != handshake || len(prefix) > 1 && prefix[1] != major || len(prefix) > 2 && (prefix[2] < 1 || prefix[2] > 3):
		return front.No
	case len(prefix) < 3:
		return front.More
	}
	return front.Yes
}

// An unseen is the only front-end of a listener: whatever is no TLS is for it.
type unseen struct{ front.Front }

// Match says yes to what cannot be TLS.
func (unseen) Match(prefix []byte) front.Match {
	if (clientHello{}).Match(prefix) == front.No {
		return front.Yes
	}
	return front.More
}
