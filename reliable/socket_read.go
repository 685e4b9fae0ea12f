package reliable

import (
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/ipv4"
)

// arrivals is what the system has handed over with one call: messages, each of which may be several datagrams of one
// peer that the kernel has joined (GRO). While nothing comes, one buffer waits; how many do follows what comes.
type arrivals struct {
	ms      []ipv4.Message
	all     []*arrival
	first   int       // of all that is not yet taken apart
	end     int       // of those that came
	taken   int       // bytes of the first that are taken
	want    int       // how many to ask for next
	buffers sync.Pool // of *arrival
}

// An arrival is a message.
type arrival struct {
	buf       []byte
	ancillary [ancillaryBytes]byte
	n, nn     int // bytes of both that came
	from      netip.AddrPort
}

func (s *udpSocket) read(ds []*datagram, take func() *datagram) ([]*datagram, error) {
	if s.many == nil {
		return s.readOne(ds, take())
	}
	if s.in.first == s.in.end {
		if err := s.receive(&s.in); err != nil {
			return ds, err
		}
	}
	return s.unpack(&s.in, ds, take), nil
}

// readOne reads without batches.
func (s *udpSocket) readOne(ds []*datagram, d *datagram) ([]*datagram, error) {
	var ancillary [ancillaryBytes]byte
	n, nn, _, from, err := s.conn.ReadMsgUDPAddrPort(d.buf[:], ancillary[:])
	if err != nil {
		return ds, err
	}
	s.reads.Add(1)
	d.n = n
	d.path, d.ecn, _ = s.whence(from, ancillary[:nn])
	return append(ds, d), nil
}

// receive waits for messages.
func (s *udpSocket) receive(in *arrivals) (err error) {
	in.resize(max(1, in.want))
	n := 1
	if len(in.all) == 1 {
		a := in.all[0]
		a.n, a.nn, _, a.from, err = s.conn.ReadMsgUDPAddrPort(a.buf, a.ancillary[:])
	} else {
		n, err = s.many.ReadBatch(in.ms[:len(in.all)], 0)
	}
	if err != nil {
		return err
	}
	s.reads.Add(1)
	for i, a := range in.all[:n] {
		m := &in.ms[i]
		if u, ok := m.Addr.(*net.UDPAddr); ok { // Not after the plain call.
			a.n, a.nn, a.from = m.N, m.NN, u.AddrPort()
		}
		m.Addr = nil
	}
	in.first, in.end, in.taken = 0, n, 0
	in.want = nextArrivals(n, len(in.all))
	return nil
}

// nextArrivals returns how many messages to wait for after n came and want were asked for.
func nextArrivals(n, want int) int {
	if n == want {
		return min(2*want, arrivalsMax)
	}
	return n
}

// resize makes n buffers wait.
func (in *arrivals) resize(n int) {
	for len(in.all) > n {
		last := len(in.all) - 1
		in.buffers.Put(in.all[last])
		in.all[last], in.ms[last].Buffers[0], in.ms[last].OOB = nil, nil, nil
		in.all = in.all[:last]
	}
	for len(in.all) < n {
		a, ok := in.buffers.Get().(*arrival)
		if !ok {
			a = &arrival{buf: make([]byte, arrivalBytes)}
		}
		i := len(in.all)
		in.all = append(in.all, a)
		if len(in.ms) == i {
			in.ms = append(in.ms, ipv4.Message{Buffers: make([][]byte, 1)})
		}
		in.ms[i].Buffers[0], in.ms[i].OOB = a.buf, a.ancillary[:]
	}
}

// unpack appends datagrams from what came, at most readDatagramsMax. The rest waits for the next call.
func (s *udpSocket) unpack(in *arrivals, ds []*datagram, take func() *datagram) []*datagram {
	for in.first < in.end && len(ds) < readDatagramsMax {
		a := in.all[in.first]
		path, ecn, size := s.whence(a.from, a.ancillary[:a.nn])
		if size <= 0 {
			size = a.n
		}
		for len(ds) < readDatagramsMax {
			end := min(a.n, in.taken+size)
			d := take()
			d.n = copy(d.buf[:], a.buf[in.taken:end])
			d.path, d.ecn = path, ecn
			ds = append(ds, d)
			if in.taken = end; end == a.n {
				in.first, in.taken = in.first+1, 0
				break
			}
		}
	}
	return ds
}

// whence says what the system told of a message: where it came from and to, its mark, and of how many bytes each the
// datagrams in it are, 0 if it is one.
func (s *udpSocket) whence(from netip.AddrPort, ancillary []byte) (path Path, ecn ECN, size int) {
	path.Remote = unmap(from)
	path.Local, ecn, size = parseControl(ancillary, s.v6)
	if !s.info || !path.Local.IsValid() {
		path.Local = s.addr.Addr()
	}
	return path, ecn, size
}
