package reliable

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A socket sends and receives datagrams. Addresses are never IPv4 in IPv6 form. It is safe for concurrent use, but
// only one goroutine may read.
type socket interface {
	// read returns a datagram, cut to len(b). Ancillary is what localOf needs; it is valid until the next read.
	read(b []byte) (n int, from netip.AddrPort, ancillary []byte, err error)
	// localOf returns the address a datagram was sent to; unspecified if the system does not tell.
	localOf(ancillary []byte) netip.Addr
	// write sends a datagram, from its path's local address where that is given and the system can.
	write(d Datagram) error
	local() netip.AddrPort
	close() error
}

// ancillaryBytes is room for the packet information of either family.
const ancillaryBytes = 128

// udpSocket is a socket of the kernel. Bound to all addresses, it learns from the kernel which of them each datagram was
// sent to, and answers from there: a client behind a NAT or with a strict filter drops answers from anywhere else.
type udpSocket struct {
	conn      *net.UDPConn
	addr      netip.AddrPort
	v6        bool        // the socket is AF_INET6, which carries IPv4 too
	info      bool        // the kernel tells local addresses
	whole     bool        // the kernel makes no fragments
	told      atomic.Bool // the kernel has let itself be told one, so it can be
	noControl atomic.Bool // it refused, and never did; it need not be asked again
	ancillary [ancillaryBytes]byte

	mu       sync.RWMutex
	controls map[netip.Addr][]byte // guarded by mu
}

func newUDPSocket(conn *net.UDPConn) (*udpSocket, error) {
	addr, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("reliable: socket with local address %v", conn.LocalAddr())
	}
	s := &udpSocket{conn: conn, addr: unmap(addr.AddrPort())}
	s.v6 = addr.IP.To4() == nil
	s.whole = sendWhole(conn, s.v6)
	if s.addr.Addr().IsUnspecified() {
		// Not every system can; then local addresses stay unspecified and the system chooses where answers leave from.
		if s.v6 {
			s.info = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true) == nil
		} else {
			s.info = ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true) == nil
		}
	}
	// A burst of datagrams must wait in the kernel, not be dropped; refused sizes leave the default.
	_ = conn.SetReadBuffer(socketBufferBytes)
	_ = conn.SetWriteBuffer(socketBufferBytes)
	return s, nil
}

func (s *udpSocket) read(b []byte) (int, netip.AddrPort, []byte, error) {
	n, an, _, from, err := s.conn.ReadMsgUDPAddrPort(b, s.ancillary[:])
	return n, unmap(from), s.ancillary[:an], err
}

func (s *udpSocket) localOf(ancillary []byte) netip.Addr {
	if !s.info || len(ancillary) == 0 {
		return s.addr.Addr()
	}
	var ip net.IP
	if s.v6 {
		var cm ipv6.ControlMessage
		if cm.Parse(ancillary) == nil {
			ip = cm.Dst
		}
	} else {
		var cm ipv4.ControlMessage
		if cm.Parse(ancillary) == nil {
			ip = cm.Dst
		}
	}
	if a, ok := netip.AddrFromSlice(ip); ok {
		return a.Unmap()
	}
	return s.addr.Addr()
}

// control returns what makes a datagram leave from the address; nil: the system chooses.
func (s *udpSocket) control(from netip.Addr) []byte {
	if !s.info || !from.IsValid() || from.IsUnspecified() || s.noControl.Load() {
		return nil
	}
	s.mu.RLock()
	b := s.controls[from]
	s.mu.RUnlock()
	if b != nil {
		return b
	}
	b = newControl(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.controls) >= controlsMax || s.controls == nil {
		s.controls = make(map[netip.Addr][]byte)
	}
	s.controls[from] = b
	return b
}

func newControl(from netip.Addr) []byte {
	// An IPv4 datagram takes IPv4 control messages on either kind of socket.
	if from.Is4() {
		return (&ipv4.ControlMessage{Src: from.AsSlice()}).Marshal()
	}
	return (&ipv6.ControlMessage{Src: from.AsSlice()}).Marshal()
}

func (s *udpSocket) write(d Datagram) error {
	control := s.control(d.Path.Local)
	_, _, err := s.conn.WriteMsgUDPAddrPort(d.Bytes, control, d.Path.Remote)
	switch {
	case control == nil || errors.Is(err, net.ErrClosed):
		return err
	case err == nil:
		if !s.told.Load() { // Nearly always set: a store would make cores fight for the line.
			s.told.Store(true)
		}
		return nil
	}
	if _, _, again := s.conn.WriteMsgUDPAddrPort(d.Bytes, nil, d.Path.Remote); again != nil {
		return err
	}
	// The control was what it refused. Where it has taken others, this address and that destination do not go together
	// (strangers can name such destinations for a call), which says nothing about the next.
	if !s.told.Load() {
		s.noControl.Store(true)
	}
	return nil
}

func (s *udpSocket) local() netip.AddrPort { return s.addr }
func (s *udpSocket) close() error          { return s.conn.Close() }

// packetSocket is any other net.PacketConn with UDP addresses, for example a network in memory.
type packetSocket struct {
	conn net.PacketConn
	addr netip.AddrPort
}

func newPacketSocket(conn net.PacketConn) (*packetSocket, error) {
	addr, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("reliable: packet connection with local address %v: want a *net.UDPAddr", conn.LocalAddr())
	}
	return &packetSocket{conn, unmap(addr.AddrPort())}, nil
}

func (s *packetSocket) read(b []byte) (int, netip.AddrPort, []byte, error) {
	n, from, err := s.conn.ReadFrom(b)
	if u, ok := from.(*net.UDPAddr); ok {
		return n, unmap(u.AddrPort()), nil, err
	}
	return n, netip.AddrPort{}, nil, err
}

func (s *packetSocket) write(d Datagram) error {
	_, err := s.conn.WriteTo(d.Bytes, net.UDPAddrFromAddrPort(d.Path.Remote))
	return err
}

func (s *packetSocket) localOf([]byte) netip.Addr { return s.addr.Addr() }
func (s *packetSocket) local() netip.AddrPort     { return s.addr }
func (s *packetSocket) close() error              { return s.conn.Close() }

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
