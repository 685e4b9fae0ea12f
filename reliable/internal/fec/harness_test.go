package fec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// symbol is one symbol on its way.
type symbol struct {
	group uint32
	index uint8
	k, r  uint8 // k == 0: a source symbol
	b     []byte
}

// link is a sender and a receiver with everything between them in the hands of the test.
type link struct {
	t    testing.TB
	enc  *Encoder
	dec  *Decoder
	now  time.Duration
	sent map[string]bool // every source symbol ever sent; contents are unique
	got  map[string]int  // how often each came out
	junk bool            // symbols nobody sent arrive too: what comes out is not checked
}

// fataler is what the harness needs of *testing.T and *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newLink(t testing.TB) *link {
	codecs := new(Codecs)
	return &link{
		t:   t,
		enc: NewEncoder(codecs), dec: NewDecoder(codecs),
		sent: make(map[string]bool), got: make(map[string]int),
	}
}

// group sends one group and returns its symbols, source symbols first.
func (l *link) group(r int, syms ...[]byte) []symbol {
	var all []symbol
	for _, b := range syms {
		group, index := l.enc.Add(b)
		l.sent[string(b)] = true
		all = append(all, symbol{group: group, index: index, b: bytes.Clone(b)})
	}
	g, ok := l.enc.Close(r)
	if !ok {
		l.t.Fatalf("group of %d symbols did not close", len(syms))
	}
	for i := range g.R {
		all = append(all, symbol{g.ID, uint8(i), uint8(g.K), uint8(g.R), bytes.Clone(g.Repair(i))})
	}
	return all
}

// arrive hands one symbol to the decoder and checks what must always hold.
func (l *link) arrive(f fataler, s symbol) Outcome {
	f.Helper()
	before := len(l.got)
	out := func(b []byte) { l.deliver(f, b) }
	outcome := Useless
	if s.k == 0 {
		if l.dec.Source(l.now, s.group, s.index, s.b, out) {
			l.deliver(f, s.b)
		}
	} else {
		outcome = l.dec.Repair(l.now, s.group, s.k, s.r, s.index, s.b, out)
		if !l.junk && (outcome == Recovered) != (len(l.got) > before) {
			f.Fatalf("outcome %v with %d symbols handed out", outcome, len(l.got)-before)
		}
	}
	checkBounds(f, l.dec)
	return outcome
}

func (l *link) deliver(f fataler, b []byte) {
	f.Helper()
	if l.got[string(b)]++; l.junk {
		return
	}
	if l.got[string(b)] > 1 {
		f.Fatalf("symbol of %d bytes came out twice", len(b))
	}
	if !l.sent[string(b)] {
		f.Fatalf("symbol of %d bytes came out but was never sent: %.40x", len(b), b)
	}
}

// checkBounds checks the decoder's limits and that its books are right.
func checkBounds(f fataler, d *Decoder) {
	f.Helper()
	s := d.stats
	if s.KeptBytes > DecoderBytesMax || s.KeptGroups > DecoderGroupsMax || s.KeptGroups != len(d.groups) {
		f.Fatalf("decoder keeps %d bytes in %d groups (%d in its books)", s.KeptBytes, len(d.groups), s.KeptGroups)
	}
	kept := 0
	for id, g := range d.groups {
		kept += g.keptBytes()
		if d.history.newest-id >= DecoderGroupsMax || d.history.closed(id) || id-d.tail >= DecoderGroupsMax {
			f.Fatalf("group %d kept though old or closed; newest %d, tail %d", id, d.history.newest, d.tail)
		}
		if len(g.sources) != has(d.history.seen(id), SourceMax) {
			f.Fatalf("group %d keeps %d source symbols of %b", id, len(g.sources), d.history.seen(id))
		}
	}
	if kept != s.KeptBytes {
		f.Fatalf("decoder keeps %d bytes, its books say %d", kept, s.KeptBytes)
	}
	if len(d.groups) > 0 && d.groups[d.tail] == nil {
		f.Fatalf("no group at tail %d", d.tail)
	}
}

// unique returns n bytes (at least 8) that differ for every tag.
func unique(tag uint64, n int) []byte {
	b := make([]byte, max(n, 8))
	rng := rand.New(rand.NewPCG(tag, 1))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	binary.BigEndian.PutUint64(b, tag)
	return b
}

// uniques returns k symbols of different lengths.
func uniques(tag uint64, k int) [][]byte {
	syms := make([][]byte, k)
	for i := range syms {
		syms[i] = unique(tag<<8|uint64(i), 20+(i*37)%300)
	}
	return syms
}

func (s symbol) String() string {
	if s.k == 0 {
		return fmt.Sprintf("source %d.%d", s.group, s.index)
	}
	return fmt.Sprintf("repair %d.%d of %d+%d", s.group, s.index, s.k, s.r)
}
