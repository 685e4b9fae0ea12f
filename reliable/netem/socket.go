package netem

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Socket is a UDP socket of a Network, a net.PacketConn. Addresses it takes and gives are
// *net.UDPAddr. Reading blocks, with deadlines and net.ErrClosed as package net has them; writing
// never blocks.
type Socket struct {
	net   *Network
	local netip.AddrPort // As ListenPacket gave it.

	public       netip.AddrPort // Where it can be reached. All below is guarded by net.mu.
	waiting      []arrived
	waitingBytes int // Including headers.
	bufferBytes  int
	dropped      uint64
	closed       bool

	readable      sync.Cond // Broadcast when waiting, readDeadline or closed change.
	readDeadline  time.Time
	writeDeadline time.Time
	alarm         alarm // Rings at readDeadline.
}

type arrived struct {
	data []byte
	from netip.AddrPort
	ecn  ECN
}

var _ net.PacketConn = (*Socket)(nil)

func newSocket(n *Network, addr netip.AddrPort) *Socket {
	s := &Socket{net: n, local: addr, public: addr, bufferBytes: receiveBytesDefault}
	s.readable.L = &n.mu
	s.alarm = alarm{mu: &n.mu, wg: &n.wg, ring: s.deadlineLocked}
	return s
}

// ReadFrom waits for a datagram. What does not fit into b is lost.
func (s *Socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom without allocating the address.
func (s *Socket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, _, err := s.ReadMarked(b)
	return n, from, err
}

// ReadMarked is ReadFromUDPAddrPort that tells the datagram's mark, too.
func (s *Socket) ReadMarked(b []byte) (n int, from netip.AddrPort, ecn ECN, err error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, netip.AddrPort{}, NotECT, s.opError("read", net.ErrClosed)
		case passed(s.readDeadline):
			return 0, netip.AddrPort{}, NotECT, s.opError("read", os.ErrDeadlineExceeded)
		case len(s.waiting) > 0:
			first := s.waiting[0]
			s.waiting[0] = arrived{}
			s.waiting = s.waiting[1:]
			s.waitingBytes -= len(first.data) + headerBytes
			return copy(b, first.data), first.from, first.ecn, nil
		}
		s.readable.Wait()
	}
}

// WriteTo sends b to a *net.UDPAddr. It copies b.
func (s *Socket) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok || addr == nil {
		return 0, s.opError("write", errors.New("netem: not a *net.UDPAddr"))
	}
	return s.WriteToUDPAddrPort(b, addr.AddrPort())
}

// WriteToUDPAddrPort is WriteTo for a netip.AddrPort.
func (s *Socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.WriteMarked(b, to, NotECT)
}

// WriteMarked is WriteToUDPAddrPort for a datagram with a mark.
func (s *Socket) WriteMarked(b []byte, to netip.AddrPort, ecn ECN) (int, error) {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.closed:
		return 0, s.opError("write", net.ErrClosed)
	case passed(s.writeDeadline):
		return 0, s.opError("write", os.ErrDeadlineExceeded)
	case len(b) > datagramBytesMax:
		return 0, s.opError("write", errors.New("netem: message too long"))
	case !to.IsValid():
		return 0, s.opError("write", errors.New("netem: no destination"))
	}
	s.net.sendLocked(s, b, unmap(to), ecn)
	return len(b), nil
}

// Rebind changes the address at which others see and reach the socket, as a NAT does that forgot it or
// a phone that changes from Wi-Fi to mobile. What is on the way to the old address is lost; the paths
// stay the same. LocalAddr does not change: the program behind a NAT does not notice.
func (s *Socket) Rebind(to netip.AddrPort) error {
	n := s.net
	n.mu.Lock()
	defer n.mu.Unlock()
	n.runLocked() // What has arrived by now has arrived.
	to = unmap(to)
	switch {
	case s.closed:
		return s.opError("rebind", net.ErrClosed)
	case !to.IsValid() || to.Addr().IsUnspecified() || to.Port() == 0:
		return s.opError("rebind", errors.New("netem: not a specific address"))
	case n.sockets[to] == s:
		return nil
	case n.sockets[to] != nil:
		return s.opError("rebind", errInUse)
	}
	n.rebindLocked(s, to)
	return nil
}

// Public returns the address at which others see and reach the socket.
func (s *Socket) Public() netip.AddrPort {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return s.public
}

// LocalAddr returns the address of ListenPacket, a *net.UDPAddr.
func (s *Socket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.local) }

// Dropped counts the datagrams that arrived when the receive buffer was full.
func (s *Socket) Dropped() uint64 {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return s.dropped
}

// SetReadBuffer bounds the bytes, headers included, that wait to be read.
func (s *Socket) SetReadBuffer(bytes int) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.bufferBytes = bytes
	return nil
}

// SetWriteBuffer does nothing: a write never waits.
func (s *Socket) SetWriteBuffer(int) error { return nil }

// SetDeadline sets both deadlines.
func (s *Socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline ends waiting and future reads at t; the zero time means never.
func (s *Socket) SetReadDeadline(t time.Time) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.closed {
		return s.opError("set", net.ErrClosed)
	}
	s.readDeadline = t
	s.deadlineLocked()
	return nil
}

// SetWriteDeadline refuses writes after t; the zero time means never.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.closed {
		return s.opError("set", net.ErrClosed)
	}
	s.writeDeadline = t
	return nil
}

// Close closes the socket; what it has sent arrives. Readers return net.ErrClosed.
func (s *Socket) Close() error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.closed {
		return s.opError("close", net.ErrClosed)
	}
	s.closeLocked()
	return nil
}

func (s *Socket) closeLocked() {
	s.closed = true
	s.waiting, s.waitingBytes = nil, 0
	delete(s.net.sockets, s.public)
	s.net.forgetPathsLocked(s.public)
	s.alarm.stopLocked()
	s.readable.Broadcast()
}

// receiveLocked takes a datagram, which is the socket's from now on.
func (s *Socket) receiveLocked(d arrived) {
	if s.waitingBytes+len(d.data)+headerBytes > s.bufferBytes {
		s.dropped++
		return
	}
	s.waiting = append(s.waiting, d)
	s.waitingBytes += len(d.data) + headerBytes
	s.readable.Broadcast()
}

// deadlineLocked wakes readers if the deadline has passed, or sees to it that somebody will.
func (s *Socket) deadlineLocked() {
	switch {
	case s.closed:
	case s.readDeadline.IsZero():
		s.alarm.stopLocked()
	case passed(s.readDeadline):
		s.readable.Broadcast()
	default:
		s.alarm.setLocked(s.readDeadline)
	}
}

func passed(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

func (s *Socket) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: net.UDPAddrFromAddrPort(s.local), Err: err}
}
