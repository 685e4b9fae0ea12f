package reliable

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A couple is a client's and a server's machine and what is on the way between them, on one goroutine in a bubble.
type couple struct {
	*testing.T
	client, server *Machine
	here           netip.AddrPort // where the server sees the client
	delay          time.Duration  // one way
	onWay          []flying
	order          int
	got            [2]bytes.Buffer // what the client and the server have read
	gotAt          [2]time.Time    // when last

	// pass is asked about every datagram when it leaves, with what it is sealed from where that is known; nil: all pass.
	pass func(f *flying) bool
	// toOthers counts the bytes the server sent to each address, fromOthers what came from each.
	toOthers, fromOthers map[netip.AddrPort]int
}

// A flying datagram is on its way.
type flying struct {
	at       time.Time
	order    int
	toServer bool
	path     Path // as the server sees it
	ecn      ECN
	b        []byte
}

// inCouple runs f with two machines whose handshake is over.
func inCouple(t *testing.T, delay time.Duration, cfg Config, f func(d *couple)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &couple{
			T: t, here: clientAddr, delay: delay,
			toOthers: make(map[netip.AddrPort]int), fromOthers: make(map[netip.AddrPort]int),
		}
		d.dial(cfg)
		d.until(func() bool { return d.server != nil && d.server.Open() })
		d.run(time.Second)
		f(d)
		d.client.Abort(time.Now(), CodeNone, "")
		d.server.Abort(time.Now(), CodeNone, "")
	})
}

func (d *couple) dial(cfg Config) {
	d.Helper()
	shared := NewShared()
	emitUp := func(g Datagram) { d.push(true, Path{Remote: d.here}, g, d.delay) }
	emitDown := func(g Datagram) {
		d.toOthers[g.Path.Remote] += len(g.Bytes)
		d.push(false, g.Path, g, d.delay)
	}
	var err error
	if d.client, err = NewClientMachine(cfg, shared, time.Now(), Path{Remote: serverAddr}, emitUp); err != nil {
		d.Fatal(err)
	}
	d.client.Advance(time.Now())
	hello := d.onWay[0]
	d.onWay = d.onWay[1:]
	d.fromOthers[d.here] += len(hello.b)
	if d.server, err = NewServerMachine(cfg, shared, time.Now(), Datagram{Path: hello.path, Bytes: hello.b}, emitDown); err != nil {
		d.Fatal(err)
	}
}

// push puts a datagram on its way.
func (d *couple) push(toServer bool, p Path, g Datagram, delay time.Duration) {
	d.order++
	f := flying{at: time.Now().Add(delay), order: d.order, toServer: toServer, path: p, ecn: g.ECN, b: bytes.Clone(g.Bytes)}
	if d.pass == nil || d.pass(&f) {
		d.onWay = append(d.onWay, f)
	}
}

// run lets d's time pass.
func (d *couple) run(span time.Duration) {
	end := time.Now().Add(span)
	for d.step(end) {
	}
}

// until runs until done, at most a minute.
func (d *couple) until(done func() bool) {
	d.Helper()
	end := time.Now().Add(time.Minute)
	for !done() {
		if !d.step(end) {
			d.Fatal("it did not happen within a minute")
		}
	}
}

// step does what is due next, if it is before end.
func (d *couple) step(end time.Time) bool {
	for _, m := range []*Machine{d.client, d.server} {
		m.Advance(time.Now())
	}
	d.read()
	next := end
	for _, m := range []*Machine{d.client, d.server} {
		if at, ok := m.NextAt(time.Now()); ok && at.Before(next) {
			next = at
		}
	}
	slices.SortFunc(d.onWay, func(a, b flying) int { return cmp.Or(a.at.Compare(b.at), a.order-b.order) })
	if len(d.onWay) > 0 && d.onWay[0].at.Before(next) {
		next = d.onWay[0].at
	}
	time.Sleep(time.Until(next))
	for len(d.onWay) > 0 && !d.onWay[0].at.After(time.Now()) {
		f := d.onWay[0]
		d.onWay = d.onWay[1:]
		d.deliver(f)
	}
	return time.Now().Before(end)
}

func (d *couple) deliver(f flying) {
	switch {
	case f.toServer:
		d.fromOthers[f.path.Remote] += len(f.b)
		d.server.Handle(time.Now(), Datagram{Path: f.path, ECN: f.ecn, Bytes: f.b})
	case f.path.Remote == d.here: // Or nobody is there any more.
		d.client.Handle(time.Now(), Datagram{Path: Path{Remote: serverAddr}, ECN: f.ecn, Bytes: f.b})
	}
}

func (d *couple) read() {
	for i, m := range []*Machine{d.client, d.server} {
		buf := make([]byte, 16<<10)
		for n := m.Read(buf); n > 0; n = m.Read(buf) {
			d.got[i].Write(buf[:n])
			d.gotAt[i] = time.Now()
		}
	}
}

// talk has m write the bytes and waits until the other side has them.
func (d *couple) talk(m *Machine, text string) {
	d.Helper()
	i := 0
	if m == d.client {
		i = 1
	}
	want := d.got[i].Len() + len(text)
	m.Write([]byte(text))
	d.until(func() bool { return d.got[i].Len() >= want })
}
