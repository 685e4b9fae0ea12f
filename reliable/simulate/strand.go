package simulate

import (
	"encoding/binary"
	"errors"
	"time"

	"udpchat/reliable"
)

// A StreamPlan is one stream beside the connection itself: who opens it, what both sides write to it before they end their
// side, and whether somebody breaks it off.
type StreamPlan struct {
	Opener   Side
	At       time.Duration
	Lane     reliable.Lane
	Bytes    [2]int        // by who writes; the opener's begin with the number of the plan
	ResetAt  time.Duration // 0: never
	Resetter Side
	Code     uint32 // of the reset
}

// planBytes is the size of the number of the plan, with which the opener begins.
const planBytes = 4

// A strand is one side's view of a stream.
type strand struct {
	s      *reliable.MachineStream
	plan   int // -1: not known yet
	wrote  int // taken by the machine
	got    int // bytes read
	number []byte
	ended  bool // the peer's end was read
	broken bool // off, by whomever
}

// strands are the streams of one side.
type strands struct {
	list   []*strand
	opened []bool // by plan: this side has opened it, or was offered it
}

// content fills b with what a side writes to a stream from an offset on: different for every plan, side and offset.
func (r *run) content(b []byte, plan int, from Side, off int) []byte {
	for i := range b {
		b[i] = r.press.block[((off+i)*7+plan*7919+int(from)*104729)%len(r.press.block)]
	}
	if from == r.sc.Streams[plan].Opener && off < planBytes {
		var n [planBytes]byte
		binary.LittleEndian.PutUint32(n[:], uint32(plan))
		copy(b, n[off:])
	}
	return b
}

// startStreams plans the turns in which something happens to streams.
func (h *host) startStreams() {
	h.strands.opened = make([]bool, len(h.r.sc.Streams))
	for _, p := range h.r.sc.Streams {
		if p.Opener == h.side {
			h.r.driver.At(p.At, h.planTurn)
		}
		if p.ResetAt > 0 && p.Resetter == h.side {
			h.r.driver.At(p.ResetAt, h.planTurn)
		}
	}
}

// writeStreams opens what is due, writes, ends and breaks off.
func (h *host) writeStreams() {
	if !h.m.Open() || h.app.closed {
		return
	}
	for i, p := range h.r.sc.Streams {
		if p.Opener != h.side || p.At > h.r.now() || h.strands.opened[i] {
			continue
		}
		s, err := h.m.OpenStream(p.Lane)
		if err != nil {
			h.r.check.facts[StreamsFull]++
			continue // Again in the next turn.
		}
		h.strands.opened[i] = true
		h.strands.list = append(h.strands.list, &strand{s: s, plan: i})
		h.r.check.facts[StreamOpened]++
	}
	for _, t := range h.strands.list {
		if t.plan >= 0 && !t.s.Gone() {
			h.writeStrand(t, &h.r.sc.Streams[t.plan])
		}
	}
}

func (h *host) writeStrand(t *strand, p *StreamPlan) {
	if p.ResetAt > 0 && p.Resetter == h.side && h.r.now() >= p.ResetAt {
		t.s.Reset(p.Code)
		return
	}
	total := p.Bytes[h.side]
	for t.wrote < total {
		b := h.r.content(h.app.buf[:min(len(h.app.buf), total-t.wrote)], t.plan, h.side, t.wrote)
		n := t.s.Write(b)
		t.wrote += n
		if n < len(b) {
			return
		}
	}
	t.s.CloseWrite()
}

// readStreams takes what there is to read.
func (h *host) readStreams() {
	if _, stalled := h.app.plan.stalled(h.r.now()); stalled && !h.app.closed && h.m.Err() == nil {
		return
	}
	for s := h.m.AcceptStream(); s != nil; s = h.m.AcceptStream() {
		h.strands.list = append(h.strands.list, &strand{s: s, plan: -1})
		h.planTurn()
	}
	for _, t := range h.strands.list {
		for n := t.s.Read(h.app.buf); n > 0; n = t.s.Read(h.app.buf) {
			h.readStrand(t, h.app.buf[:n])
		}
		if err := (&reliable.StreamError{}); !t.broken && errors.As(t.s.Err(), &err) {
			t.broken = true
			if t.plan >= 0 && !h.mayBreak(t, err) {
				h.r.check.fail("stream", h.side, "stream %d was broken off: %v", t.plan, err)
			}
		}
		if !t.ended && t.s.Ended() {
			t.ended = true
			h.endStrand(t)
		}
	}
}

