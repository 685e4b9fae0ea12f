package reliable

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/net/ipv4"
)

// udpSocket is a socket of the kernel. Bound to all addresses, it learns from the kernel which of them each datagram was
// sent to, and answers from there: a client behind a NAT or with a strict filter drops answers from anywhere else.
//
// Where the system can, it reads and writes many datagrams with one call (recvmmsg, sendmmsg). A single one takes
// the plain call, which is cheaper for it.
type udpSocket struct {
	conn  kernelOne
	many  kernelMany // the same socket; nil: one call for each datagram
	addr  netip.AddrPort
	v6    bool // the socket is AF_INET6, which carries IPv4 too
	info  bool // the kernel tells local addresses, and takes them
	marks bool // the kernel tells ECN, and takes it
	whole bool // the kernel makes no fragments

	told      atomic.Bool // the kernel has let itself be told something in a control message, so it can be
	noControl atomic.Bool // it refused, and never did; it need not be asked again

	reads, writes atomic.Uint64
	in            []ipv4.Message // owned by the reader
	out           sync.Pool      // of *messages

	mu       sync.RWMutex
	controls map[controlKey][]byte // guarded by mu
}

// kernelOne is what we need of a *net.UDPConn.
type kernelOne interface {
	ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, from netip.AddrPort, err error)
	WriteMsgUDPAddrPort(b, oob []byte, to netip.AddrPort) (n, oobn int, err error)
	Close() error
}

// kernelMany is what we need of an *ipv4.PacketConn, which does as well for IPv6.
type kernelMany interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// A controlKey is what a control message says.
type controlKey struct {
	local netip.Addr // where to send from; invalid: the system chooses
	ecn   ECN
	v4    bool // the receiver is IPv4
}

func newUDPSocket(conn *net.UDPConn, addr *net.UDPAddr, noBatch bool) *udpSocket {
	s := &udpSocket{conn: conn, addr: unmap(addr.AddrPort()), v6: addr.IP.To4() == nil}
	s.whole = sendWhole(conn, s.v6)
	if s.addr.Addr().IsUnspecified() {
		s.info = askForLocal(conn, s.v6) // Where not, local addresses stay unspecified and the system chooses.
	}
	s.marks = askForECN(conn, s.v6)
	if batches && !noBatch {
		s.many = ipv4.NewPacketConn(conn)
	}
	// A burst of datagrams must wait in the kernel, not be dropped; refused sizes leave the default.
	_ = conn.SetReadBuffer(socketBufferBytes)
	_ = conn.SetWriteBuffer(socketBufferBytes)
	return s
}

func (s *udpSocket) read(ds []*datagram) (n int, err error) {
	if s.many != nil && len(ds) > 1 {
		n, err = s.readMany(ds)
	} else {
		d := ds[0]
		var ancillary int
		d.n, ancillary, _, d.path.Remote, err = s.conn.ReadMsgUDPAddrPort(d.buf[:], d.ancillary[:])
		d.control = d.ancillary[:ancillary]
		n = 1
	}
	if err != nil {
		return 0, err
	}
	s.reads.Add(1)
	for _, d := range ds[:n] {
		d.path.Remote = unmap(d.path.Remote)
		d.path.Local, d.ecn = parseControl(d.control, s.v6)
		if !s.info || !d.path.Local.IsValid() {
			d.path.Local = s.addr.Addr()
		}
	}
	return n, nil
}

func (s *udpSocket) readMany(ds []*datagram) (int, error) {
	for len(s.in) < len(ds) {
		s.in = append(s.in, ipv4.Message{Buffers: make([][]byte, 1)})
	}
	for i, d := range ds {
		m := &s.in[i]
		m.Buffers[0], m.OOB = d.buf[:], d.ancillary[:]
	}
	n, err := s.many.ReadBatch(s.in[:len(ds)], 0)
	if err != nil {
		return 0, err
	}
	for i, d := range ds[:n] {
		m := &s.in[i]
		d.n, d.control = m.N, d.ancillary[:m.NN]
		d.path.Remote = netip.AddrPort{}
		if a, ok := m.Addr.(*net.UDPAddr); ok {
			d.path.Remote = a.AddrPort()
		}
		m.Addr = nil
	}
	return n, nil
}

func (s *udpSocket) write(d Datagram) error {
	control := s.control(d)
	s.writes.Add(1)
	_, _, err := s.conn.WriteMsgUDPAddrPort(d.Bytes, control, d.Path.Remote)
	if err == nil {
		s.noteControl(control)
		return nil
	}
	return s.writeAgain(d, control, err)
}

