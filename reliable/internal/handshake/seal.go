package handshake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

	"udpchat/reliable/internal/wire"
)

// A Seal encrypts and authenticates packets under one key, all in one direction (SPEC.md 4.7).
type Seal struct {
	aead  cipher.AEAD
	iv    [nonceBytes]byte
	nonce [nonceBytes]byte // of the call under way; here, so that it need not be allocated
}

const nonceBytes = 12

// Labels under which keys are derived.
const (
	labelKey    = "udpchat/2 key"
	labelIV     = "udpchat/2 iv"
	labelUpdate = "udpchat/2 update"
)

func newSeal(suite uint16, secret []byte) (*Seal, error) {
	keyBytes := 32
	if suite == tls.TLS_AES_128_GCM_SHA256 {
		keyBytes = 16
	}
	key, err := expand(suite, secret, labelKey, keyBytes)
	if err != nil {
		return nil, err
	}
	iv, err := expand(suite, secret, labelIV, nonceBytes)
	if err != nil {
		return nil, err
	}
	s := &Seal{}
	copy(s.iv[:], iv)
	if suite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		s.aead, err = chacha20poly1305.New(key)
	} else {
		s.aead, err = newGCM(key)
	}
	if err != nil {
		return nil, fmt.Errorf("handshake: making a cipher: %w", err)
	}
	return s, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// expand derives n bytes from a secret with the hash of the cipher suite.
func expand(suite uint16, secret []byte, label string, n int) ([]byte, error) {
	var h func() hash.Hash = sha256.New
	if suite == tls.TLS_AES_256_GCM_SHA384 {
		h = sha512.New384
	}
	b, err := hkdf.Expand(h, secret, label, n)
	if err != nil {
		return nil, fmt.Errorf("handshake: deriving keys: %w", err)
	}
	return b, nil
}

// nonceOf returns the nonce of a packet number, valid until the next call.
func (s *Seal) nonceOf(number uint64) []byte {
	s.nonce = s.iv
	low := s.nonce[nonceBytes-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^number)
	return s.nonce[:]
}

// Protect encrypts b in place from its first header bytes on, which it authenticates too, and appends the tag. A number
// must not be used twice.
func (s *Seal) Protect(b []byte, header int, number uint64) []byte {
	return s.aead.Seal(b[:header], s.nonceOf(number), b[header:], b[:header])
}

// Open decrypts b in place and reports whether all of it is authentic; if not, what follows the header is lost.
func (s *Seal) Open(b []byte, header int, number uint64) (body []byte, ok bool) {
	if len(b) < header+wire.SealBytes {
		return nil, false
	}
	body, err := s.aead.Open(b[header:header], s.nonceOf(number), b[header:], b[:header])
	return body, err == nil
}
