package compare

import (
	"context"
	"encoding/binary"
	"net"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/simulate"
)

// plainTransport sends each message as one datagram and does nothing else.
type plainTransport struct{}

func (plainTransport) Info() Info {
	return Info{
		Name: "plain", Text: "bare datagrams: what is lost stays lost", Bare: true, Repeatable: true,
		Lanes: []Lane{LaneVirtual, LaneWire, LaneRealTime},
	}
}

func (plainTransport) Connect(_ context.Context, f Field) (*Pair, error) {
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	client := &datagramConn{ends[Client], net.UDPAddrFromAddrPort(f.Addr(Server))}
	server := &datagramConn{ends[Server], net.UDPAddrFromAddrPort(f.Addr(Client))}
	return &Pair{
		Client: client,
		Accept: func(context.Context) (net.Conn, error) { return server, nil },
		Close:  ends.close,
	}, nil
}

// datagramConn is a packet connection with one peer.
type datagramConn struct {
	net.PacketConn
	peer net.Addr
}

func (c *datagramConn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFrom(b)
	return n, err
}

func (c *datagramConn) Write(b []byte) (int, error) { return c.WriteTo(b, c.peer) }
func (c *datagramConn) RemoteAddr() net.Addr        { return c.peer }

// machines: see plainPeer.
func (plainTransport) machines(d *simulate.Duel, _ Spec) func() Split {
	var split Split
	d.Dial = func(_ time.Time, path reliable.Path, emit func(reliable.Datagram)) (simulate.Peer, error) {
		return &plainPeer{path: path, split: &split, emit: emit}, nil
	}
	d.Answer = func(_ time.Time, first reliable.Datagram, emit func(reliable.Datagram)) (simulate.Peer, error) {
		p := &plainPeer{split: &split, emit: emit}
		p.Handle(time.Time{}, first)
		return p, nil
	}
	return func() Split { return split }
}

// plainPeer sends each frame as one datagram, to where the peer was last seen.
type plainPeer struct {
	path    reliable.Path
	emit    func(reliable.Datagram)
	split   *Split
	arrived [][]byte
}

func (p *plainPeer) Handle(_ time.Time, d reliable.Datagram) {
	p.path = d.Path
	p.arrived = append(p.arrived, append([]byte(nil), d.Bytes...))
}

func (p *plainPeer) Write(b []byte) int {
	n := 0
	for len(b[n:]) >= frameHeaderBytes {
		length := int(binary.LittleEndian.Uint32(b[n:]))
		p.split.Payload += uint64(length)
		p.split.Headers += headerBytes
		p.emit(reliable.Datagram{Path: p.path, Bytes: b[n : n+length]})
		n += length
	}
	return n
}

func (p *plainPeer) Read(b []byte) int {
	if len(p.arrived) == 0 {
		return 0
	}
	n := copy(b, p.arrived[0])
	p.arrived = p.arrived[1:]
	return n
}

func (p *plainPeer) Advance(time.Time)                        {}
func (p *plainPeer) NextAt(time.Time) (at time.Time, ok bool) { return at, false }
func (p *plainPeer) Open() bool                               { return true }
func (p *plainPeer) Err() error                               { return nil }
