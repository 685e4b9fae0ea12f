package compare

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"udpchat/cmd/internal/compare/wirelane"
)

// The ports of both sides' sockets: of the transport that is measured, and of the one beside it.
const (
	wirePort   = 4000
	besidePort = 4001
)

// wireField is a field between two network namespaces, with ordinary sockets of the kernel. The wire began before the
// field, by less than a millisecond.
type wireField struct {
	world *wirelane.World
	port  uint16
}

func (f *wireField) Addr(side Side) netip.AddrPort {
	if side == Client {
		return netip.AddrPortFrom(f.world.Near(), f.port)
	}
	return netip.AddrPortFrom(f.world.Far(), f.port)
}

// at runs what makes a socket where the side is.
func (f *wireField) at(side Side, open func() error) error {
	if side == Client {
		return open()
	}
	return f.world.AtFar(open)
}

func (f *wireField) Packet(side Side) (net.PacketConn, error) {
	var conn *net.UDPConn
	err := f.at(side, func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(f.Addr(side)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare: socket of the %v: %w", side, err)
	}
	_ = conn.SetReadBuffer(receiveBytes) // As much as the kernel grants.
	return conn, nil
}

func (f *wireField) Listen(ctx context.Context, control Control) (net.Listener, error) {
	cfg := net.ListenConfig{Control: control}
	cfg.SetMultipathTCP(false)
	var l net.Listener
	err := f.at(Server, func() (err error) {
		l, err = cfg.Listen(ctx, "tcp4", f.Addr(Server).String())
		return err
	})
	return l, err
}

func (f *wireField) Dial(ctx context.Context, control Control) (net.Conn, error) {
	d := net.Dialer{Control: control, KeepAlive: -1}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, "tcp4", f.Addr(Server).String())
}

func (f *wireField) Wire() Wire {
	w := f.world.Wire()
	return Wire{
		Up: trafficOnWire(w.Up), Down: trafficOnWire(w.Down), UpDropsMs: dropsOnWire(w.Up), DownDropsMs: dropsOnWire(w.Down),
	}
}

// watchedWireField is one that tells the parent how the run goes.
type watchedWireField struct{ *wireField }

func (f *watchedWireField) glimpse(g Glimpse) { _ = f.world.Note(g) } // A parent that is gone takes this process with it.
func (f *watchedWireField) dropped() uint64   { return f.world.Dropped() }

// TCPSplit says what the bytes so far were for, if they were TCP's.
func (f *wireField) TCPSplit() Split {
	w := f.world.Wire()
	var sum Split
	for _, s := range []*wirelane.Split{w.Up.TCP, w.Down.TCP} {
		if s != nil {
			sum.Payload += s.Payload
			sum.Headers += s.Headers
			sum.Acks += s.Acks
			sum.Retransmits += s.Repeated
		}
	}
	return sum
}

// Close leaves the wire to the world.
func (f *wireField) Close() error { return nil }

func trafficOnWire(s wirelane.Side) Traffic {
	t := Traffic{Packets: s.Packets, Bytes: s.Bytes}
	for _, n := range s.Dropped {
		t.Dropped += n
	}
	return t
}

func dropsOnWire(s wirelane.Side) []float64 {
	drops := make([]float64, 0, len(s.Drops))
	for _, d := range s.Drops[:min(len(s.Drops), dropsMax)] {
		drops = append(drops, d.AtMs)
	}
	return drops
}
