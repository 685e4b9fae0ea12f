package handshake

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"hash"

	"udpchat/reliable/internal/wire"
)

// labelReset separates the secret of stateless resets from everything else the private key is used for.
const labelReset = "udpchat/2 reset"

// Resets makes the stateless resets of one endpoint's connections from nothing but their IDs, so that it can do so again
// after a restart in which it has forgotten them (SPEC.md 9.4). It must not be used by two goroutines at once.
type Resets struct {
	mac hash.Hash
	id  [8]byte
	sum [sha256.Size]byte
}

// Resets returns what makes the resets of the endpoint of that name. Endpoints that are there at the same time must have
// different ones: else somebody who knows the ID of a connection of one could have another say that it is forgotten.
func (id *Identity) Resets(endpoint string) (*Resets, error) {
	secret, err := hkdf.Expand(sha256.New, id.resets, labelReset+endpoint, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("handshake: deriving the secret of resets: %w", err)
	}
	return &Resets{mac: hmac.New(sha256.New, secret)}, nil
}

// Of returns the reset of the connection whose server receives under that ID.
func (r *Resets) Of(id wire.ConnID) (reset wire.StatelessReset) {
	binary.BigEndian.PutUint64(r.id[:], uint64(id))
	r.mac.Reset()
	r.mac.Write(r.id[:]) // A hash never returns an error.
	sum := r.mac.Sum(r.sum[:0])
	reset.ID = wire.ConnID(binary.BigEndian.Uint64(sum))
	copy(reset.Token[:], sum[8:])
	return reset
}

// resetSecret is from what all secrets of resets of a private key are derived. Only who has the key has it.
func resetSecret(private any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("handshake: deriving the secret of resets: %w", err)
	}
	return hkdf.Extract(sha256.New, der, nil)
}
