package chat

import (
	"maps"
	"slices"
	"time"
)

// deliver sends a whisper to a node, with a receipt that waits for it.
func (p *post) deliver(to nodeID, w whisperTo, r *Receipt) {
	p.mu.Lock()
	o := p.out[to]
	if o == nil {
		o = &outgoing{}
	}
	if p.closing || len(o.letters) >= lettersMax || o.bytes+len(w.text) > letterBytesMax {
		p.mu.Unlock()
		r.settle(errPostFull)
		return
	}
	p.last++
	o.letters = append(o.letters, &letter{n: p.last, since: time.Now(), receipt: r, whisperTo: w})
	o.bytes += len(w.text)
	if p.out == nil {
		p.out = make(map[nodeID]*outgoing)
	}
	p.out[to] = o
	p.mu.Unlock()
	p.stir()
}

// settle takes answers.
func (p *post) settle(m postMessage) {
	p.mu.Lock()
	var settled []*letter
	if o := p.out[m.from]; o != nil {
		kept := o.letters[:0]
		for _, l := range o.letters {
			l.arrived = l.arrived || l.n <= m.last
			if _, ok := m.answers[l.n]; ok {
				settled = append(settled, l)
				continue
			}
			kept = append(kept, l)
		}
		p.keepLocked(m.from, o, kept)
	}
	p.mu.Unlock()
	for _, l := range settled {
		l.receipt.settle(m.answers[l.n].err())
	}
}

// keepLocked has only those letters wait.
func (p *post) keepLocked(to nodeID, o *outgoing, letters []*letter) {
	clear(o.letters[len(letters):])
	if o.letters = letters; len(letters) == 0 {
		delete(p.out, to)
		return
	}
	o.bytes = 0
	for _, l := range letters {
		o.bytes += len(l.text)
	}
}

// expire gives up letters for which nobody waits any longer, or whose node is gone.
func (p *post) expire(now time.Time) {
	p.mu.Lock()
	waiting := slices.Collect(maps.Keys(p.out))
	p.mu.Unlock()
	dead := make(map[nodeID]bool)
	for _, to := range waiting {
		dead[to] = !p.hub.people.lives(to)
	}
	given := make(map[*letter]error)
	p.mu.Lock()
	for to, o := range p.out {
		kept := o.letters[:0]
		for _, l := range o.letters {
			switch {
			case dead[to], !l.arrived && now.Sub(l.since) >= letterArrival:
				given[l] = errNodeGone
			case now.Sub(l.since) >= letterLife:
				given[l] = errUnanswered
			default:
				kept = append(kept, l)
			}
		}
		p.keepLocked(to, o, kept)
	}
	p.mu.Unlock()
	for l, err := range given {
		l.receipt.settle(err)
	}
}

// send sends what was not sent yet; again: also what may have been lost.
func (p *post) send(again bool) {
	for _, m := range p.due(again) {
		p.line.send(m.encode())
	}
}

// due returns what is to be sent.
func (p *post) due(again bool) (all []postMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for to, o := range p.out {
		m := postMessage{kind: postLetter, from: p.self, of: to, base: o.letters[0].n}
		asks, repeats := false, 0
		for _, l := range o.letters {
			old := l.n <= o.sent
			asks = asks || again && l.arrived
			if old && (!again || l.arrived || repeats >= repeatsMax) {
				m.prev = l.n
				continue
			}
			if old {
				repeats++
			}
			m.n, m.whisperTo = l.n, l.whisperTo
			all = append(all, m)
			m.prev = l.n
		}
		if asks { // The answer to one that has arrived was perhaps lost.
			m.n, m.prev, m.whisperTo = 0, 0, whisperTo{}
			all = append(all, m)
		}
		o.sent = o.letters[len(o.letters)-1].n
	}
	for from, in := range p.in {
		if !in.owed {
			continue
		}
		m := postMessage{kind: postAnswers, from: p.self, of: from, last: in.last, answers: make(map[uint64]outcome)}
		for _, n := range in.fresh {
			if o, ok := in.answers[n]; ok {
				m.answers[n] = o
			}
		}
		all = append(all, m)
		in.fresh, in.owed = nil, false
	}
	return all
}

// end gives up all letters.
func (p *post) end() {
	p.mu.Lock()
	out := p.out
	p.out, p.closing = nil, true
	p.mu.Unlock()
	for _, o := range out {
		for _, l := range o.letters {
			l.receipt.settle(errUnanswered)
		}
	}
}
