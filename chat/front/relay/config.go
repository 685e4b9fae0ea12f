package relay

import (
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
	if c.Room == "" {
		c.Room = "lobby"
	}
	if c.IdleFlush == 0 {
		c.IdleFlush = idleFlush
	}
	if c.ReceiptTimeout == 0 {
		c.ReceiptTimeout = receiptTimeout
	}
	if c.RequestsPerSecond == 0 {
		c.RequestsPerSecond = requestsPerSecond
	}
	if c.RequestsBurst == 0 {
		c.RequestsBurst = requestsBurst
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
