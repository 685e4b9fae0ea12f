package netem

import (
	"math/rand/v2"
)

// Direction tells the two links of a path apart: same seed, different numbers.
type Direction uint8

const (
	Up   Direction = iota // From the client to the server.
	Down                  // From the server to the client.
)

func (d Direction) String() string {
	if d == Up {
		return "up"
	}
	return "down"
}

// A stage names a stream of random numbers.
type stage uint8

const (
	stageEvents stage = iota
	stageLoss
	stageBurst
	stageBurstTimes
	stageChain
	stageMangle
	stageDuplicate
	stageRate
	stageDelay
	stageRedraw
)

// A stream is the random numbers of one stage.
type stream struct{ pcg rand.PCG }

func newStream(seed uint64, dir Direction, lane int, st stage) *stream {
	s := new(stream)
	key := streamKey(seed, dir, lane, st)
	s.pcg.Seed(key, mix(key, 1))
	return s
}

// streamKey turns (seed, direction, lane, stage) into one number.
func streamKey(seed uint64, dir Direction, lane int, st stage) uint64 {
	return mix(seed, uint64(dir), uint64(lane), uint64(st))
}

// next returns the next number of s.
func (s *stream) next() uint64 { return s.pcg.Uint64() }

// mix hashes words into one (the finaliser of splitmix64, chained), so that neighbouring seeds have
// nothing in common.
func mix(words ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range words {
		h += w + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// unit maps u to [0, 1). All draws go through it and never through a sampler that rejects, because those
// take a varying count of numbers.
func unit(u uint64) float64 { return float64(u>>11) / (1 << 53) }

// chance reports whether something of probability p happens for the draw u.
func chance(u uint64, p float64) bool { return unit(u) < p }
