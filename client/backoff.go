package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
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
	return upTo(rng, most)
}

// upTo returns any time from a quarter of most to most.
func upTo(rng *rand.Rand, most time.Duration) time.Duration {
	return most/4 + time.Duration(rng.Int64N(int64(most-most/4)+1))
}

// succeed notes that a connection has lasted, so that the next loss is the first failure again.
func (b *backoff) succeed() { b.failures = 0 }

// A comeback says when to try again after a connection is lost: at once, then often for a while if nobody is there, as a
// server that was killed is back soon. Who is there and does not let us in is left alone as a backoff says. The zero value is
// ready for the first loss.
type comeback struct {
	tries    int       // Since a connection was good.
	slow     backoff   // For who is there, and after retryQuickTries.
	forgiven time.Time // When as many short connections as may be are forgiven again.
}

// next returns how long to wait until the next try. answered says that the last one found a server.
func (c *comeback) next(rng *rand.Rand, answered bool) time.Duration {
	n := c.tries
	c.tries++
	switch {
	case n == 0:
		return 0
	case !answered && n <= retryQuickTries:
		return upTo(rng, min(retryQuick>>2<<min(n-1, 2), retryQuick))
	}
	return c.slow.next(rng)
}

// ended notes that a connection has ended over which we were logged in for so long, and why. One that has lasted was good.
// One that has not was good, too, if it broke without a word, as when the server was killed; but only so often, as a server that
// breaks because so many come must not be broken again by them.
func (c *comeback) ended(now time.Time, lasted time.Duration, why error) {
	if lasted >= steadyAfter || wordless(why) && c.forgive(now) {
		c.tries, c.slow = 0, backoff{}
	}
}

// forgive reports whether one more short connection may be forgiven: forgiveBurst in a row, then one every forgiveEvery.
func (c *comeback) forgive(now time.Time) bool {
	if c.forgiven.Sub(now) > (forgiveBurst-1)*forgiveEvery {
		return false
	}
	c.forgiven = later(c.forgiven, now).Add(forgiveEvery)
	return true
}

// wordless reports whether a connection ended without the server having said why.
func wordless(why error) bool {
	_, refused := errors.AsType[native.Error](why)
	closed, told := errors.AsType[*reliable.CloseError](why)
	return !refused && !(told && closed.Remote) && !errors.Is(why, ErrDrained)
}

// turnedAway reports whether an attempt failed because a server was there and did not want us: it said so, or closed the
// connection before there was any talk.
func turnedAway(why error) bool {
	_, refused := errors.AsType[*reliable.RefusedError](why)
	op, failed := errors.AsType[*net.OpError](why)
	return refused || errors.Is(why, io.EOF) || failed && op.Op == "read"
}
