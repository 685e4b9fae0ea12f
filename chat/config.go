package chat

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"udpchat/chat/names"
)

// Config says what a Hub works with. All fields but Engine may be zero.
type Config struct {
	Engine Engine       // Decides the order and keeps the logs. The Hub does not close it.
	Logger *slog.Logger // nil discards.

	RoomsMax        int // Rooms of the Hub; 0 means 10,000.
	UsersMax        int // Users connected at the same time; 0 means 50,000.
	RoomsPerUserMax int // Rooms one user is in; 0 means 64.
	NameBytesMax    int // Bytes of a room's or client's name; 0 means names.BytesMax, 64.
	MessageBytesMax int // Bytes of a text; 0 means 64 KiB, the most is 8 MiB.

	// Rand is where RandomIDs and the device part of message ids come from; only the Hub may use
	// it then. nil means crypto/rand, and outside of tests that is what it must be: whoever
	// guesses a JOIN_ID can speak for a plain client.
	Rand *rand.Rand
}

// withDefaults returns cfg with all fields set, or what is wrong with it.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Engine == nil {
		return cfg, errors.New("chat: config has no Engine")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for _, l := range []struct {
		name string
		val  *int
		def  int
		max  int
	}{
		{"RoomsMax", &cfg.RoomsMax, roomsMax, 1 << 24},
		{"UsersMax", &cfg.UsersMax, usersMax, 1 << 24},
		{"RoomsPerUserMax", &cfg.RoomsPerUserMax, roomsPerUserMax, 1 << 16},
		{"NameBytesMax", &cfg.NameBytesMax, names.BytesMax, 1 << 16},
		{"MessageBytesMax", &cfg.MessageBytesMax, messageBytesMax, recordBytesMax / 2},
	} {
		if *l.val == 0 {
			*l.val = l.def
		}
		if *l.val < 0 || *l.val > l.max {
			return cfg, fmt.Errorf("chat: config %s is %d, not in 1 to %d", l.name, *l.val, l.max)
		}
	}
	return cfg, nil
}
