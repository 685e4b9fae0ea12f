package relay

import (
	"cmp"
	"log/slog"
	"time"
)

// Config says how the protocol is spoken. The zero value is right for the room "lobby".
type Config struct {
	Room string // Where everybody is, and what ALL means; empty: lobby.

	// SaySend has every SENT called SEND, which some clients insist on and others do not know (PROTOCOL.md 2.1).
	SaySend bool

	IdleFlush      time.Duration // Silence that ends a message; 0: 150 ms.
	ReceiptTimeout time.Duration // For a client to acknowledge a FORWARD; 0: 5 s.

	// Messages of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative rate
	// is no limit.
	RequestsPerSecond float64
	RequestsBurst     int

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() Config {
	c.Room = cmp.Or(c.Room, "lobby")
	c.IdleFlush = cmp.Or(c.IdleFlush, idleFlush)
	c.ReceiptTimeout = cmp.Or(c.ReceiptTimeout, receiptTimeout)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
