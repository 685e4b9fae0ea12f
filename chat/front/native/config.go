package native

import (
	"cmp"
	"errors"
	"log/slog"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
)

// Config says how the protocol is spoken. Accounts and Engine must be set.
type Config struct {
	Accounts *account.Service // Who may log in.
	Engine   chat.Engine      // Keeps files, and hands introductions to other nodes. The Front does not close it.

	Open   bool // Anybody may register, as far as clients are told; Accounts decides.
	Guests bool // Anybody may come without a password, likewise.

	// Spool is the directory for uploads that are not complete. Empty: the server takes no files.
	Spool string
	// FileBytesMax is the longest file. 0 means 256 MiB.
	FileBytesMax int64
	// TextBytesMax is the longest text, as clients are told; the core decides. 0 means 64 KiB.
	TextBytesMax int

	Agent string // What clients are told the server is.

	// Requests of one connection per second, and how many more at once. 0: the defaults in limits.go; a negative rate is no
	// limit. An account may make twice as many, a network twenty times.
	RequestsPerSecond float64
	RequestsBurst     int

	// ComeBackAfter is how long clients are told to stay away when the server goes down; 0 means 2 s. ComeBackTo is where
	// they are sent, HOST:PORT; empty: here.
	ComeBackAfter time.Duration
	ComeBackTo    string

	Logger *slog.Logger // nil discards.
}

func (c Config) withDefaults() (Config, error) {
	if c.Accounts == nil || c.Engine == nil {
		return c, errors.New("native: config has no Accounts or no Engine")
	}
	c.FileBytesMax = cmp.Or(c.FileBytesMax, fileBytesMax)
	c.TextBytesMax = cmp.Or(c.TextBytesMax, textBytesMax)
	c.RequestsPerSecond = cmp.Or(c.RequestsPerSecond, requestsPerSecond)
	c.RequestsBurst = cmp.Or(c.RequestsBurst, requestsBurst)
	c.ComeBackAfter = cmp.Or(c.ComeBackAfter, comeBackAfter)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c, nil
}
