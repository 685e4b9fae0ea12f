package chat

import (
	"context"
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

	// Accounts is asked about accounts. nil: every account exists, has no contacts and blocks nobody.
	Accounts Accounts
	// Reserved reports whether a visitor may not be called that, because it is an account's name.
	// nil: no name is. It is called for every visitor that connects, so it must be quick.
	Reserved func(name string) bool

	RoomsMax        int // Rooms of the Hub; 0 means 10,000.
	UsersMax        int // Users connected at the same time; 0 means 50,000.
	RoomsPerUserMax int // Rooms one user or one account is in; 0 means 64.
	NameBytesMax    int // Bytes of a room's or client's name; 0 means names.BytesMax, 64.
	MessageBytesMax int // Bytes of a text; 0 means 64 KiB, the most is 8 MiB.

	// Rand is where RandomIDs and the device part of message ids come from; only the Hub may use
	// it then. nil means crypto/rand, and outside of tests that is what it must be: whoever
	// guesses a JOIN_ID can speak for a plain client.
	Rand *rand.Rand
}

// Accounts is what the core has to know about accounts. Names are in the form that identifies an
// account. The methods may be called at the same time and may ask the engine.
type Accounts interface {
	// Exists reports whether there is an account of that name.
	Exists(ctx context.Context, account string) (bool, error)
	// Blocks reports whether account has blocked peer.
	Blocks(ctx context.Context, account, peer string) (bool, error)
	// Blocked returns all that account has blocked.
	Blocked(ctx context.Context, account string) ([]string, error)
	// Friends returns those whose presence account wants to know.
	Contacts(ctx context.Context, account string) ([]string, error)
}

// anybody stands for Accounts where there is none.
type anybody struct{}

func (anybody) Exists(context.Context, string) (bool, error)         { return true, nil }
func (anybody) Blocks(context.Context, string, string) (bool, error) { return false, nil }
func (anybody) Blocked(context.Context, string) ([]string, error)    { return nil, nil }
func (anybody) Contacts(context.Context, string) ([]string, error)   { return nil, nil }

// withDefaults returns cfg with all fields set, or what is wrong with it.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Engine == nil {
		return cfg, errors.New("chat: config has no Engine")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Accounts == nil {
		cfg.Accounts = anybody{}
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
