package account_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/sqlite"
)

// cheap hashes are for rules that do not depend on the price.
var cheap = passwd.Config{MemoryKiB: 8, Passes: 1}

// Places people come from.
var (
	home     = account.Attempt{From: netip.MustParseAddr("192.0.2.7")}
	homeToo  = account.Attempt{From: netip.MustParseAddr("192.0.2.200")} // The same network.
	stranger = account.Attempt{From: netip.MustParseAddr("198.51.100.9")}
)

// onEngines runs a test on the engines that stand for all: they pass one suite.
func onEngines(t *testing.T, f func(t *testing.T, e chat.Engine)) {
	t.Run("memory", func(t *testing.T) {
		e := memory.New(memory.Config{})
		defer e.Close()
		f(t, e)
	})
	t.Run("sqlite", func(t *testing.T) {
		e, err := sqlite.Open(t.TempDir(), sqlite.Config{Durability: sqlite.Fast})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		f(t, e)
	})
}

// newService returns the accounts of an engine; nil: a new one in memory. Everything is allowed unless change says no.
func newService(t *testing.T, e chat.Engine, change ...func(*account.Config)) *account.Service {
	t.Helper()
	if e == nil {
		e = memory.New(memory.Config{})
	}
	cfg := account.Config{Engine: e, Open: true, Guests: true, Passwords: cheap}
	for _, f := range change {
		f(&cfg)
	}
	s, err := account.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func secret(t *testing.T, password string) passwd.Secret {
	t.Helper()
	s, err := passwd.Clear(password)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// register makes accounts whose password is their name, from nowhere in particular.
func register(t *testing.T, s *account.Service, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.Register(t.Context(), account.Attempt{}, name, secret(t, name)); err != nil {
			t.Fatalf("registering %q: %v", name, err)
		}
	}
}

func wantCode(t *testing.T, what string, err error, want account.Code) {
	t.Helper()
	if !account.Is(err, want) {
		t.Errorf("%s: got %v, want %q", what, err, want)
	}
}

func wantNone(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// A heard is what OnChange was told.
type heard struct {
	mu  sync.Mutex
	all []string
}

func listen(s *account.Service) *heard {
	h := new(heard)
	s.OnChange(func(_ context.Context, c account.Change) {
		h.mu.Lock()
		defer h.mu.Unlock()
		text := c.Account + " " + c.Kind.String()
		if c.Peer != "" {
			text += " " + c.Peer
		}
		h.all = append(h.all, text)
	})
	return h
}

func (h *heard) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.all
	h.all = nil
	return strings.Join(all, ", ")
}

var errBroken = errors.New("the disk is on fire")

// A brittle engine refuses to write what broken says.
type brittle struct {
	chat.Engine
	broken func(bucket, key string) bool
}

func (b *brittle) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	if b.broken != nil && b.broken(bucket, key) {
		return 0, errBroken
	}
	return b.Engine.Put(ctx, bucket, key, val, rev)
}

func (b *brittle) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	if b.broken != nil && b.broken("read "+bucket, key) {
		return chat.Entry{}, errBroken
	}
	return b.Engine.Get(ctx, bucket, key)
}