func (h *host) readStrand(t *strand, b []byte) {
	fail := h.r.check.fail
	if t.ended {
		fail("stream", h.side, "stream %d: %d bytes behind its end", t.s.ID(), len(b))
	}
	for t.plan < 0 && len(b) > 0 {
		t.number = append(t.number, b[0])
		b = b[1:]
		if len(t.number) < planBytes {
			continue
		}
		t.got = planBytes
		plan := int(binary.LittleEndian.Uint32(t.number))
		switch {
		case plan >= len(h.r.sc.Streams) || h.r.sc.Streams[plan].Opener == h.side || h.r.sc.Streams[plan].Lane != t.s.Lane():
			fail("stream", h.side, "stream %d begins with %d, which nobody wrote", t.s.ID(), plan)
			return
		case h.strands.opened[plan]:
			fail("stream", h.side, "stream %d is offered as stream %d again", plan, t.s.ID())
			return
		}
		t.plan, h.strands.opened[plan] = plan, true
		h.planTurn() // It has something to say to it.
	}
	if t.plan < 0 {
		return
	}
	want := h.r.content(make([]byte, len(b)), t.plan, h.side.other(), t.got)
	for i := range b {
		if b[i] != want[i] {
			fail("stream", h.side, "stream %d: byte %d is wrong", t.plan, t.got+i)
			return
		}
	}
	t.got += len(b)
}

func (h *host) endStrand(t *strand) {
	h.r.check.facts[StreamEnded]++
	if t.plan < 0 {
		h.r.check.fail("stream", h.side, "stream %d ended after %d bytes", t.s.ID(), len(t.number))
		return
	}
	if want := h.r.sc.Streams[t.plan].Bytes[h.side.other()]; t.got != want {
		h.r.check.fail("stream", h.side, "stream %d ended after %d bytes of %d", t.plan, t.got, want)
	}
}

// streamsOver reports whether all streams of a side were opened and are over.
func (h *host) streamsOver() bool {
	for i, p := range h.r.sc.Streams {
		if p.Opener == h.side && !h.strands.opened[i] {
			return false
		}
	}
	for _, t := range h.strands.list {
		if !t.s.Gone() {
			return false
		}
	}
	return true
}

// settledStreams is called when all streams must be over.
func (h *host) settledStreams() {
	for _, t := range h.strands.list {
		if !t.s.Gone() {
			h.r.check.fail("liveness", h.side, "stream %d of plan %d is not over: %d bytes written, %d read, ended %v; it holds %+v",
				t.s.ID(), t.plan, t.wrote, t.got, t.ended, h.m.Held())
		}
	}
}

// mayBreak reports whether a stream may have been broken off so.
func (h *host) mayBreak(t *strand, err *reliable.StreamError) bool {
	p := &h.r.sc.Streams[t.plan]
	switch {
	case err.Remote && err.Code == reliable.CodeFull:
		h.r.check.facts[StreamRefused]++
		return h.side == p.Opener && (len(h.r.sc.Streams) > h.r.sc.Config.Streams || h.r.check.sides[h.side.other()].closed)
	case p.ResetAt == 0 || err.Code != p.Code:
		return false
	}
	h.r.check.facts[StreamReset]++
	return err.Remote == (p.Resetter != h.side)
}

// lostBytes returns how many bytes that the other side wrote to streams have not been read here, of streams nobody broke
// off.
func (h *host) lostBytes() int {
	lost := 0
	for _, o := range h.r.hosts[h.side.other()].strands.list {
		if o.plan < 0 || o.s.Err() != nil {
			continue
		}
		got := 0
		for _, t := range h.strands.list {
			if t.plan == o.plan {
				if t.s.Err() != nil {
					got = o.wrote
				}
				got = max(got, t.got)
			}
		}
		lost += o.wrote - got
	}
	return lost
}

// drawStreams draws further streams.
func (d dice) drawStreams(s *Scenario) {
	s.Config.Streams = 4
	if d.chance(0.4) {
		return
	}
	if d.chance(0.2) {
		s.Config.Streams = 1
	}
	n, rush := 1+d.IntN(8), d.chance(0.1)
	if rush { // More than there may be.
		n = 8
	}
	first := StreamPlan{Opener: Side(d.IntN(2)), At: d.between(0, s.HealAt), Lane: reliable.Bulk}
	for range n {
		p := StreamPlan{Opener: Side(d.IntN(2)), At: d.between(0, s.HealAt), Lane: reliable.Lane(d.IntN(2))}
		if rush {
			p = first
		}
		limit := 3000
		if p.Lane == reliable.Bulk {
			limit = 300_000
		}
		for side := range p.Bytes {
			if d.chance(0.8) {
				p.Bytes[side] = d.log(1, limit)
			}
		}
		p.Bytes[p.Opener] += planBytes
		if d.chance(0.3) {
			p.ResetAt = p.At + d.between(time.Millisecond, 5*time.Second)
			p.Resetter, p.Code = Side(d.IntN(2)), reliable.CodeApplication+uint32(d.IntN(1000))
		}
		s.Streams = append(s.Streams, p)
	}
}
