package reliable

import (
	"bytes"
	"crypto/rand"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// A duo is a client's and a server's machine on one goroutine, with nothing between them but a queue.
type duo struct {
	client, server *Machine
	queue          []parcel
	now            time.Time
	bubble         bool // the test runs in one
	hold           func(parcel) bool
	held           []parcel // what hold said yes to
}

type parcel struct {
	to    *Machine
	bytes []byte
}

// newDuo returns two machines that are connected.
func newDuo(t testing.TB, cfg Config, shared *Shared) *duo {
	t.Helper()
	d := &duo{now: time.Now()}
	var err error
	var hello []byte
	d.client, err = NewClientMachine(cfg, shared, d.now, Path{}, func(g Datagram) {
		if d.server == nil {
			hello = bytes.Clone(g.Bytes)
			return
		}
		d.queue = append(d.queue, parcel{d.server, bytes.Clone(g.Bytes)})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.client.Advance(d.now)
	d.server, err = NewServerMachine(cfg, shared, d.now, Datagram{Bytes: hello}, func(g Datagram) {
		d.queue = append(d.queue, parcel{d.client, bytes.Clone(g.Bytes)})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.settle(t)
	if !d.client.Open() || !d.server.Open() {
		t.Fatalf("not connected: %v, %v", d.client.Err(), d.server.Err())
	}
	return d
}

// settle carries datagrams until there are none.
func (d *duo) settle(t testing.TB) {
	t.Helper()
	for range 100 {
		d.client.Advance(d.now)
		d.server.Advance(d.now)
		if len(d.queue) == 0 {
			d.queue = nil
			return
		}
		batch := d.queue
		d.queue = nil
		for _, p := range batch {
			if d.hold != nil && d.hold(p) {
				d.held = append(d.held, p)
				continue
			}
			p.to.Handle(d.now, Datagram{Bytes: p.bytes})
		}
	}
	t.Fatal("they never fall silent")
}

// say has a message cross.
func (d *duo) say(t testing.TB, from, to *Machine, text string) {
	t.Helper()
	from.Write([]byte(text))
	d.settle(t)
	buf := make([]byte, ReadBytesMin)
	if n := to.Read(buf); string(buf[:n]) != text {
		t.Fatalf("got %q, want %q", buf[:n], text)
	}
	d.pass(t, 20*time.Millisecond)
}

// wait is where time passes. The ARQ looks at the clock itself, so a bubble's must go with it.
func (d *duo) wait(span time.Duration) {
	if d.bubble {
		time.Sleep(span)
	}
	d.now = d.now.Add(span)
}

// pass lets time pass, calling the machines when they want it, and returns how often each was called.
func (d *duo) pass(t testing.TB, span time.Duration) (client, server int) {
	t.Helper()
	for end := d.now.Add(span); ; {
		c, _ := d.client.NextAt(d.now)
		s, _ := d.server.NextAt(d.now)
		next := c
		if s.Before(c) {
			next = s
		}
		if next.After(end) {
			d.wait(end.Sub(d.now))
			return client, server
		}
		if next.Before(d.now) {
			next = d.now
		}
		d.wait(next.Sub(d.now))
		if !c.After(d.now) {
			client++
		}
		if !s.After(d.now) {
			server++
		}
		d.settle(t)
		if d.client.Err() != nil || d.server.Err() != nil {
			t.Fatalf("ended: %v, %v", d.client.Err(), d.server.Err())
		}
	}
}

// A connection on which nothing moves is called once after idleState, and then only to probe the peer.
func TestIdleMachineIsCalledOnceAndThenOnlyToProbe(t *testing.T) {
	synctest.Test(t, testIdleMachineIsCalledOnce)
}

func testIdleMachineIsCalledOnce(t *testing.T) {
	d := newDuo(t, Config{IdleTimeout: time.Minute}, NewShared())
	d.bubble = true
	for range 3 {
		d.say(t, d.client, d.server, "hello")
		d.say(t, d.server, d.client, "hello yourself")
		d.pass(t, 2*time.Second) // What was sent is forgotten.
		if c, s := d.pass(t, 25*time.Second); c != 1 || s != 1 {
			t.Errorf("called %d and %d times in 25 s without traffic, want once each", c, s)
		}
		for _, m := range []*Machine{d.client, d.server} {
			if !m.main.arq.Asleep() || m.packet != nil || m.sent != nil || m.repairs != nil {
				t.Error("an idle machine still holds what only traffic needs")
			}
		}
		if c, s := d.pass(t, 3*time.Minute); c+s > 14 {
			t.Errorf("called %d and %d times in 3 minutes, want no more than to probe every 30 s", c, s)
		}
		if s := d.client.Stats(); s.Sleeps == 0 {
			t.Errorf("%+v", s)
		}
	}
	if s := d.server.Stats(); s.Wakes != 2 || s.Sleeps != 3 {
		t.Errorf("slept %d times and woke %d times, want 3 and 2", s.Sleeps, s.Wakes)
	}
}

// Only one side sleeps, because the other's reader does; then both go on.
func TestOneSideMaySleepAlone(t *testing.T) { synctest.Test(t, testOneSideMaySleepAlone) }

func testOneSideMaySleepAlone(t *testing.T) {
	d := newDuo(t, Config{}, NewShared())
	d.bubble = true
	d.say(t, d.client, d.server, "read")
	d.client.Write([]byte("unread"))
	d.settle(t)
	d.pass(t, 15*time.Second)
	if !d.client.main.arq.Asleep() || d.server.main.arq.Asleep() {
		t.Fatalf("client asleep %v, server %v, want only the client", d.client.main.arq.Asleep(), d.server.main.arq.Asleep())
	}
	buf := make([]byte, ReadBytesMin)
	if n := d.server.Read(buf); string(buf[:n]) != "unread" {
		t.Fatalf("got %q", buf[:n])
	}
	d.say(t, d.server, d.client, "now read")
	d.say(t, d.client, d.server, "more")
	d.pass(t, 15*time.Second)
	if !d.client.main.arq.Asleep() || !d.server.main.arq.Asleep() {
		t.Error("with everything read somebody stays awake")
	}
}

// Packets that the network held while both sides fell asleep and woke bring nothing and do no harm: whatever was in them
// came another way, by copies or retransmission.
func TestPacketsFromBeforeARestChangeNothing(t *testing.T) { synctest.Test(t, testPacketsFromBefore) }

func testPacketsFromBefore(t *testing.T) {
	d := newDuo(t, Config{}, NewShared())
	d.bubble = true
	n := 0
	for range 20 {
		d.hold = func(parcel) bool { n++; return n%3 == 0 } // Sources, copies, acknowledgements.
		d.client.Write([]byte("one"))
		d.server.Write([]byte("two"))
		d.settle(t)
		d.pass(t, 300*time.Millisecond)
		d.hold = nil
		d.pass(t, 3*time.Second)
		for _, m := range []*Machine{d.client, d.server} {
			if got := m.Read(make([]byte, 2*ReadBytesMin)); got != 3 {
				t.Fatalf("got %d bytes of a message of 3; %+v, %+v", got, d.client.Stats(), d.server.Stats())
			}
		}
	}
	d.pass(t, 15*time.Second)
	late := func() {
		for _, p := range d.held {
			p.to.Handle(d.now, Datagram{Bytes: bytes.Clone(p.bytes)})
		}
		d.settle(t)
		d.pass(t, 20*time.Millisecond) // Answers keep the ARQ from sending for as long as its interval.
		for _, m := range []*Machine{d.client, d.server} {
			if n := m.Read(make([]byte, ReadBytesMin)); n != 0 || m.Err() != nil {
				t.Errorf("late packets brought %d bytes, %v", n, m.Err())
			}
		}
	}
	if len(d.held) < 20 || !d.client.main.arq.Asleep() || !d.server.main.arq.Asleep() {
		t.Fatalf("%d packets held, asleep %v and %v", len(d.held), d.client.main.arq.Asleep(), d.server.main.arq.Asleep())
	}
	half := d.held[len(d.held)/2:]
	d.held = d.held[:len(d.held)/2]
	late()
	d.say(t, d.client, d.server, "awake")
	d.held = half
	late()
	d.say(t, d.server, d.client, "and well")
	if s := d.server.Stats(); s.Drops[DropRepeated] > 0 {
		t.Error("the held packets were never looked at")
	}
}

// idlePairs is how many pairs of machines BenchmarkIdleMachines connects.
const idlePairs = 10_000

// BenchmarkIdleMachines tells what an idle connection costs: bytes of heap for one side of each of many pairs, just after a
// message and after a silence, and what the calls of a minute of silence take.
func BenchmarkIdleMachines(b *testing.B) {
	shared := NewShared()
	identity, err := NewIdentity(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		base := heapBytes()
		duos := make([]*duo, idlePairs)
		for i := range duos {
			duos[i] = newDuo(b, Config{Identity: identity}, shared)
			duos[i].say(b, duos[i].client, duos[i].server, "hello")
		}
		b.ReportMetric(float64(heapBytes()-base)/(2*idlePairs), "awake_bytes/side")
		for _, d := range duos {
			d.pass(b, 15*time.Second)
		}
		b.ReportMetric(float64(heapBytes()-base)/(2*idlePairs), "asleep_bytes/side")
		start := time.Now()
		for _, d := range duos {
			d.pass(b, time.Minute)
		}
		b.ReportMetric(float64(time.Since(start))/(2*idlePairs)/float64(time.Minute)*1e9, "cpu_ns/side/s")
		b.ReportMetric(float64(heapBytes()-base)/(2*idlePairs), "probed_bytes/side")
		runtime.KeepAlive(duos)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(unsafe.Sizeof(Machine{})), "machine_bytes")
}

// heapBytes is what is in use after everything else was collected.
func heapBytes() int64 {
	for range 3 {
		runtime.GC()
	}
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// An idle machine, keys and all, stays below 4 KB.
func TestIdleMachineIsSmall(t *testing.T) {
	const pairs, limit = 200, 4 << 10
	shared := NewShared()
	duos := make([]*duo, pairs)
	identity, err := NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	newDuo(t, Config{Identity: identity}, shared) // What all share is not counted.
	base := heapBytes()
	for i := range duos {
		duos[i] = newDuo(t, Config{Identity: identity}, shared)
		duos[i].say(t, duos[i].client, duos[i].server, "hello")
		duos[i].pass(t, 15*time.Second)
	}
	got := (heapBytes() - base) / (2 * pairs)
	t.Logf("%d bytes each, of which the machine itself %d", got, unsafe.Sizeof(Machine{}))
	if got > limit {
		t.Errorf("an idle machine holds %d bytes, want no more than %d", got, limit)
	}
	runtime.KeepAlive(duos)
}
