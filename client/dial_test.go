package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// alpn names the protocol inside of TLS.
const alpn = "udpchat/1"

// loopbackWait bounds what happens within milliseconds on a machine that is not overloaded.
const loopbackWait = time.Minute

// listenTLS accepts TLS connections on loopback until the test ends. Over UDP nobody answers at that port.
func listenTLS(t *testing.T, protocol string, maxVersion uint16, serve func(net.Conn)) (addr string, key reliable.Key) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)} // Expired, and for no name: only the key counts.
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	tcp, silent := listenBoth(t)
	ln := tls.NewListener(tcp, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
		NextProtos:   []string{protocol}, MaxVersion: maxVersion,
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); silent.Close(); wg.Wait() })
	return ln.Addr().String(), reliable.Key(sha256.Sum256(cert.RawSubjectPublicKeyInfo))
}

// listenBoth takes a port over TCP and UDP: it is nobody else's, who might answer.
func listenBoth(t *testing.T) (tcp net.Listener, udp net.PacketConn) {
	t.Helper()
	for tries := 0; ; tries++ {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return tcp, udp
		}
		tcp.Close()
		if tries == 100 {
			t.Fatal(err)
		}
	}
}

// sendBack sends back what comes, until the client goes.
func sendBack(conn net.Conn) { _, _ = io.Copy(conn, conn) }

// echo writes a word and reads it back.
func echo(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(loopbackWait))
	got := make([]byte, 5)
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		t.Fatalf("read %q, %v", got, err)
	}
}

func TestTLSServerIsKnownByItsKeyAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	addr, key := listenTLS(t, alpn, 0, sendBack)
	untrusted := errors.New("never seen")
	for _, tt := range []struct {
		name   string
		want   reliable.Key
		verify func(reliable.Key) error
		err    string
	}{
		{"its key is wanted", key, nil, ""},
		{"any key will do", reliable.Key{}, nil, ""},
		{"its key is liked", reliable.Key{}, func(k reliable.Key) error {
			if k != key {
				return untrusted
			}
			return nil
		}, ""},
		{"another key is wanted", reliable.Key{1}, nil, "key"},
		{"its key is not liked", reliable.Key{}, func(reliable.Key) error { return untrusted }, "never seen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNetwork(reliable.Config{}, tt.want, tt.verify)
			defer n.close()
			conn, err := n.dial(ctx, TCP, addr)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !final(err) {
					t.Fatalf("dial: %v, want one about %q that ends the race", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Drop()
			if conn.ServerKey() != key {
				t.Errorf("key %v, want %v", conn.ServerKey(), key)
			}
			echo(t, conn)
			bulk, err := conn.OpenBulk(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer bulk.Close()
			echo(t, bulk)
			n.pin(reliable.Key{2})
			if _, err := n.dial(ctx, TCP, addr); !final(err) {
				t.Errorf("dial when another key was there first: %v", err)
			}
		})
	}
}

func TestTLSOfAnotherKindIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	for _, tt := range []struct {
		name, protocol string
		maxVersion     uint16
	}{{"another protocol", "h2", 0}, {"an old TLS", alpn, tls.VersionTLS12}} {
		addr, key := listenTLS(t, tt.protocol, tt.maxVersion, sendBack)
		n := newNetwork(reliable.Config{}, key, nil)
		if conn, err := n.dial(ctx, TCP, addr); err == nil {
			conn.Drop()
			t.Errorf("%s was accepted", tt.name)
		}
	}
}

func TestReliableUDPWithBulkStreamsOnOneSocket(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	ep, err := reliable.Listen("127.0.0.1:0", reliable.Config{Streams: 2})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer ep.Close()
	wg.Go(func() {
		for {
			conn, err := ep.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { _, _ = io.Copy(conn, conn) })
			wg.Go(func() {
				for {
					s, err := conn.(*reliable.Conn).AcceptStream(ctx)
					if err != nil {
						return
					}
					wg.Go(func() { _, _ = io.Copy(s, s); s.Close() })
				}
			})
		}
	})
	key, err := ep.ServerKey()
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork(reliable.Config{}, key, nil)
	defer n.close()
	var ports []string
	for range 2 {
		conn, err := n.dial(ctx, UDP, ep.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if conn.ServerKey() != key {
			t.Errorf("key %v, want %v", conn.ServerKey(), key)
		}
		echo(t, conn)
		bulk, err := conn.OpenBulk(ctx)
		if err != nil {
			t.Fatal(err)
		}
		echo(t, bulk)
		bulk.Close()
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		ports = append(ports, port)
		conn.Drop()
	}
	if ports[0] != ports[1] {
		t.Errorf("local ports %v: the second connection has a socket of its own", ports)
	}
	other := newNetwork(reliable.Config{}, reliable.Key{1}, nil)
	defer other.close()
	if _, err := other.dial(ctx, UDP, ep.Addr().String()); !final(err) {
		t.Errorf("dial with another key: %v, want an error that ends the race", err)
	}
}

// TestAnAttemptThatFailsLeavesOtherConnectionsAlone dials where nobody answers, beside a connection that works.
func TestAnAttemptThatFailsLeavesOtherConnectionsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lan := netem.NewNetwork(1)
		defer lan.Close()
		listen := func(addr netip.AddrPort) *reliable.Endpoint {
			sock, err := lan.ListenPacket(addr)
			if err != nil {
				t.Fatal(err)
			}
			ep, err := reliable.NewEndpoint(sock, reliable.Config{})
			if err != nil {
				t.Fatal(err)
			}
			return ep
		}
		ep := listen(serverAddr)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer ep.Close()
		wg.Go(func() {
			if conn, err := ep.Accept(); err == nil {
				sendBack(conn)
			}
		})
		n := newNetwork(reliable.Config{}, reliable.Key{}, nil)
		n.endpoint = listen(clientAddr) // In place of a socket of the system's.
		defer n.close()
		conn, err := n.dial(t.Context(), UDP, serverAddr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Drop()
		if _, err := n.dial(t.Context(), UDP, "10.0.0.9:4000"); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("dial of nobody: %v, want an error that matches net.ErrClosed", err)
		}
		echo(t, conn)
	})
}

// TestServerThatIsReachedOverTCPOnly plays a whole conversation, with a file, where nobody answers over UDP.
func TestServerThatIsReachedOverTCPOnly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	s := newServer(t)
	addr, key := s.overTLS()
	state := &memoryState{}
	c, err := Dial(ctx, Config{Server: addr, ServerKey: key, Account: "ann", Password: "right", State: state})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k := collect(c)
	if _, err := c.Join(ctx, "lobby", 0); err != nil {
		t.Fatal(err)
	}
	path, content := someFile(t, 200_000)
	f, err := c.Upload(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Say(ctx, "lobby", "hello"); err != nil {
		t.Fatal(err)
	}
	m, err := c.Announce("lobby", f)
	if err == nil {
		err = m.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	to := path + ".copy"
	if err := c.Download(ctx, "lobby", m.Status().Seq, to, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if l := c.Link(); l.Transport != TCP || c.ServerKey() != key {
		t.Errorf("link %+v", l)
	}
	if !state.saved.TCPUntil.After(time.Now()) {
		t.Error("it is not remembered that only TCP reached the server")
	}
	c.Close()
	k.task.Wait()
}
