package reliable

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listenTLS echoes over TLS and returns its address.
func listenTLS(t *testing.T, config *tls.Config) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s := tls.Server(c, config)
			_, _ = io.Copy(s, s)
			s.Close()
		}
	}()
	return l.Addr().String()
}

// The key that is pinned over UDP is the one over TCP, and is checked in the same way.
func TestDialTLSChecksTheKey(t *testing.T) {
	id, err := NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := listenTLS(t, ServerTLS(id))
	c, err := DialTLS(t.Context(), addr, Config{ServerKey: id.Key()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if s := c.ConnectionState(); s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != "udpchat/1" || c.ServerKey() != id.Key() {
		t.Errorf("version %x, protocol %q, key %v", s.Version, s.NegotiatedProtocol, c.ServerKey())
	}
	c.Close()

	wrong := Key{1}
	_, err = DialTLS(t.Context(), addr, Config{ServerKey: wrong})
	if e, ok := errors.AsType[*KeyError](err); !ok || e.Got != id.Key() || e.Want != wrong {
		t.Errorf("another key: got %v", err)
	}
	no := errors.New("not that one")
	if _, err = DialTLS(t.Context(), addr, Config{VerifyServer: func(k Key) error { return no }}); !errors.Is(err, no) {
		t.Errorf("VerifyServer: got %v", err)
	}
}

// A server that speaks something else inside TLS, or an old version of it, is none of ours.
func TestDialTLSWantsOurProtocol(t *testing.T) {
	id, err := NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tls.Config){
		"another": func(c *tls.Config) { c.NextProtos = []string{"h2"} },
		"none":    func(c *tls.Config) { c.NextProtos = nil },
		"TLS 1.2": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
	} {
		config := ServerTLS(id)
		change(config)
		if c, err := DialTLS(t.Context(), listenTLS(t, config), Config{}); err == nil {
			t.Errorf("%s: connected", name)
			c.Close()
		}
	}
}

func TestDialTLSGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // Nobody accepts: TCP connects, TLS does not.
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range 300 { // The time is over before it begins, while it connects, and in the handshake.
		limit := time.Duration(1+3*i) * time.Microsecond
		if _, err := DialTLS(t.Context(), l.Addr().String(), Config{HandshakeTimeout: limit}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("within %v: got %v", limit, err)
		}
	}
}

// writeCertificate makes a certificate as others do and returns its files and what clients pin.
func writeCertificate(t *testing.T, mode os.FileMode) (cert, key string, pin Key) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"chat.example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		// The second has the mode whatever the umask is.
		if err := errors.Join(os.WriteFile(name, pem.EncodeToMemory(block), mode), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key, sha256.Sum256(spki)
}

// A certificate from files serves both transports, and its key is what clients pin.
func TestCertificateFromFiles(t *testing.T) {
	cert, key, pin := writeCertificate(t, 0o600)
	id, err := LoadIdentity(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if id.Key() != pin {
		t.Errorf("the key is %v, want %v", id.Key(), pin)
	}
	c, err := DialTLS(t.Context(), listenTLS(t, ServerTLS(id)), Config{ServerKey: pin})
	if err != nil {
		t.Fatalf("TCP: %v", err)
	}
	c.Close()
	e, err := Listen("127.0.0.1:0", Config{Identity: id})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	u, err := Dial(t.Context(), e.Addr().String(), Config{ServerKey: pin})
	if err != nil {
		t.Fatalf("UDP: %v", err)
	}
	u.Abort(0, "")
}

func TestBadCertificateFilesAreRefused(t *testing.T) {
	cert, key, _ := writeCertificate(t, 0o600)
	other, open, _ := writeCertificate(t, 0o604)
	for name, files := range map[string][2]string{
		"no file":              {cert, key + ".gone"},
		"readable by all":      {other, open},
		"not the key's":        {other, key},
		"the wrong way round":  {key, cert},
		"no certificate there": {key, key},
	} {
		if _, err := LoadIdentity(files[0], files[1]); err == nil || !strings.HasPrefix(err.Error(), "reliable: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
