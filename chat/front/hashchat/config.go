package hashchat

import (
	"cmp"
	"log/slog"
	"time"
)

// Config says how the protocol is spoken. The zero value is the dialect of 2014 in the room "lobby".
type Config struct {
	Room string // Where everybody is; empty: lobby.

	// Numbered is the dialect of 2021, in which a CLOSE has a number and a mistake ends the connection (PROTOCOL.md 4).
	Numbered bool

	// Users are the only names that may connect. Empty: any. Numbered only.
	Users []string

	// CutText has a text end at a '#' in it, as the first server did.
	CutText bool

	IdleFlush time.Duration // Silence that ends a line; 0: 150 ms.

	// Lines of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative rate is
	// no limit.
	RequestsPerSecond float64
	RequestsBurst     int

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() Config {
	c.Room = cmp.Or(c.Room, "lobby")
	c.IdleFlush = cmp.Or(c.IdleFlush, idleFlush)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
