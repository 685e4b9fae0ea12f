package jsonchat

import (
	"errors"
	"log/slog"

	"udpchat/chat"
	"udpchat/chat/account"
)

// Config says what a Front works with. Engine and Accounts must be set.
type Config struct {
	Engine   chat.Engine      // Of the Hub: records, files, messages to oneself. The Front does not close it.
	Accounts *account.Service // Of the Hub.

	FileBytesMax int64 // Largest file; 0: 256 MiB.

	// Requests of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative
	// rate is no limit.
	RequestsPerSecond float64
	RequestsBurst     int

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() (Config, error) {
	if c.Engine == nil || c.Accounts == nil {
		return c, errors.New("jsonchat: config lacks Engine or Accounts")
	}
	if c.FileBytesMax == 0 {
		c.FileBytesMax = fileBytesMax
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
	return c, nil
}
