package compare

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"udpchat/reliable/netem"
)

// memoryField is a field in memory: a netem.Network with one link. It runs by package time.
type memoryField struct {
	network *netem.Network
	up      *netem.Path
	down    *netem.Path
}

var memoryAddrs = [...]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("192.0.2.2:4000")}

// newMemoryField returns a field whose link starts now.
func newMemoryField(link Link, seed uint64) *memoryField {
	n := netem.NewNetwork(seed)
	n.Connect(memoryAddrs[Client], memoryAddrs[Server], link.Profile(), seed)
	f := &memoryField{
		network: n, up: n.Path(memoryAddrs[Client], memoryAddrs[Server]), down: n.Path(memoryAddrs[Server], memoryAddrs[Client]),
	}
	f.up.Record()
	f.down.Record()
	return f
}

func (f *memoryField) Packet(side Side) (net.PacketConn, error) {
	s, err := f.network.ListenPacket(memoryAddrs[side])
	if err != nil {
		return nil, err
	}
	_ = s.SetReadBuffer(receiveBytes) // It never fails.
	return s, nil
}

func (f *memoryField) Addr(side Side) netip.AddrPort { return memoryAddrs[side] }

var errNoKernel = errors.New("compare: there is no kernel on a link in memory, so no TCP")

func (f *memoryField) Listen(context.Context, Control) (net.Listener, error) { return nil, errNoKernel }
func (f *memoryField) Dial(context.Context, Control) (net.Conn, error)       { return nil, errNoKernel }

// Wire sums up the link. IPv4 and UDP headers count, as they do in the link's bottleneck.
func (f *memoryField) Wire() Wire {
	up, down := f.up.Counts(), f.down.Counts()
	return Wire{
		Up: trafficOf(up), Down: trafficOf(down),
		UpDropsMs: dropsOf(f.up.Verdicts()), DownDropsMs: dropsOf(f.down.Verdicts()),
	}
}

func (f *memoryField) Close() error { return f.network.Close() }

// watchedMemoryField is one that tells how the run goes.
type watchedMemoryField struct {
	*memoryField
	tell func(Glimpse)
}

func (f *watchedMemoryField) glimpse(g Glimpse) { f.tell(g) }

func (f *watchedMemoryField) dropped() uint64 {
	up, down := f.up.Counts(), f.down.Counts()
	return up.Dropped() + down.Dropped()
}

func trafficOf(c netem.Counts) Traffic {
	return Traffic{Packets: c.Pushed, Bytes: c.PushedBytes + headerBytes*c.Pushed, Dropped: c.Dropped()}
}

// dropsOf returns when the link dropped something.
func dropsOf(verdicts []netem.Verdict) []float64 {
	drops := []float64{}
	for _, v := range verdicts {
		if v.Fate != netem.Kept && len(drops) < dropsMax {
			drops = append(drops, milliseconds(v.At.Round(time.Microsecond)))
		}
	}
	return drops
}
