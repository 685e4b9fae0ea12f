package simulate

import (
	"math/rand/v2"

	"udpchat/reliable"
)

// An app is one side's application: it writes by its plan, reads unless it stalls, and closes as the ending says.
type app struct {
	plan    *Plan
	next    int    // the write of the plan that is next
	queue   []byte // written, not yet taken by the machine
	printed int    // messages so far
	closed  bool
	random  *rand.Rand
	buf     []byte
}

// readBytesMax is the most an application reads at once.
const readBytesMax = 16 << 10

func (a *app) init(sc *Scenario, side Side) {
	a.plan = &sc.Plans[side]
	a.random = rand.New(rand.NewPCG(sc.Seed, 0xa990+uint64(side)))
	a.buf = make([]byte, readBytesMax)
}

// start plans the first write and the ends of stalls.
func (a *app) start(h *host) {
	a.planWrite(h)
	for _, s := range a.plan.Stalls {
		h.r.driver.At(s.To, h.planTurn)
	}
}

func (a *app) planWrite(h *host) {
	if a.next < len(a.plan.Writes) {
		h.r.driver.At(a.plan.Writes[a.next].At, func() { a.print(h) })
	}
}

// print writes what is due now.
func (a *app) print(h *host) {
	for a.next < len(a.plan.Writes) && a.plan.Writes[a.next].At <= h.r.now() {
		w := a.plan.Writes[a.next]
		a.next++
		if h.ended || a.closed {
			continue
		}
		var head header
		a.queue, head = h.r.press.print(a.queue, h.side, a.printed, w.Bytes)
		a.printed++
		h.r.check.streams[h.side].write(head, w.At)
	}
	h.planTurn()
	a.planWrite(h)
}

// done reports whether everything planned was written.
func (a *app) done() bool { return a.next == len(a.plan.Writes) && len(a.queue) == 0 }

// write hands bytes to the machine, and closes when there are no more and the ending says so.
func (a *app) write(h *host) {
	if n := h.m.Write(a.queue); n < len(a.queue) {
		h.r.check.facts[WriterBlocked]++
		a.queue = a.queue[n:]
	} else {
		a.queue = a.queue[:0]
	}
	if !a.done() || a.closed || !h.m.Open() {
		return
	}
	sc := h.r.sc
	switch mine := sc.Closer == h.side; {
	case sc.Ending == EndAbrupt && mine, sc.Ending == EndBoth:
		a.close(h)
	case sc.Ending == EndAbort && mine:
		a.noteClose(h)
		h.m.Abort(h.r.time(), sc.Code, sc.Text)
	}
}

func (a *app) close(h *host) {
	a.noteClose(h)
	h.m.Close(h.r.time(), h.r.sc.Code, h.r.sc.Text)
}

func (a *app) noteClose(h *host) {
	a.closed = true
	w := &h.r.check.sides[h.side]
	w.closed, w.closeAt = true, h.r.now()
}

// read takes what there is. Who has closed throws it away, to keep the peer's window open until it hears.
func (a *app) read(h *host) {
	if _, stalled := a.plan.stalled(h.r.now()); stalled && !a.closed && h.m.Err() == nil {
		return
	}
	for {
		n := h.m.Read(a.buf[:reliable.ReadBytesMin+a.random.IntN(readBytesMax-reliable.ReadBytesMin)])
		if n == 0 {
			return
		}
		if !a.closed {
			h.r.check.read(h.side, a.buf[:n])
		}
	}
}
