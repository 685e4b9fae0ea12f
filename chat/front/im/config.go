package im

import (
	"cmp"
	"log/slog"
	"time"

	"udpchat/chat/account"
)

// Config says how the protocol is spoken. Accounts must be set.
type Config struct {
	Accounts *account.Service
	Room     string // Where broadcasts are said; empty: lobby.

	// BlockDuration is how long three wrong passwords lock a name for this protocol; 0: 60 s.
	BlockDuration time.Duration
	// Timeout is after what time without a command a user is logged out; 0: 10 min.
	Timeout time.Duration

	// Packets of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative rate is
	// no limit.
	RequestsPerSecond float64
	RequestsBurst     int

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() Config {
	if c.Accounts == nil {
		panic("BUG: im: no accounts")
	}
	c.Room = cmp.Or(c.Room, "lobby")
	c.BlockDuration = cmp.Or(c.BlockDuration, blockDuration)
	c.Timeout = cmp.Or(c.Timeout, timeout)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
