package passwd

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"runtime"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

// Config says what a hash costs. Fields that are 0 have their default. Only tests have a reason to ask for less.
type Config struct {
	MemoryKiB uint32 // 0: 19 MiB.
	Passes    uint32 // 0: 2.
	Lanes     uint8  // 0: 1.
	Parallel  int    // How many hashes run at the same time; 0: as many as there are CPUs.
}

// A Hasher makes and checks verifiers.
type Hasher struct {
	cfg     Config        // Constant.
	running chan struct{} // Has an element for each hash that runs.
	waiting atomic.Int64
	done    atomic.Uint64
}

// New returns a Hasher.
func New(cfg Config) *Hasher {
	if cfg.MemoryKiB == 0 {
		cfg.MemoryKiB = memoryKiB
	}
	if cfg.Passes == 0 {
		cfg.Passes = passes
	}
	if cfg.Lanes == 0 {
		cfg.Lanes = lanes
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = runtime.GOMAXPROCS(0)
	}
	return &Hasher{cfg: cfg, running: make(chan struct{}, cfg.Parallel)}
}

// A Result is what became of a check.
type Result uint8

const (
	Wrong   Result = iota // It is another password.
	Right                 // It is the password.
	Upgrade               // It is the password, and a new verifier should be made of it: this one has other costs than new ones.
)

// Hash returns a verifier of s, with a salt of its own. It waits for its turn. The error is ErrBusy, ErrEmpty or ctx's.
func (h *Hasher) Hash(ctx context.Context, s Secret) (string, error) {
	if s == (Secret{}) {
		return "", ErrEmpty
	}
	v := h.fresh()
	rand.Read(v.salt) // Never fails: without randomness it ends the process.
	key, err := h.derive(ctx, v, s)
	if err != nil {
		return "", err
	}
	v.key = key
	return v.String(), nil
}

// Verify checks s against a verifier. It waits for its turn. The time it takes does not depend on how right s is. The error
// is ErrBusy, matches ErrVerifier, or is ctx's.
func (h *Hasher) Verify(ctx context.Context, text string, s Secret) (Result, error) {
	v, err := parse(text)
	if err != nil {
		return Wrong, err
	}
	key, err := h.derive(ctx, v, s)
	switch {
	case err != nil:
		return Wrong, err
	case subtle.ConstantTimeCompare(key, v.key) != 1 || s == (Secret{}):
		return Wrong, nil
	case v.memoryKiB != h.cfg.MemoryKiB || v.passes != h.cfg.Passes || v.lanes != h.cfg.Lanes || len(v.key) != keyBytes:
		return Upgrade, nil
	}
	return Right, nil
}

// Idle does the work of a Verify that ends with Wrong: for users that are not there, so that asking does not tell.
func (h *Hasher) Idle(ctx context.Context, s Secret) error {
	_, err := h.derive(ctx, h.fresh(), s)
	return err
}

// Done returns how many hashes were made, whatever for.
func (h *Hasher) Done() uint64 { return h.done.Load() }

// fresh is a verifier of the costs that new ones have, with a salt of zeros.
func (h *Hasher) fresh() verifier {
	return verifier{memoryKiB: h.cfg.MemoryKiB, passes: h.cfg.Passes, lanes: h.cfg.Lanes, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
}

// derive computes the key of s with the costs and the salt of v, when it is its turn.
func (h *Hasher) derive(ctx context.Context, v verifier, s Secret) ([]byte, error) {
	select {
	case h.running <- struct{}{}:
	default:
		if h.waiting.Add(1) > int64(waitingMax*cap(h.running)) {
			h.waiting.Add(-1)
			return nil, ErrBusy
		}
		select {
		case h.running <- struct{}{}:
			h.waiting.Add(-1)
		case <-ctx.Done():
			h.waiting.Add(-1)
			return nil, ctx.Err()
		}
	}
	defer func() { <-h.running }()
	h.done.Add(1)
	return argon2.IDKey([]byte(s.md5Hex), v.salt, v.passes, v.memoryKiB, v.lanes, uint32(len(v.key))), nil
}
