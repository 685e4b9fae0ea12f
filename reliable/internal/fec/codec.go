package fec

import (
	"sync"

	"github.com/klauspost/reedsolomon"
)

// Codecs keeps the matrices for every size of group in use, so that many connections share them.
// The zero value is ready. Safe for concurrent use; must not be copied.
//
// It grows to about 100 KiB when every size of group has been received, and by at most 3 KiB for
// each pair (k, r) our own side sends.
type Codecs struct {
	mu sync.Mutex
	by map[codecKey]reedsolomon.Encoder // guarded by mu
}

type codecKey struct{ k, r uint8 }

// codec returns the code of k source and r repair symbols. Both have been checked.
func (c *Codecs) codec(k, r int) reedsolomon.Encoder {
	key := codecKey{uint8(k), uint8(r)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if rs, ok := c.by[key]; ok {
		return rs
	}
	rs, err := reedsolomon.New(k, r,
		// Easy to describe, and its rows do not depend on r.
		reedsolomon.WithCauchyMatrix(),
		// The cache of inverted matrices grows with every new pattern of loss and never shrinks.
		reedsolomon.WithInversionCache(false),
		// Shards are packets: too small to share among goroutines.
		reedsolomon.WithMaxGoroutines(1))
	if err != nil {
		panic("BUG: fec: code refused: " + err.Error())
	}
	if c.by == nil {
		c.by = make(map[codecKey]reedsolomon.Encoder)
	}
	c.by[key] = rs
	return rs
}
