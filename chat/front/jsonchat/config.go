package jsonchat

import (
	"cmp"
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
	c.FileBytesMax = cmp.Or(c.FileBytesMax, fileBytesMax)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c, nil
}
