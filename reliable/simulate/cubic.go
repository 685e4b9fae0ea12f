package simulate

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// A Cubic is a flow with as much to send as there is room for, controlled as RFC 9438 says, with selective acknowledgements: a
// competitor for contests. It has no handshake, no pacing, and counts in full packets.
type Cubic struct {
	c   *Contest
	tag uint64

	window, threshold float64 // packets
	wMax, k           float64
	epoch             time.Duration // when congestion avoidance began anew; 0: it has not
	friendly          float64
	next              uint32 // number of the packet that is new next
	inflight          map[uint32]time.Duration
	again             []uint32 // to be sent again
	recover           uint32   // losses below it belong to a window that was already made smaller
	rtt, timeoutAt    time.Duration
	highest           uint32 // number acknowledged

	over      bool // nothing is sent any more
	got       map[uint32]bool
	Delivered int // bytes, each once
}

const (
	cubicPacket = 1472
	cubicBeta   = 0.7
	cubicC      = 0.4
)

// NewCubic begins such a flow.
func (c *Contest) NewCubic() *Cubic {
	f := &Cubic{
		c: c, window: 10, threshold: math.Inf(1), inflight: make(map[uint32]time.Duration), got: make(map[uint32]bool),
		rtt: 100 * time.Millisecond,
	}
	f.tag = c.add(f)
	c.At(c.Now(), f.send)
	c.At(c.Now()+time.Second, f.watch)
	return f
}

// Stop ends the flow at once.
func (f *Cubic) Stop() { f.over = true }

func (f *Cubic) receive(side Side, p netem.Packet) {
	b := p.Data
	n := binary.LittleEndian.Uint32(b)
	if side == Server {
		if !f.got[n] {
			f.got[n] = true
			f.Delivered += len(b)
		}
		f.c.lines[Server].SendTagged(b[:40], f.tag)
		return
	}
	f.acknowledged(n)
	f.send()
}

func (f *Cubic) acknowledged(n uint32) {
	at, ok := f.inflight[n]
	if !ok {
		return
	}
	delete(f.inflight, n)
	now := f.c.Now()
	f.rtt += (now - at - f.rtt) / 8
	f.timeoutAt = now + 2*f.rtt + 200*time.Millisecond
	f.highest = max(f.highest, n)
	for _, m := range slices.Sorted(maps.Keys(f.inflight)) { // Sent before it and three numbers older: lost.
		if m+3 <= f.highest && f.inflight[m] < at {
			f.lost(m)
		}
	}
	f.grow(now)
}

func (f *Cubic) lost(n uint32) {
	delete(f.inflight, n)
	f.again = append(f.again, n)
	if n < f.recover {
		return
	}
	f.recover = f.next
	if f.window < f.wMax {
		f.wMax = f.window * (1 + cubicBeta) / 2
	} else {
		f.wMax = f.window
	}
	f.window = max(2, f.window*cubicBeta)
	f.threshold, f.friendly = f.window, f.window
	f.k = math.Cbrt(f.wMax * (1 - cubicBeta) / cubicC)
	f.epoch = f.c.Now()
}

func (f *Cubic) grow(now time.Duration) {
	if f.window < f.threshold {
		f.window++
		return
	}
	t := (now - f.epoch + f.rtt).Seconds()
	target := min(cubicC*math.Pow(t-f.k, 3)+f.wMax, 1.5*f.window)
	f.friendly += 3 * (1 - cubicBeta) / (1 + cubicBeta) / f.friendly
	target = max(target, f.friendly)
	if target > f.window {
		f.window += (target - f.window) / f.window
	} else {
		f.window += 0.01 / f.window
	}
}

// send fills the window.
func (f *Cubic) send() {
	if f.over {
		return
	}
	b := make([]byte, cubicPacket)
	for float64(len(f.inflight)) < f.window {
		n := f.next
		if len(f.again) > 0 {
			n, f.again = f.again[0], f.again[1:]
		} else {
			f.next++
		}
		f.inflight[n] = f.c.Now()
		binary.LittleEndian.PutUint32(b, n)
		f.c.lines[Client].SendTagged(b, f.tag)
	}
	if f.timeoutAt == 0 {
		f.timeoutAt = f.c.Now() + time.Second
	}
}

// watch begins anew when nothing is acknowledged for long.
func (f *Cubic) watch() {
	now := f.c.Now()
	if f.over {
		return
	}
	if now >= f.timeoutAt {
		for n := f.next - min(f.next, 1<<16); n < f.next; n++ {
			if _, ok := f.inflight[n]; ok {
				f.again = append(f.again, n)
			}
		}
		clear(f.inflight)
		f.threshold, f.window = max(2, f.window/2), 1
		f.timeoutAt = now + time.Second
		f.send()
	}
	f.c.At(now+50*time.Millisecond, f.watch)
}
