package chat

import (
	"maps"
	"math"
	"slices"
	"time"
)

// accept takes a letter, and returns those whose turn it is now: none if it was taken before, or if one before it was
// lost, which will come again.
func (p *post) accept(m postMessage, now time.Time) (ready []postMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := p.in[m.from]
	if in == nil {
		if p.forgetLocked(now); len(p.in) >= nodesMax {
			return nil
		}
		in = &incoming{answers: make(map[uint64]outcome), early: make(map[uint64]postMessage)}
		if p.in == nil {
			p.in = make(map[nodeID]*incoming)
		}
		p.in[m.from] = in
	}
	in.heard, in.owed = now, true
	if m.base > in.base {
		in.forgetBefore(m.base)
	}
	switch {
	case m.n == 0: // Only a question.
		for n := range in.answers {
			in.fresh = append(in.fresh, n)
		}
		return nil
	case m.n <= in.last:
		if _, ok := in.answers[m.n]; ok {
			in.fresh = append(in.fresh, m.n)
		}
		return nil
	case m.prev > in.last:
		if len(in.early) < repeatsMax {
			in.early[m.n] = m
		}
		return nil
	}
	for {
		ready = append(ready, m)
		in.last = m.n
		delete(in.early, m.n)
		next := uint64(math.MaxUint64)
		for n, early := range in.early {
			switch {
			case n <= in.last:
				delete(in.early, n)
			case early.prev <= in.last:
				next = min(next, n)
			}
		}
		if next == math.MaxUint64 {
			return ready
		}
		m = in.early[next]
	}
}

// forgetBefore forgets the answers to letters before that.
func (in *incoming) forgetBefore(base uint64) {
	in.base = base
	maps.DeleteFunc(in.answers, func(n uint64, _ outcome) bool { return n < base })
}

// keep keeps an answer until nobody waits for it, and sends it.
func (in *incoming) keep(n uint64, o outcome) {
	if len(in.answers) >= answersMax {
		in.forgetBefore(slices.Sorted(maps.Keys(in.answers))[answersMax/2])
	}
	in.answers[n], in.fresh, in.owed = o, append(in.fresh, n), true
}

// forgetLocked forgets nodes from which nothing has come for so long that nothing can come again.
func (p *post) forgetLocked(now time.Time) {
	for from, in := range p.in {
		if now.Sub(in.heard) > postMemory {
			delete(p.in, from)
		}
	}
}

// open tells those a letter is for.
func (p *post) open(m postMessage) {
	answer := func(o outcome) {
		p.mu.Lock()
		if in := p.in[m.from]; in != nil {
			in.keep(m.n, o)
		}
		p.mu.Unlock()
		p.stir()
	}
	r := &Receipt{waiting: 1, done: make(chan struct{}), then: func(err error) { answer(outcomeOf(err)) }}
	if m.ask {
		r.all = true
		p.hub.answer(m.whisperTo, r)
		r.settle(nil)
		return
	}
	if p.hub.tell(m.whisperTo, r) == 0 {
		answer(outcomeNobody)
		return
	}
	r.settle(ErrNotTaken)
}
