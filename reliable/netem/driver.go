package netem

import "time"

// Driver runs links and functions on virtual time, on the goroutine that calls it: the same calls give
// the same events in the same order, to the last bit. The zero value is ready, at time 0. Not safe for
// concurrent use.
type Driver struct {
	now    time.Duration
	events heap[func()]
}

// Now returns the time of the event that runs, or of the latest one.
func (d *Driver) Now() time.Duration { return d.now }

// At has f run at time t, or next if t has passed. Functions of the same time run in the order they
// were given. f may call anything of d but Step and RunUntil.
func (d *Driver) At(t time.Duration, f func()) { d.events.push(max(t, d.now), f) }

// NextAt returns the time of the next event; ok is false if there is none.
func (d *Driver) NextAt() (at time.Duration, ok bool) { return d.events.nextAt() }

// Step runs the next event and reports whether there was one.
func (d *Driver) Step() bool {
	if d.events.len() == 0 {
		return false
	}
	at, f := d.events.pop()
	d.now = at
	f()
	return true
}

// RunUntil runs all events up to and including time t; after that it is t.
func (d *Driver) RunUntil(t time.Duration) {
	for at, ok := d.events.nextAt(); ok && at <= t; at, ok = d.events.nextAt() {
		d.Step()
	}
	d.now = max(d.now, t)
}

// Pipe is a link run by a driver. It belongs to the driver's goroutine.
type Pipe struct {
	driver  *Driver
	link    *Link
	start   time.Duration // The link's time 0.
	deliver func(Packet)

	armed   bool // Whether an event at armedAt is going to pop.
	armedAt time.Duration
}

// Attach makes d run l, which starts now: l's time 0 is d's present. Every packet that comes out is
// given to deliver, in an event of its time; the times in it are the link's. deliver may send.
func (d *Driver) Attach(l *Link, deliver func(Packet)) *Pipe {
	return &Pipe{driver: d, link: l, start: d.now, deliver: deliver}
}

// Link returns the link, to look at it or to cut it; the driver pushes and pops.
func (p *Pipe) Link() *Link { return p.link }

// Now returns the time of the link.
func (p *Pipe) Now() time.Duration { return p.driver.now - p.start }

// Send pushes pkt, which the link copies, at the present time.
func (p *Pipe) Send(pkt []byte) { p.SendTagged(pkt, 0) }

// SendTagged pushes pkt with a tag, see Link.PushTagged.
func (p *Pipe) SendTagged(pkt []byte, tag uint64) {
	p.SendMarked(pkt, tag, NotECT)
}

// SendMarked is SendTagged for a datagram with a mark.
func (p *Pipe) SendMarked(pkt []byte, tag uint64, ecn ECN) {
	p.link.PushMarked(p.Now(), pkt, tag, ecn)
	p.arm()
}

// arm plans the next pop. A later event that was planned before finds nothing due and goes.
func (p *Pipe) arm() {
	next, ok := p.link.NextAt()
	next += p.start
	if !ok || p.armed && p.armedAt <= next {
		return
	}
	p.armed, p.armedAt = true, next
	p.driver.At(next, func() { p.pop(next) })
}

// pop delivers what is due, in the event planned for time at.
func (p *Pipe) pop(at time.Duration) {
	if !p.armed || p.armedAt != at {
		return // An earlier event was planned later, and has planned another since.
	}
	for {
		packet, ok := p.link.PopPacket(p.Now())
		if !ok {
			break
		}
		p.deliver(packet)
	}
	p.armed = false
	p.arm()
}
