package server

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// newSecureWorld is newWorld with TLS.
func newSecureWorld(t *testing.T, cfg Config, fronts ...front.Front) *world {
	w := &world{t: t, l: newMemListener(), served: make(chan error, 1)}
	cfg.Logger = slog.New(slog.NewJSONHandler(&w.log, nil))
	w.srv = New(nil, cfg)
	l := Listener{Listener: w.l, Transport: "tcp", Fronts: fronts, TLS: serverTLS(t)}
	go func() { w.served <- w.srv.Serve(context.Background(), l) }()
	return w
}

// serverTLS is TLS as a server of ours has it.
func serverTLS(t *testing.T) *tls.Config {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"udpchat/1"}, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}
}

// transports answers with the name of the session's transport.
func transports(word string) *testFront {
	return &testFront{word, func(_ context.Context, s *session.Session) error {
		for b := make([]byte, 100); ; {
			if _, err := s.Read(b); err != nil {
				return err
			}
			_ = s.Enqueue([]byte(word + " over " + s.Transport()))
		}
	}}
}

// A slowConn writes byte by byte.
type slowConn struct{ net.Conn }

func (c slowConn) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// One port has TLS and what is not encrypted; whatever is inside is recognised as outside, however it is cut.
func TestTLSAndPlainShareAPort(t *testing.T) {
	for _, fronts := range [][]front.Front{
		{transports("a"), transports("b")},
		{transports("b")}, // A pinned listener.
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newSecureWorld(t, Config{}, fronts...)
			for _, wrap := range []func(net.Conn) net.Conn{
				func(c net.Conn) net.Conn { return c },
				func(c net.Conn) net.Conn { return slowConn{c} },
			} {
				plain := wrap(w.dial("192.0.2.1:5"))
				w.say(plain, "b", "b over tcp")
				secure := tls.Client(wrap(w.dial("192.0.2.1:6")), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"udpchat/1"}})
				w.say(secure, "b", "b over tls")
				time.Sleep(time.Hour) // No deadline of the handshake's is left.
				w.say(secure, "b", "b over tls")
				foreign := tls.Client(w.dial("192.0.2.1:7"), &tls.Config{InsecureSkipVerify: true}) // Names no protocol.
				w.say(foreign, "b", "b over tls")
				plain.Close()
				secure.Close()
				foreign.Close()
			}
			synctest.Wait()
			w.shutdown()
			for _, line := range w.log.lines(t, "session ended") {
				if line["reason"] != "left" || line["proto"] != "b" {
					t.Errorf("got the line %v", line)
				}
			}
		})
	}
}

// The length before a message of one of the protocols may begin as TLS does.
func TestWhatOnlyBeginsLikeTLSIsNone(t *testing.T) {
	for _, first := range []string{"\x16\x03\x00\x00{", "\x16", "\x16\x03", "\x15\x03\x01", "b"} {
		synctest.Test(t, func(t *testing.T) {
			w := newSecureWorld(t, Config{SniffTimeout: time.Second}, echo("b"))
			conn := w.dial("192.0.2.1:5")
			w.say(conn, first, "b:"+first)
			conn.Close()
			synctest.Wait()
			w.shutdown()
		})
	}
}

// Who begins a handshake and does not go on is gone after a time; so is who has other versions or protocols. The server
// may stop meanwhile.
func TestHandshakesThatFail(t *testing.T) {
	hello := func(config *tls.Config) func(net.Conn) {
		return func(c net.Conn) {
			config.InsecureSkipVerify = true
			if err := tls.Client(c, config).Handshake(); err == nil {
				t.Errorf("a handshake with %d, %q succeeded", config.MaxVersion, config.NextProtos)
			}
		}
	}
	for _, c := range []struct {
		name   string
		speak  func(net.Conn)
		after  time.Duration
		reason string
	}{
		{"silent", func(c net.Conn) { io.WriteString(c, "\x16\x03\x01\x00\xff\x01") }, 10 * time.Second, "timeout"},
		{"no TLS at all", func(c net.Conn) { io.WriteString(c, "\x16\x03\x01\xff\xffnonsense") }, 0, "protocol"},
		{"TLS 1.2", hello(&tls.Config{MaxVersion: tls.VersionTLS12}), 0, "protocol"},
		{"another protocol", hello(&tls.Config{NextProtos: []string{"h2"}}), 0, "protocol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSecureWorld(t, Config{}, echo("a"), echo("b"))
				conn := w.dial("192.0.2.1:5")
				start := time.Now()
				go io.Copy(io.Discard, conn)
				c.speak(conn)
				for w.srv.Stats().Ended == 0 && time.Since(start) < time.Minute {
					time.Sleep(100 * time.Millisecond)
				}
				if took := time.Since(start).Round(time.Second); took != c.after {
					t.Errorf("ended after %v, want %v", took, c.after)
				}
				w.shutdown()
				lines := w.log.lines(t, "session ended")
				if len(lines) != 1 || lines[0]["reason"] != c.reason {
					t.Errorf("got %v, want the reason %s", lines, c.reason)
				}
				if n := w.srv.securing; n != 0 {
					t.Errorf("%d handshakes are still counted", n)
				}
			})
		})
	}
}

func TestShutdownDoesNotWaitForHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureWorld(t, Config{}, echo("a"), echo("b"))
		conn := w.dial("192.0.2.1:5")
		io.WriteString(conn, "\x16\x03\x01\x00\xff\x01")
		synctest.Wait()
		w.shutdown()
	})
}

func TestTooManyHandshakesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSecureWorld(t, Config{}, echo("a"), echo("b"))
		for range handshakesMax + 3 {
			io.WriteString(w.dial("127.0.0.1:5"), "\x16\x03\x01\x00\xff\x01")
		}
		synctest.Wait()
		if s := w.srv.Stats(); s.Sessions != handshakesMax || s.RefusedTLS != 3 {
			t.Errorf("%d sessions, %d refused", s.Sessions, s.RefusedTLS)
		}
		w.shutdown()
	})
}
