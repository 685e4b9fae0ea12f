package simulate

import (
	"encoding/binary"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A Contest is several flows that share one line, to see how much each gets of it. Flows send from left to right; what
// goes back has a line of its own. It must be used in a bubble of testing/synctest.
type Contest struct {
	driver netem.Driver
	start  time.Time
	shared *reliable.Shared
	lines  [2]*netem.Pipe // by sending side
	flows  []flow
}

// A flow is one sender and its receiver.
type flow interface {
	receive(side Side, p netem.Packet)
}

// NewContest returns a contest over two lines.
func NewContest(seed uint64, there, back netem.Params) *Contest {
	c := &Contest{start: time.Now(), shared: reliable.NewShared()}
	for side, p := range [2]netem.Params{there, back} {
		c.lines[side] = c.driver.Attach(netem.NewLink(p, seed, netem.Direction(side)), func(p netem.Packet) {
			c.flows[p.Tag].receive(Side(side).other(), p)
		})
	}
	return c
}

// Now is the time since the start.
func (c *Contest) Now() time.Duration { return c.driver.Now() }

func (c *Contest) time() time.Time { return c.start.Add(c.driver.Now()) }

// At has f called at a time.
func (c *Contest) At(t time.Duration, f func()) { c.driver.At(t, f) }

// RunUntil plays until time t.
func (c *Contest) RunUntil(t time.Duration) {
	for {
		at, ok := c.driver.NextAt()
		if !ok || at > t {
			return
		}
		if at > c.driver.Now() {
			time.Sleep(at - c.driver.Now())
		}
		c.driver.Step()
	}
}

func (c *Contest) add(f flow) uint64 {
	c.flows = append(c.flows, f)
	return uint64(len(c.flows) - 1)
}

// An Upload is one of our connections, whose client writes as much as it can to a bulk stream, and now and then a message to
// the connection itself.
type Upload struct {
	c     *Contest
	tag   uint64
	ends  [2]*reliable.Machine
	armed [2]time.Duration
	lane  reliable.Lane
	file  *reliable.MachineStream
	from  *reliable.MachineStream
	left  int // bytes of the file to write
	block []byte
	buf   []byte

	talk      []byte // said, not yet taken
	heard     []byte
	Latencies []time.Duration // of messages, from when they were to be said to when they were heard

	Delivered int    // bytes of the file
	Offered   [2]int // bytes of IP packets sent, by side
	Packets   [2]int
}

// NewUpload begins a connection whose client writes a file of so many bytes to a stream of the lane: to the connection itself
// if it is express.
func (c *Contest) NewUpload(cfg reliable.Config, lane reliable.Lane, bytes int) *Upload {
	u := &Upload{c: c, lane: lane, left: bytes, block: make([]byte, 64<<10), buf: make([]byte, 64<<10)}
	u.tag = c.add(u)
	cfg.Streams = 4
	m, err := reliable.NewClientMachine(cfg, c.shared, c.time(), reliable.Path{}, u.emit(Client))
	if err != nil {
		panic("BUG: simulate: no client: " + err.Error())
	}
	u.ends[Client] = m
	u.plan(Client)
	return u
}

// Machine returns one side.
func (u *Upload) Machine(side Side) *reliable.Machine { return u.ends[side] }

// Stop ends the connection at once.
func (u *Upload) Stop() {
	for _, m := range u.ends {
		if m != nil {
			m.Abort(u.c.time(), 0, "")
		}
	}
}

// messageBytes is the size of what Say says.
const messageBytes = 200

// Say says a message at this moment.
func (u *Upload) Say() {
	b := make([]byte, messageBytes)
	binary.LittleEndian.PutUint64(b, uint64(u.c.Now()))
	u.talk = append(u.talk, b...)
	u.plan(Client)
}

func (u *Upload) emit(side Side) func(reliable.Datagram) {
	return func(d reliable.Datagram) {
		u.Offered[side] += len(d.Bytes) + 28
		u.Packets[side]++
		u.c.lines[side].SendMarked(d.Bytes, u.tag, netem.ECN(d.ECN))
	}
}

func (u *Upload) receive(side Side, p netem.Packet) {
	d := reliable.Datagram{Bytes: p.Data, ECN: reliable.ECN(p.ECN)}
	if m := u.ends[side]; m != nil {
		m.Handle(u.c.time(), d)
	} else if m, err := reliable.NewServerMachine(reliable.Config{Streams: 4}, u.c.shared, u.c.time(), d, u.emit(side)); err == nil {
		u.ends[side] = m
	}
	u.plan(side)
}

// plan has a turn happen at this instant.
func (u *Upload) plan(side Side) { u.arm(side, u.c.Now()) }

func (u *Upload) arm(side Side, at time.Duration) {
	if u.armed[side] > 0 && u.armed[side] <= at {
		return
	}
	u.armed[side] = max(at, 1)
	u.c.driver.At(at, func() {
		if u.armed[side] == max(at, 1) {
			u.armed[side] = 0
			u.turn(side)
		}
	})
}

func (u *Upload) turn(side Side) {
	m := u.ends[side]
	if m == nil {
		return
	}
	if side == Client {
		u.write(m)
	}
	m.Advance(u.c.time())
	u.read(side, m)
	if next, ok := m.NextAt(u.c.time()); ok {
		at := next.Sub(u.c.start)
		if rest := at % time.Millisecond; rest > 0 {
			at += time.Millisecond - rest
		}
		u.arm(side, max(at, u.c.Now()))
	}
}

func (u *Upload) write(m *reliable.Machine) {
	if !m.Open() {
		return
	}
	write := m.Write
	if u.lane == reliable.Bulk {
		if u.file == nil {
			u.file, _ = m.OpenStream(reliable.Bulk) // The first: there is room.
		}
		write = u.file.Write
	}
	u.talk = u.talk[m.Write(u.talk):]
	for u.left > 0 {
		n := write(u.block[:min(len(u.block), u.left)])
		u.left -= n
		if n == 0 {
			break
		}
	}
}

func (u *Upload) read(side Side, m *reliable.Machine) {
	if u.from == nil {
		u.from = m.AcceptStream()
	}
	again := false
	for n := m.Read(u.buf); n > 0; n = m.Read(u.buf) {
		again = true
		if u.lane == reliable.Express {
			u.Delivered += n
		} else {
			u.hear(u.buf[:n])
		}
	}
	if u.from != nil {
		for n := u.from.Read(u.buf); n > 0; n = u.from.Read(u.buf) {
			again = true
			u.Delivered += n
		}
	}
	if again {
		u.plan(side) // A reader that was too slow makes the window larger.
	}
}

func (u *Upload) hear(b []byte) {
	u.heard = append(u.heard, b...)
	for len(u.heard) >= messageBytes {
		said := time.Duration(binary.LittleEndian.Uint64(u.heard))
		u.Latencies = append(u.Latencies, u.c.Now()-said)
		u.heard = u.heard[messageBytes:]
	}
}
