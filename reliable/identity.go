package reliable

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"udpchat/reliable/internal/handshake"
)

// A Key names a server's public key: the SHA-256 of its SubjectPublicKeyInfo. The zero value names none. Its String is 43
// letters, digits, - and _, which ParseKey reads.
type Key = handshake.Key

// ParseKey reads a key as Key.String writes it.
func ParseKey(s string) (Key, error) {
	k, err := handshake.ParseKey(s)
	if err != nil {
		return Key{}, fmt.Errorf("reliable: %q is no server key: want the %d letters and digits that the server shows", s, len(k.String()))
	}
	return k, nil
}

// An Identity is a server's private key; its method Key returns what clients pin. It is safe for concurrent use.
type Identity = handshake.Identity

// NewIdentity makes an identity from random, which must be unguessable. Nil means crypto/rand.
func NewIdentity(random io.Reader) (*Identity, error) {
	id, _, err := newIdentity(random)
	return id, err
}

func newIdentity(random io.Reader) (*Identity, ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(Config{Random: random}.withDefaults().Random, seed); err != nil {
		return nil, nil, fmt.Errorf("reliable: making a key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	id, err := handshake.NewIdentity(private)
	return id, private, err
}

// keyBlock is the PEM type of a file with a private key.
const keyBlock = "PRIVATE KEY"

// OpenIdentity reads the private key in a file (Ed25519, PKCS #8, PEM), or makes one and the file, readable by its owner
// alone, if there is none. A file that others may read is refused.
func OpenIdentity(path string) (id *Identity, made bool, err error) {
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		if id, err = makeIdentity(path); !errors.Is(err, fs.ErrExist) {
			return id, err == nil, err
		}
		b, err = readPrivate(path) // Another process was faster.
	}
	if err != nil {
		return nil, false, fmt.Errorf("reliable: server key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != keyBlock {
		return nil, false, fmt.Errorf("reliable: server key: %s has no %q in PEM", path, keyBlock)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false, fmt.Errorf("reliable: server key: %s: %w", path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, false, fmt.Errorf("reliable: server key: %s has a %T: want an Ed25519 key", path, key)
	}
	id, err = handshake.NewIdentity(private)
	return id, false, err
}

// LoadIdentity reads a certificate and its private key, made by others, from files (PEM). Its Key is that of the
// certificate's public key: whoever renews the certificate must keep the key, or clients take the server for another
// one. A key file that everybody may read is refused.
func LoadIdentity(certFile, keyFile string) (*Identity, error) {
	info, err := os.Stat(keyFile)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		err = fmt.Errorf("%s may be read by everybody (mode %04o): chmod 600 it", keyFile, info.Mode().Perm())
	}
	if err != nil {
		return nil, fmt.Errorf("reliable: private key: %w", err)
	}
	id, err := handshake.LoadIdentity(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("reliable: certificate: %w", err)
	}
	return id, nil
}

func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it", path, mode)
	}
	return os.ReadFile(path)
}

// makeIdentity writes a new key. The file appears whole or not at all.
func makeIdentity(path string) (*Identity, error) {
	id, private, err := newIdentity(nil)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("reliable: making a key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("reliable: server key: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".server-key-*") // With mode 0600.
	if err != nil {
		return nil, fmt.Errorf("reliable: server key: %w", err)
	}
	defer os.Remove(f.Name()) // The name that is left over: an error cannot matter.
	err = pem.Encode(f, &pem.Block{Type: keyBlock, Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // Unlike Rename it does not replace a file made meanwhile.
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = os.Rename(f.Name(), path) // Not every file system has links.
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reliable: server key: %w", err)
	}
	return id, nil
}

// identities makes the identity of those who have not configured one, once. It is safe for concurrent use.
type identities struct {
	mu  sync.Mutex
	own *Identity // guarded by mu
}

func (i *identities) of(cfg *Config) (*Identity, error) {
	if cfg.Identity != nil {
		return cfg.Identity, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.own == nil {
		own, err := NewIdentity(cfg.Random)
		if err != nil {
			return nil, err
		}
		i.own = own
	}
	return i.own, nil
}
