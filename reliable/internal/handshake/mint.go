package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"time"
)

// A mint makes proofs that it recognises later without having kept them: a MAC under a secret that lives for two slots
// of time.
type mint struct {
	kind    byte // first byte of every proof
	life    time.Duration
	random  io.Reader
	slot    int64 // the slot of secrets[0]
	secrets [2][32]byte
}

// proofBytes is the size of a proof: kind, low byte of the slot, MAC.
const proofBytes = 1 + 1 + macBytes

func newMint(now time.Time, kind byte, life time.Duration, random io.Reader) (*mint, error) {
	m := &mint{kind: kind, life: life, random: random}
	m.slot = m.slotOf(now)
	for i := range m.secrets {
		if _, err := io.ReadFull(random, m.secrets[i][:]); err != nil {
			return nil, fmt.Errorf("handshake: making a cookie secret: %w", err)
		}
	}
	return m, nil
}

func (m *mint) slotOf(now time.Time) int64 { return now.UnixNano() / int64(m.life) }

// rotate replaces secrets whose time is over: a proof of the current or the previous slot is valid, no other.
func (m *mint) rotate(now time.Time) error {
	slot := m.slotOf(now)
	steps := slot - m.slot
	if steps < 0 {
		return nil // The clock went back: the secrets in hand stay good.
	}
	for range min(steps, int64(len(m.secrets))) {
		m.secrets[1] = m.secrets[0]
		if _, err := io.ReadFull(m.random, m.secrets[0][:]); err != nil {
			return fmt.Errorf("handshake: making a cookie secret: %w", err)
		}
	}
	m.slot = slot
	return nil
}

// strike makes a proof for what it is to prove, under the current secret or the one before.
func (m *mint) strike(secret int, what []byte) []byte {
	b := make([]byte, 2, 2+sha256.Size)
	b[0], b[1] = m.kind, byte(m.slot-int64(secret))
	mac := hmac.New(sha256.New, m.secrets[secret][:])
	mac.Write(what) // A hash never returns an error.
	return mac.Sum(b)[:proofBytes]
}

// valid reports whether the proof is one of ours, in time, and for that.
func (m *mint) valid(proof, what []byte) bool {
	if len(proof) != proofBytes || proof[0] != m.kind {
		return false
	}
	for i := range m.secrets {
		if proof[1] == byte(m.slot-int64(i)) {
			return hmac.Equal(proof, m.strike(i, what))
		}
	}
	return false
}
