package reliable

import (
	"errors"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
)

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
	ms       [batchDatagrams]ipv4.Message
	first    [batchDatagrams + 1]int // of the datagrams in each, and one more
	bytes    [batchDatagrams][]byte
	addrs    [batchDatagrams]net.UDPAddr
	ips      [batchDatagrams][16]byte
	controls [batchDatagrams][ancillaryBytes]byte
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

// writeMany sends at most batchDatagrams. The system stops at the first message that it refuses, and does not say why
// unless it is the first of all: that one is then sent by itself, datagram by datagram, and the others after it.
func (s *udpSocket) writeMany(out *messages, ds []outgoing, failed func(d *outgoing, err error)) {
	n := s.fill(out, ds)
	for i := 0; i < n; {
		s.writes.Add(1)
		sent, err := s.many.WriteBatch(out.ms[i:n], 0)
		if sent > 0 {
			s.note(out, ds, i)
			i += sent
			continue
		}
		cut := len(out.ms[i].Buffers) > 1 && !errors.Is(err, net.ErrClosed)
		for k := out.first[i]; k < out.first[i+1]; k++ {
			if err := s.write(ds[k].Datagram); err != nil {
				failed(&ds[k], err)
				cut = false
			}
		}
		if cut && !s.cutOnce.Load() {
			s.noCuts.Store(true) // Some network devices cannot, and are found out only now.
		}
		i++
	}
	clear(out.ms[:n])
	clear(out.bytes[:len(ds)])
}

// note remembers what the system has taken in message i.
func (s *udpSocket) note(out *messages, ds []outgoing, i int) {
	if len(out.ms[i].Buffers) > 1 && !s.cutOnce.Load() {
		s.cutOnce.Store(true)
	}
	if !s.told.Load() {
		s.noteControl(s.control(ds[out.first[i]].Datagram))
	}
}

// fill makes messages of datagrams and returns how many: one for several that go the same way and have the same length,
// but for the last, which may be shorter, if the system cuts them.
func (s *udpSocket) fill(out *messages, ds []outgoing) (n int) {
	cuts := s.cuts && !s.noCuts.Load()
	for i := 0; i < len(ds); n++ {
		d := &ds[i].Datagram
		size, total, k := len(d.Bytes), len(d.Bytes), i+1
		out.bytes[i] = d.Bytes
		for cuts && k < len(ds) && len(ds[k-1].Bytes) == size && len(ds[k].Bytes) <= size &&
			ds[k].Path == d.Path && ds[k].ECN == d.ECN && total+len(ds[k].Bytes) <= cutBytesMax {
			out.bytes[k] = ds[k].Bytes
			total += len(ds[k].Bytes)
			k++
		}
		control := s.control(*d)
		if k > i+1 {
			control = appendCut(append(out.controls[n][:0], control...), size)
		}
		out.ms[n] = ipv4.Message{Buffers: out.bytes[i:k], OOB: control, Addr: out.addr(n, d.Path.Remote)}
		out.first[n] = i
		i = k
	}
	out.first[n] = len(ds)
	return n
}

// addr returns the address in the form that messages want, in memory of message i.
func (out *messages) addr(i int, a netip.AddrPort) *net.UDPAddr {
	to := &out.addrs[i]
	if a.Addr().Is4() {
		ip := a.Addr().As4()
		to.IP = append(out.ips[i][:0], ip[:]...)
	} else {
		out.ips[i] = a.Addr().As16()
		to.IP = out.ips[i][:]
	}
	to.Port, to.Zone = int(a.Port()), a.Addr().Zone()
	return to
}
