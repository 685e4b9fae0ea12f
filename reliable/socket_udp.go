package reliable

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/net/ipv4"
)

// udpSocket is a socket of the kernel. Bound to all addresses, it learns from the kernel which of them each datagram was
// sent to, and answers from there: a client behind a NAT or with a strict filter drops answers from anywhere else.
//
// Where the system can, it reads and writes many datagrams with one call (recvmmsg, sendmmsg), and several datagrams
// of one peer travel through the kernel as one (GSO, GRO). A single one takes the plain call, which is cheaper for it. Measured over
// loopback, by processor time: a bulk transfer takes a fifth less with many datagrams a call, a quarter less again with
// GSO, and a quarter less again with GRO; a message to each of many peers takes half. Several sockets on one port
// (SO_REUSEPORT) were not kept: one reader is far from being the bottleneck on the few cores we know, and a client
// whose address changes would come to another socket.
type udpSocket struct {
	conn  kernelOne
	many  kernelMany // the same socket; nil: one call for each datagram
	addr  netip.AddrPort
	v6    bool // the socket is AF_INET6, which carries IPv4 too
	info  bool // the kernel tells local addresses, and takes them
	marks bool // the kernel tells ECN, and takes it
	whole bool // the kernel makes no fragments
	cuts  bool // the kernel cuts several datagrams out of one message (GSO)

	told      atomic.Bool // the kernel has let itself be told something in a control message, so it can be
	noControl atomic.Bool // it refused, and never did; it need not be asked again
	cutOnce   atomic.Bool // it has cut
	noCuts    atomic.Bool // it refused to cut, and never did

	reads, writes atomic.Uint64
	in            arrivals  // owned by the reader
	out           sync.Pool // of *messages

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
		s.many, s.cuts = ipv4.NewPacketConn(conn), canCut(conn)
		askForJoined(conn)
	}
	// A burst of datagrams must wait in the kernel, not be dropped; refused sizes leave the default.
	_ = conn.SetReadBuffer(socketBufferBytes)
	_ = conn.SetWriteBuffer(socketBufferBytes)
	return s
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
