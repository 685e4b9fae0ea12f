package compare

import (
	"net/netip"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/reliable"
)

// kcpPeer is plain KCP as its author's documentation runs it: the core, updated every 10 ms.
type kcpPeer struct {
	core    *kcp.KCP
	clock   *kcp.KCP       // never updated: it answers "when next?" by "now", on a clock that is otherwise not shown
	remote  netip.AddrPort // it knows its peer by the address
	pending []byte         // received, not yet read
	segment []byte
}

// The settings called turbo: no delay, 10 ms interval, resend after 2 newer acknowledgements, no congestion window.
const (
	kcpNoDelay  = 1
	kcpInterval = 10
	kcpResend   = 2
	kcpNC       = 1
	kcpWindow   = 1024 // segments, each way
	kcpConv     = 1
	kcpDatagram = 1400 // the core's own default
	kcpHeader   = 24   // of each segment
)

func newKCPPeer(remote netip.AddrPort, meter *kcpMeter, emit func(reliable.Datagram)) *kcpPeer {
	p := &kcpPeer{remote: remote, segment: make([]byte, kcpDatagram), clock: kcp.NewKCP(0, nil)}
	p.core = kcp.NewKCP(kcpConv, func(b []byte, size int) {
		meter.segments(b[:size])
		emit(reliable.Datagram{Path: reliable.Path{Remote: p.remote}, Bytes: b[:size]})
	})
	p.core.NoDelay(kcpNoDelay, kcpInterval, kcpResend, kcpNC)
	p.core.WndSize(kcpWindow, kcpWindow)
	return p
}

func (p *kcpPeer) Handle(_ time.Time, d reliable.Datagram) {
	if d.Path.Remote == p.remote {
		p.core.Input(d.Bytes, kcp.IKCP_PACKET_REGULAR, false)
	}
}

// Write queues segments while fewer than a window wait.
func (p *kcpPeer) Write(b []byte) int {
	n := 0
	for len(b) > 0 && p.core.WaitSnd() < kcpWindow {
		m := min(len(b), kcpDatagram-kcpHeader)
		p.core.Send(b[:m])
		b, n = b[m:], n+m
	}
	return n
}

func (p *kcpPeer) Read(b []byte) int {
	if len(p.pending) == 0 {
		n := p.core.Recv(p.segment)
		if n <= 0 {
			return 0
		}
		p.pending = p.segment[:n]
	}
	n := copy(b, p.pending)
	p.pending = p.pending[n:]
	return n
}

func (p *kcpPeer) Advance(time.Time) { p.core.Update() }

// NextAt asks the core, whose clock counts whole milliseconds.
func (p *kcpPeer) NextAt(now time.Time) (time.Time, bool) {
	return now.Add(time.Duration(max(int32(p.core.Check()-p.clock.Check()), 1)) * time.Millisecond), true
}

// Open: there is no handshake.
func (p *kcpPeer) Open() bool { return true }
func (p *kcpPeer) Err() error { return nil }
