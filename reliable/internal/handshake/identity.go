package handshake

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"
)

// ALPN names the protocol inside TLS, so that a key used for anything else cannot be mistaken for ours.
const ALPN = "udpchat/1"

// A Key names a server's public key: the SHA-256 of its SubjectPublicKeyInfo. The zero value names none.
type Key [sha256.Size]byte

// String returns the key in 43 letters, digits, - and _ (base64url, RFC 4648, 5).
func (k Key) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// ParseKey reads what String has written.
func ParseKey(s string) (k Key, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(k) || Key(b) == k { // The zero key is none: it would be taken for no choice.
		return Key{}, fmt.Errorf("handshake: %q is no key: want the %d letters and digits a server shows", s, len(Key{}.String()))
	}
	copy(k[:], b)
	return k, nil
}

// An Identity is a server's private key with a certificate for TLS to carry. It is safe for concurrent use.
type Identity struct {
	key    Key
	config *tls.Config
	resets []byte // from which the secrets of stateless resets are derived
}

// NewIdentity returns the identity of a private key. The certificate is signed by itself and says nothing: clients go
// by the key alone.
func NewIdentity(private ed25519.PrivateKey) (*Identity, error) {
	public := private.Public()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, fmt.Errorf("handshake: making a certificate: %w", err)
	}
	return identityOf(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private})
}

func identityOf(cert tls.Certificate) (*Identity, error) {
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("handshake: reading a certificate: %w", err)
	}
	cert.Leaf = leaf
	config := baseConfig()
	config.Certificates = []tls.Certificate{cert}
	resets, err := resetSecret(cert.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &Identity{keyOf(leaf), config, resets}, nil
}

// LoadIdentity returns the identity of a certificate and its private key in files (PEM), made by others. The certificates
// that vouch for it may follow in the same file; they are sent along.
func LoadIdentity(certFile, keyFile string) (*Identity, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return identityOf(cert)
}

// StreamServer returns the configuration of TLS with its own records, over TCP, for a server with the identity. Clients
// that name no protocol inside are served too: they may be anybody's.
func (id *Identity) StreamServer() *tls.Config {
	config := id.config.Clone()
	config.CurvePreferences = nil // There is room for all that crypto/tls has.
	return config
}

// StreamClient is StreamServer for a client, which hands the key it has seen to a function that says what is wrong with
// it.
func StreamClient(seen func(Key) error) *tls.Config {
	config := clientConfig(nil)
	config.CurvePreferences = nil
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errNoKey
		}
		if state.NegotiatedProtocol != ALPN {
			return errProtocol
		}
		return seen(keyOf(state.PeerCertificates[0]))
	}
	return config
}

// mutualConfig is the configuration of a server whose clients must prove a key, too. Their certificates say as little as
// ours.
func (id *Identity) mutualConfig(seen func(Key) error) *tls.Config {
	config := id.config.Clone()
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errNoKey
		}
		return seen(keyOf(state.PeerCertificates[0]))
	}
	return config
}

// Key returns the public key.
func (id *Identity) Key() Key { return id.key }

func keyOf(cert *x509.Certificate) Key { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// baseConfig is what both sides have in common. There are no session tickets: a resumed session would prove the key of a
// day ago, and an ordinary handshake takes no more round trips.
func baseConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519},
		NextProtos: []string{ALPN}, SessionTicketsDisabled: true,
	}
}

// clientConfig takes the server's key from its certificate and nothing else: who made it out, for whom and until when does
// not matter. That the server has the private key is checked by TLS.
func clientConfig(seen func(Key) error) *tls.Config {
	config := baseConfig()
	config.InsecureSkipVerify = true // The key is checked instead.
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errNoKey
		}
		return seen(keyOf(state.PeerCertificates[0]))
	}
	return config
}
