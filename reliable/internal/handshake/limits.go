package handshake

import "time"

// Limits of proving addresses.
const (
	// CookieLifetime is how long a cookie is honoured at least; at most twice as long. A client that needs longer
	// for one round trip gets a new one.
	CookieLifetime = 15 * time.Second

	// TokenLifetime is the same for tokens, which a client keeps for the next time.
	TokenLifetime = 24 * time.Hour

	// macBytes is how much of the HMAC travels in a cookie or token. Guessing 128 bits is hopeless.
	macBytes = 16
)

// Limits of what the other side may say before it is known. TLS messages of either side together; more fails the
// handshake.
const (
	// helloBytesMax bounds the TLS client hello: ours has some 240 bytes, one with a post-quantum key share 1,500.
	helloBytesMax = 4 << 10

	// mutualHelloBytes is how long the hellos of a client are that proves a key, too: longer than the answer of a server
	// with an ordinary key, which then has some 540 bytes.
	mutualHelloBytes = 640

	// flightBytesMax bounds the server's part: ours has some 440 bytes, one with a chain of certificates 4,000.
	flightBytesMax = 16 << 10
)

// Limits of keys (RFC 9001, 6.6).
const (
	// keyPacketsMax is after how many packets a side renews its keys: well before the 2^23 that keep AES-GCM's
	// advantage for an attacker negligible.
	keyPacketsMax = 1 << 22

	// keyLifeMax is after what time. Who steals a key can read an hour.
	keyLifeMax = time.Hour

	// OldKeysLife is how long the keys before the current ones are kept for packets that were overtaken.
	OldKeysLife = 3 * time.Second

	// ForgedPacketsMax is after how many packets with a wrong seal a connection ends: the integrity limit of
	// ChaCha20-Poly1305, which is below that of AES-GCM.
	ForgedPacketsMax = 1 << 36
)

// helloGaps are the pauses before the repetitions of a hello: short at first, because a lost hello is what the user
// waits for, then two a second, because the server is probably not there (RFC 8085, 3.1.1).
var helloGaps = [...]time.Duration{
	20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond, 100 * time.Millisecond,
	150 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond,
}

const helloGapLast = 500 * time.Millisecond

// Gap returns the pause before repetition n, from 0, of something that a user waits for.
func Gap(n int) time.Duration {
	if n < len(helloGaps) {
		return helloGaps[n]
	}
	return helloGapLast
}
