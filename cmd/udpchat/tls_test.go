package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"udpchat/config"
	"udpchat/reliable"
)

// startNode runs a node of a configuration for listeners on loopback until the test ends.
func startNode(t *testing.T, change func(*config.Config), listen ...config.Listener) *node {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Durability, cfg.Listen = t.TempDir(), memoryDurability, listen
	if change != nil {
		change(&cfg)
	}
	n, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = n.serve(context.Background()) }) // Ends by stop.
	t.Cleanup(func() {
		if err := n.stop(context.Background()); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return n
}

// A server for TCP only has a key, too, and speaks over TLS what it speaks without.
func TestTLSOnTheTCPPort(t *testing.T) {
	n := startNode(t, nil, config.Listener{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto})
	to, err := parseInvite(n.invite().String())
	if err != nil || to.key == (reliable.Key{}) {
		t.Fatalf("the invite is %q: %v", n.invite(), err)
	}
	conn, err := reliable.DialTLS(t.Context(), to.server, reliable.Config{ServerKey: to.key})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "HELO there\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "HELO there\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if _, err := reliable.DialTLS(t.Context(), to.server, reliable.Config{ServerKey: reliable.Key{1}}); err == nil {
		t.Error("a client that wants another key connected")
	}
}

// With a certificate from files its key is the server's, over TCP and UDP.
func TestServeWithCertificate(t *testing.T) {
	cert, key := writeCertificate(t)
	n := startNode(t, func(cfg *config.Config) { cfg.TLSCert, cfg.TLSKey = cert, key },
		config.Listener{Address: "127.0.0.1:0", Transport: config.Auto, Protocol: config.Auto})
	to := n.invite()
	secure, err := reliable.DialTLS(t.Context(), to.server, reliable.Config{ServerKey: to.key})
	if err != nil {
		t.Fatal(err)
	}
	secure.Close()
	udp, err := reliable.Dial(t.Context(), to.server, reliable.Config{ServerKey: to.key})
	if err != nil {
		t.Fatal(err)
	}
	udp.Close()
	if _, err := os.Stat(filepath.Join(n.cfg.Data, keyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made beside the certificate: %v", err)
	}
}

func TestCertificateSettingsThatCannotWork(t *testing.T) {
	cert, key := writeCertificate(t)
	for name, c := range map[string]struct{ cert, key, want string }{
		"without key":  {cert, "", "go together"},
		"without cert": {"", key, "go together"},
		"no such file": {cert, key + ".gone", "no such file"},
		"swapped":      {key, cert, "certificate"},
	} {
		_, err := openIdentity(config.Config{TLSCert: c.cert, TLSKey: c.key})
		var b strings.Builder
		if code := report(&b, err); code != exitUsage || !strings.Contains(b.String(), c.want) || !strings.Contains(b.String(), "--tls-key") {
			t.Errorf("%s: code %d, %s", name, code, b.String())
		}
	}
}

// writeCertificate makes the files of a certificate.
func writeCertificate(t *testing.T) (cert, key string) {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"chat.example.org"}}
	der, err := x509.CreateCertificate(nil, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			err = errors.Join(pem.Encode(io.Writer(f), &pem.Block{Type: kind, Bytes: der}), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}
