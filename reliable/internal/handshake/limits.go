package handshake

import "time"

const (
	// CookieLifetime is how long a cookie is honoured at least; at most twice as long. A client that needs longer
	// for one round trip gets a new one.
	CookieLifetime = 15 * time.Second

	// cookieMACBytes is how much of the HMAC travels. Guessing 128 bits within CookieLifetime is hopeless.
	cookieMACBytes = 16
)

// helloGaps are the pauses before the repetitions of a hello: short at first, because a lost hello is what the user
// waits for, then two a second, because the server is probably not there (RFC 8085, 3.1.1).
var helloGaps = [...]time.Duration{
	20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 100 * time.Millisecond,
	150 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond,
}

const helloGapLast = 500 * time.Millisecond
