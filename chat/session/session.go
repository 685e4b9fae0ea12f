package session

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Session is a connection with a bounded outbox. See the package comment for who may call what.
//
// There may be very many of them, nearly all idle, so every field has to be worth its bytes.
type Session struct {
	conn net.Conn // Constant after New but for Upgrade, which changes it with mu held, while there is no writer.
	cfg  Config   // Constant after New but for the transport, which changes with conn.

	unread        []byte        // Owned by the reader: bytes to read again before those of conn.
	receivedBytes atomic.Uint64 // Written by the reader.

	writer sync.WaitGroup // Holds the writer while there is one.

	mu             sync.Mutex    // Held over setting deadlines, which does not block, and over no other use of conn.
	queue          [][]byte      // Guarded by mu: what the writer has to take next; nil while idle.
	queuedBytes    int           // Guarded by mu: in queue or being written.
	queuedBytesMax int           // Guarded by mu.
	sentBytes      uint64        // Guarded by mu.
	sentMessages   uint64        // Guarded by mu.
	writes         uint64        // Guarded by mu.
	end            *ending       // Guarded by mu: nil while the session lives, then constant.
	done           chan struct{} // Guarded by mu: made when first asked for, closed when end is set.
	written        chan struct{} // Guarded by mu: made when somebody waits in Drained, closed by the next write.
	called         []*Session    // Guarded by mu: what Call has returned and is not known to be closed.
	cut            bool          // Guarded by mu: AbortAll was called.

	// writing is guarded by mu: there is a writer. The one that finds end set closes conn and leaves writing set, so
	// that no other can start after it.
	writing bool
}

// New makes a session of conn, which from now on belongs to the session.
func New(conn net.Conn, cfg Config) *Session {
	return &Session{conn: conn, cfg: cfg.withDefaults()}
}

// Read reads like a net.Conn: first what Unread gave back, then from the connection. Once the session has ended it
// returns an error that matches net.ErrClosed and the reason. Only one goroutine may read.
func (s *Session) Read(p []byte) (int, error) {
	if end := s.ended(); end != nil {
		return 0, end
	}
	if len(s.unread) > 0 {
		n := copy(p, s.unread)
		s.unread = s.unread[n:]
		if len(s.unread) == 0 {
			s.unread = nil // Else an idle session would keep the array.
		}
		return n, nil
	}
	n, err := s.conn.Read(p)
	s.receivedBytes.Add(uint64(n))
	if err != nil {
		// Ending a session wakes its reader by a deadline; the reason says more than "timeout".
		if end := s.ended(); end != nil {
			return n, end
		}
	}
	return n, err
}

// Unread gives p back: the next Read returns it before anything else. It copies p. Only the reader may call it.
func (s *Session) Unread(p []byte) {
	if len(p) == 0 {
		return
	}
	b := make([]byte, 0, len(p)+len(s.unread))
	s.unread = append(append(b, p...), s.unread...)
}

// SetReadDeadline sets the time after which Read fails with a timeout; the zero time means never. Set in the past by
// any goroutine, it wakes the reader.
func (s *Session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return s.end // The end has woken the reader for good; a later deadline must not put it back to sleep.
	}
	return s.conn.SetReadDeadline(t)
}

// Proven says that the peer's address is proven, because something came back that only its owner could know. It
// matters to connections that limit what they send to an unproven address; others ignore it.
func (s *Session) Proven() {
	if c, ok := s.conn.(interface{ Proven() }); ok {
		c.Proven()
	}
}

// Alive says that the peer is there, because it was heard on another session. It matters to connections that end when
// nothing comes from their peer's address; others ignore it.
func (s *Session) Alive() {
	if c, ok := s.conn.(interface{ Alive() }); ok {
		c.Alive()
	}
}

// Call has the client that listens at addr open a connection to us and returns it as a session with the same limits,
// which the caller must Close. It returns ErrNoCallback if the transport knows no callbacks. It blocks until the
// client has called back or ctx ends.
func (s *Session) Call(ctx context.Context, addr netip.AddrPort) (*Session, error) {
	if s.cfg.Call == nil {
		return nil, ErrNoCallback
	}
	conn, err := s.cfg.Call(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("session: calling %v: %w", addr, err)
	}
	called := New(conn, s.cfg)
	s.mu.Lock()
	cut := s.cut
	s.called = append(slices.DeleteFunc(s.called, (*Session).closed), called)
	s.mu.Unlock()
	if cut {
		called.Abort(nil)
	}
	return called, nil
}

// Transport returns the transport's name as in Config.
func (s *Session) Transport() string { return s.cfg.Transport }

// Encrypted reports whether nobody on the way can read or change what passes, and the peer could check whom it reached.
func (s *Session) Encrypted() bool {
	switch s.cfg.Transport {
	case TransportUDP, TransportStream, TransportTLS:
		return true
	}
	return false
}

// LocalAddr returns the address at which the peer reached us, or the zero value if it has no IP address.
func (s *Session) LocalAddr() netip.AddrPort { return addrPort(s.conn.LocalAddr()) }

// RemoteAddr returns the peer's address, which may change while the session lives, or the zero value if it has no IP
// address.
func (s *Session) RemoteAddr() netip.AddrPort { return addrPort(s.conn.RemoteAddr()) }

// addrPort returns a as a plain IPv4 or IPv6 address: dual-stack sockets show IPv4 peers as ::ffff:1.2.3.4, which the
// protocols must not repeat.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case nil:
		return netip.AddrPort{}
	case interface{ AddrPort() netip.AddrPort }:
		ap = a.AddrPort()
	default:
		parsed, err := netip.ParseAddrPort(a.String())
		if err != nil {
			return netip.AddrPort{} // A pipe or the like: no IP address is the answer.
		}
		ap = parsed
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
