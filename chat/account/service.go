package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"udpchat/chat"
	"udpchat/chat/passwd"
)

// Config says how accounts are dealt with. All fields but Engine may be zero.
type Config struct {
	Engine chat.Engine  // Keeps the records. The Service does not close it.
	Logger *slog.Logger // nil discards.

	Open      bool // Anybody may register.
	Guests    bool // Anybody may come without a password.
	AnyScript bool // New names may have letters of any script, one at a time; otherwise they are ASCII.

	LockDuration time.Duration // How long three wrong passwords lock; 0: 60 s.
	GuestLife    time.Duration // How long a guest is kept after its last log-in; 0: a week.
	QuotaBytes   int64         // Bytes of files an account may answer for, a guest a sixteenth of it; 0: 1 GiB.

	Passwords passwd.Config // What hashes cost. Only tests have a reason to change it.
}

// A Service is the accounts of one server. See the package comment.
type Service struct {
	cfg      Config // Constant.
	log      *slog.Logger
	hasher   *passwd.Hasher
	tokenKey []byte // Constant.
	attempts attempts
	spenders spenders
	numbers  numbers
	guests   atomic.Int64 // How many there are, about.
	changed  atomic.Pointer[func(context.Context, Change)]
}

var _ chat.Accounts = (*Service)(nil)

// New returns the accounts that are stored in an engine. It reads and, the first time, makes the key of the token hashes.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Engine == nil {
		return nil, errors.New("account: no engine")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.LockDuration <= 0 {
		cfg.LockDuration = lockDuration
	}
	if cfg.GuestLife <= 0 {
		cfg.GuestLife = guestLife
	}
	if cfg.QuotaBytes <= 0 {
		cfg.QuotaBytes = quotaBytes
	}
	s := &Service{cfg: cfg, log: cfg.Logger, hasher: passwd.New(cfg.Passwords)}
	s.attempts.init(cfg.LockDuration)
	s.spenders.init()
	var err error
	if s.tokenKey, err = s.secret(ctx, "tokens"); err != nil {
		return nil, err
	}
	guests, err := cfg.Engine.List(ctx, bucketGuests, "")
	if err != nil {
		return nil, fmt.Errorf("account: counting guests: %w", err)
	}
	s.guests.Store(int64(len(guests)))
	return s, nil
}

// secret returns 32 random bytes that are the same on all servers over one engine, and make them if need be.
func (s *Service) secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, secretBytes)
	rand.Read(fresh) // Never fails: without randomness it ends the process.
	_, err := s.cfg.Engine.Put(ctx, bucketSecrets, name, fresh, 0)
	if err == nil {
		return fresh, nil
	}
	if !errors.Is(err, chat.ErrConflict) {
		return nil, fmt.Errorf("account: making the key of %s: %w", name, err)
	}
	en, err := s.cfg.Engine.Get(ctx, bucketSecrets, name)
	if err != nil {
		return nil, fmt.Errorf("account: reading the key of %s: %w", name, err)
	}
	if len(en.Val) != secretBytes {
		return nil, fmt.Errorf("account: the key of %s is damaged: %d bytes", name, len(en.Val))
	}
	return en.Val, nil
}

// Work returns how many password hashes were made. It is what log-ins cost, and does not tell who exists.
func (s *Service) Work() uint64 { return s.hasher.Done() }
