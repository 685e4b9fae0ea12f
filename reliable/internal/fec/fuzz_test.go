package fec

import (
	"testing"
	"time"
)

// FuzzDecoder plays a script: each operation is one byte and its arguments. Honest symbols from an
// Encoder arrive in any order, or never, or twice, while time passes; junk may be mixed in. The
// limits must hold always, and without junk everything that comes out was sent and comes out once.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{opGroup, 3, 2, opArrive, 0, opArrive, 2, opArrive, 3})
	f.Add([]byte{opGroup, 0, 2, opArrive, 1, opArrive, 0, opArrive, 0, opGroup, 31, 11, opRest})
	f.Add([]byte{opGroup, 1, 1, opArrive, 0, opWait, 200, opArrive, 1, opSkip, 255, opGroup, 2, 2, opRest})
	f.Add([]byte{opJunk, 0, 0, 0, 9, opJunk, 0, 2, 3, 9, opJunk, 200, 2, 3, 9, opGroup, 1, 1, opRest, opExpire})
	f.Add([]byte{opGroup, 5, 3, opRest, opWait, 255, opWait, 255, opExpire, opRest, opMaxAge, 0, opGroup, 4, 4, opRest})
	f.Add([]byte{opGroup, 3, 3, opGroup, 0, 2, opArrive, 0, opArrive, 5, opForget, opRest, opGroup, 2, 2, opRest, opForget, opRest})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := &player{link: newLink(t), script: script[:min(len(script), 300)]}
		for len(p.script) > 0 {
			p.step(t)
		}
	})
}

const (
	opGroup  = iota // k-1, r: a group is sent
	opArrive        // which: a pending symbol arrives, and stays pending
	opRest          // all pending symbols arrive, oldest first
	opWait          // time passes
	opSkip          // groups are sent and lost
	opExpire
	opMaxAge
	opJunk // group, k, index, length: a symbol nobody sent
	opForget
	ops
)

type player struct {
	*link
	script  []byte
	pending []symbol
	groups  uint64
}

// next returns the next byte of the script, 0 at its end.
func (p *player) next() byte {
	if len(p.script) == 0 {
		return 0
	}
	b := p.script[0]
	p.script = p.script[1:]
	return b
}

func (p *player) step(t *testing.T) {
	switch p.next() % ops {
	case opGroup:
		p.groups++
		k, r := int(p.next())%SourceMax+1, int(p.next())
		p.pending = append(p.pending, p.group(r, uniques(p.groups, k)...)...)
		p.pending = p.pending[max(0, len(p.pending)-64):]
	case opArrive:
		if i := int(p.next()); i < len(p.pending) {
			p.arrive(t, p.pending[i])
		}
	case opRest:
		for _, s := range p.pending {
			p.arrive(t, s)
		}
	case opWait:
		n := time.Duration(p.next())
		p.now += n * n * ms
	case opSkip:
		n := uint32(p.next())
		p.enc.id += n * n
	case opExpire:
		p.dec.Expire(p.now)
		checkBounds(t, p.dec)
	case opForget:
		p.dec.Forget()
		checkBounds(t, p.dec)
	case opMaxAge:
		p.dec.SetMaxAge(time.Duration(p.next()) * ms)
	case opJunk:
		p.junk = true
		group := p.enc.id + uint32(p.next())<<2
		k, index, n := p.next()%(SourceMax+2), p.next()%(SourceMax+1), int(p.next())*7
		p.arrive(t, symbol{group, index, k, RepairMax, make([]byte, n)})
	}
}
