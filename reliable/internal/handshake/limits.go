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
// waits for, then a second each, because the server is probably not there (RFC 8085, 3.1.1, allows a few packets).
var helloGaps = [...]time.Duration{
	30 * time.Millisecond, 70 * time.Millisecond, 150 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
}

const helloGapLast = time.Second