// writeAgain takes a datagram that was refused and sends it without control, if that was what was refused.
func (s *udpSocket) writeAgain(d Datagram, control []byte, why error) error {
	if control == nil || errors.Is(why, net.ErrClosed) {
		return why
	}
	s.writes.Add(1)
	if _, _, err := s.conn.WriteMsgUDPAddrPort(d.Bytes, nil, d.Path.Remote); err != nil {
		return why
	}
	// Where it has taken others, this address and that destination do not go together (strangers can name such
	// destinations for a call), which says nothing about the next.
	if !s.told.Load() {
		s.noControl.Store(true)
	}
	return nil
}

func (s *udpSocket) noteControl(control []byte) {
	if control != nil && !s.told.Load() { // Nearly always set: a store would make cores fight for the line.
		s.told.Store(true)
	}
}

// messages are the system's view of a batch to send.
type messages struct {
	ms    [batchDatagrams]ipv4.Message
	bytes [batchDatagrams][1][]byte
	addrs [batchDatagrams]net.UDPAddr
	ips   [batchDatagrams][16]byte
}

func (s *udpSocket) writeAll(ds []outgoing, failed func(d *outgoing, err error)) {
	if s.many == nil || len(ds) < 2 {
		for i := range ds {
			if err := s.write(ds[i].Datagram); err != nil {
				failed(&ds[i], err)
			}
		}
		return
	}
	out, ok := s.out.Get().(*messages)
	if !ok {
		out = new(messages)
	}
	for len(ds) > 0 {
		n := min(len(ds), batchDatagrams)
		s.writeMany(out, ds[:n], failed)
		ds = ds[n:]
	}
	s.out.Put(out)
}

// writeMany sends as many datagrams as there are messages. The system stops at the first that it refuses, and does not
// say why unless it is the first of all: that one is then sent by itself, and the others after it.
func (s *udpSocket) writeMany(out *messages, ds []outgoing, failed func(d *outgoing, err error)) {
	for i := range ds {
		out.set(i, ds[i].Datagram, s.control(ds[i].Datagram))
	}
	for i := 0; i < len(ds); {
		s.writes.Add(1)
		n, err := s.many.WriteBatch(out.ms[i:len(ds)], 0)
		if n > 0 {
			s.noteControl(out.ms[i].OOB)
			i += n
			continue
		}
		if err == nil || len(ds)-i > 1 && !errors.Is(err, net.ErrClosed) {
			err = s.write(ds[i].Datagram)
		} else {
			err = s.writeAgain(ds[i].Datagram, out.ms[i].OOB, err)
		}
		if err != nil {
			failed(&ds[i], err)
		}
		i++
	}
	clear(out.ms[:len(ds)])
	clear(out.bytes[:len(ds)])
}

// set makes message i the datagram.
func (out *messages) set(i int, d Datagram, control []byte) {
	to := &out.addrs[i]
	if a := d.Path.Remote.Addr(); a.Is4() {
		ip := a.As4()
		to.IP = append(out.ips[i][:0], ip[:]...)
	} else {
		out.ips[i] = a.As16()
		to.IP = out.ips[i][:]
	}
	to.Port, to.Zone = int(d.Path.Remote.Port()), d.Path.Remote.Addr().Zone()
	out.bytes[i][0] = d.Bytes
	out.ms[i] = ipv4.Message{Buffers: out.bytes[i][:], OOB: control, Addr: to}
}

// control returns what makes a datagram leave from its local address and with its mark; nil: nothing is needed or can be
// said.
func (s *udpSocket) control(d Datagram) []byte {
	key := controlKey{v4: d.Path.Remote.Addr().Is4()}
	if s.info && d.Path.Local.IsValid() && !d.Path.Local.IsUnspecified() {
		key.local = d.Path.Local
	}
	if s.marks {
		key.ecn = d.ECN
	}
	if !key.local.IsValid() && key.ecn == NotECT || s.noControl.Load() {
		return nil
	}
	s.mu.RLock()
	b := s.controls[key]
	s.mu.RUnlock()
	if b != nil {
		return b
	}
	b = appendECN(appendLocal(nil, key.local), key.ecn, key.v4)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.controls) >= controlsMax || s.controls == nil {
		s.controls = make(map[controlKey][]byte)
	}
	s.controls[key] = b
	return b
}

func (s *udpSocket) local() netip.AddrPort { return s.addr }
func (s *udpSocket) close() error          { return s.conn.Close() }

func (s *udpSocket) calls() (reads, writes uint64) { return s.reads.Load(), s.writes.Load() }
