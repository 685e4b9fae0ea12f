package session

import (
	"net"
	"time"
)

// Upgrade puts a layer such as TLS between the session and its connection, and changes the session's transport to the
// name given. The function gets the connection, whose first bytes are those that Unread gave back, and returns what the
// session is to use from now on; it may read, write and block, and fails when the session ends meanwhile. When it
// returns an error the session must be ended. Only the reader may call it, before anything was queued.
//
// What it returns has a method NetConn by which the connection below is found, as TLS has.
func (s *Session) Upgrade(transport string, layer func(net.Conn) (net.Conn, error)) error {
	conn, err := layer(&resumed{s.conn, s.unread})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return s.end
	}
	if err != nil {
		return err
	}
	s.conn, s.cfg.Transport, s.unread = conn, transport, nil
	return conn.SetReadDeadline(time.Time{}) // What the layer may have left behind.
}

// A resumed is a connection of which some bytes are to be read again.
type resumed struct {
	net.Conn
	unread []byte // Owned by the reader.
}

// Read reads first what is to be read again.
func (c *resumed) Read(p []byte) (int, error) {
	if len(c.unread) > 0 {
		n := copy(p, c.unread)
		if c.unread = c.unread[n:]; len(c.unread) == 0 {
			c.unread = nil // Else an idle session would keep the array.
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// NetConn returns the connection below.
func (c *resumed) NetConn() net.Conn { return c.Conn }

// Direct lets f use the session's connection itself, from what Unread gave back on, and close it, for protocols that need
// what a session cannot do, such as ending one direction alone. It returns what f returns, or why the session ended
// meanwhile: its end closes the connection, and f must return then. Only the reader may call it, when nothing waits in
// the outbox, and nothing may be queued after it. What passes is not counted.
func (s *Session) Direct(f func(net.Conn) error) error {
	unread := s.unread
	s.unread = nil
	err := f(&resumed{s.conn, unread})
	if end := s.ended(); end != nil {
		return end
	}
	return err
}
