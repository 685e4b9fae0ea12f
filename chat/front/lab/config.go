package lab

import (
	"cmp"
	"log/slog"
	"time"
)

// Config says how the protocol is spoken. The zero value is compat mode without KILL_SERVICE.
type Config struct {
	StudentID string // What HELO answers; empty is sent as 0.

	// Strict is the document to the letter, instead of what its clients need (PROTOCOL.md 7).
	Strict bool

	// AllowKill lets anybody end the server by KILL_SERVICE: Kill is called, once for each such request. It must
	// not block. Without both the request is refused.
	AllowKill bool
	Kill      func()

	// Advertise is the IP address or host name which HELO and JOINED show instead of the one the client reached us at, for
	// servers behind address translation. Empty: the local address of the connection.
	Advertise string

	IdleFlush   time.Duration // Silence that ends an unended message; 0: 150 ms.
	CallTimeout time.Duration // For a client to call back; 0: 4.5 s.

	// Requests of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative
	// rate is no limit.
	RequestsPerSecond float64
	RequestsBurst     int

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() Config {
	c.StudentID = cmp.Or(c.StudentID, "0") // The document's testers look for something there.
	if c.Kill == nil {
		c.AllowKill = false
	}
	c.IdleFlush = cmp.Or(c.IdleFlush, idleFlush)
	c.CallTimeout = cmp.Or(c.CallTimeout, callTimeout)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c
}
