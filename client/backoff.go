package client

import (
	"math/rand/v2"
	"time"
)

// A backoff says when to try again. The zero value is ready for the first failure.
type backoff struct {
	failures int
}

// next returns how long to wait after a failure: any time up to a limit that doubles with each failure in a row.
func (b *backoff) next(rng *rand.Rand) time.Duration {
	most := retryMost
	if b.failures < 16 { // Beyond it the shift would overflow long after retryMost is reached.
		most = min(retryFirst<<b.failures, retryMost)
	}
	b.failures++
	return most/4 + time.Duration(rng.Int64N(int64(most-most/4)+1))
}

// succeed notes that a connection has lasted, so that the next loss is the first failure again.
func (b *backoff) succeed() { b.failures = 0 }
