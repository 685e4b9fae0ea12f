package handshake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"udpchat/reliable/internal/wire"
)

// A Seal authenticates the packets of one direction of one connection. In this version the key comes from the hello,
// which travels in clear: the seal stops corrupted packets and strangers who have not seen the hello, not somebody who
// listens. Safe for concurrent use.
type Seal struct{ aead cipher.AEAD }

// Seals returns the seals of both directions of the connection that the nonce and the two IDs name.
func Seals(nonce wire.Nonce, client, server wire.ConnID) (toServer, toClient *Seal, err error) {
	var ids [16]byte
	binary.BigEndian.PutUint64(ids[:], uint64(client))
	binary.BigEndian.PutUint64(ids[8:], uint64(server))
	secret, err := hkdf.Extract(sha256.New, nonce[:], ids[:])
	if err != nil {
		return nil, nil, fmt.Errorf("handshake: deriving keys: %w", err)
	}
	if toServer, err = newSeal(secret, "udpchat/1 client"); err != nil {
		return nil, nil, err
	}
	toClient, err = newSeal(secret, "udpchat/1 server")
	return toServer, toClient, err
}

func newSeal(secret []byte, label string) (*Seal, error) {
	key, err := hkdf.Expand(sha256.New, secret, label, 16)
	if err != nil {
		return nil, fmt.Errorf("handshake: deriving keys: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("handshake: making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("handshake: making a cipher: %w", err)
	}
	return &Seal{aead}, nil
}

// Append appends the tag of wire.SealBytes bytes that covers all of datagram, whose packet number is given.
func (s *Seal) Append(datagram []byte, number uint64) []byte {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], number)
	return s.aead.Seal(datagram, nonce[:], nil, datagram)
}

// Open cuts the tag off and reports whether it is right.
func (s *Seal) Open(datagram []byte, number uint64) (body []byte, ok bool) {
	cut := len(datagram) - wire.SealBytes
	if cut < 0 {
		return nil, false
	}
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], number)
	_, err := s.aead.Open(nil, nonce[:], datagram[cut:], datagram[:cut])
	return datagram[:cut], err == nil
}
