package reliable

import (
	"fmt"
	"net"
	"net/netip"
)

// A socket sends and receives datagrams. Addresses are never IPv4 in IPv6 form. It is safe for concurrent use, but
// only one goroutine may read.
type socket interface {
	// read waits for datagrams and appends them to ds, in memory that take gives. What is too long is cut.
	read(ds []*datagram, take func() *datagram) ([]*datagram, error)
	// write sends a datagram, from its path's local address where that is given and the system can.
	write(d Datagram) error
	// writeAll sends datagrams, in order. It calls failed for those that the system refused, and goes on.
	writeAll(ds []outgoing, failed func(d *outgoing, err error))
	local() netip.AddrPort
	close() error
	// calls returns how many system calls have read and written something.
	calls() (reads, writes uint64)
}

func newSocket(pc net.PacketConn, noBatch bool) (socket, error) {
	addr, ok := pc.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("reliable: packet connection with local address %v: want a *net.UDPAddr", pc.LocalAddr())
	}
	if udp, ok := pc.(*net.UDPConn); ok {
		return newUDPSocket(udp, addr, noBatch), nil
	}
	marks, _ := pc.(markedConn)
	return &packetSocket{conn: pc, marks: marks, addr: unmap(addr.AddrPort())}, nil
}

// packetSocket is any net.PacketConn with UDP addresses that is no socket of the kernel, for example one of a network in
// memory.
type packetSocket struct {
	conn  net.PacketConn
	marks markedConn // the same; nil: it carries no marks
	addr  netip.AddrPort
}

// A markedConn carries the marks of datagrams.
type markedConn interface {
	ReadMarked(b []byte) (n int, from netip.AddrPort, ecn uint8, err error)
	WriteMarked(b []byte, to netip.AddrPort, ecn uint8) (int, error)
}

func (s *packetSocket) read(ds []*datagram, take func() *datagram) ([]*datagram, error) {
	d := take()
	if s.marks != nil {
		n, from, ecn, err := s.marks.ReadMarked(d.buf[:])
		if err != nil {
			return ds, err
		}
		d.n, d.ecn, d.path = n, ECN(ecn), Path{Local: s.addr.Addr(), Remote: unmap(from)}
		return append(ds, d), nil
	}
	n, from, err := s.conn.ReadFrom(d.buf[:])
	if err != nil {
		return ds, err
	}
	d.n, d.ecn, d.path = n, NotECT, Path{Local: s.addr.Addr()}
	if u, ok := from.(*net.UDPAddr); ok {
		d.path.Remote = unmap(u.AddrPort())
	}
	return append(ds, d), nil
}

func (s *packetSocket) write(d Datagram) error {
	if s.marks != nil {
		_, err := s.marks.WriteMarked(d.Bytes, d.Path.Remote, uint8(d.ECN))
		return err
	}
	_, err := s.conn.WriteTo(d.Bytes, net.UDPAddrFromAddrPort(d.Path.Remote))
	return err
}

func (s *packetSocket) writeAll(ds []outgoing, failed func(d *outgoing, err error)) {
	for i := range ds {
		if err := s.write(ds[i].Datagram); err != nil {
			failed(&ds[i], err)
		}
	}
}

func (s *packetSocket) local() netip.AddrPort { return s.addr }
func (s *packetSocket) close() error          { return s.conn.Close() }
func (s *packetSocket) calls() (r, w uint64)  { return 0, 0 }

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
