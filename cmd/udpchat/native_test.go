package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"udpchat/client"
	"udpchat/cmd/internal/port"
	"udpchat/config"
)

// A nativeServer is a node on loopback that can be ended and begun anew on the same directory and port.
type nativeServer struct {
	t       *testing.T
	cfg     config.Config
	node    *node
	serving sync.WaitGroup
}

func startNative(t *testing.T) *nativeServer {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Durability, cfg.ComeBackAfter = t.TempDir(), "fast", 100*time.Millisecond
	ports, err := port.Free(1) // The same one after a restart.
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = []config.Listener{{Address: fmt.Sprintf("127.0.0.1:%d", ports[0]), Transport: config.Auto, Protocol: config.Auto}}
	s := &nativeServer{t: t, cfg: cfg}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *nativeServer) addr() string { return s.node.addrs[0].Addr.String() }

func (s *nativeServer) start() {
	s.t.Helper()
	n, err := build(context.Background(), s.cfg, slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		s.t.Fatal(err)
	}
	s.node = n
	s.serving.Go(func() { _ = n.serve(context.Background()) }) // Ends by stop.
}

func (s *nativeServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), scriptWait)
	defer cancel()
	if err := s.node.stop(ctx); err != nil {
		s.t.Error(err)
	}
	s.serving.Wait()
}

// dial connects a client with a new account of that name.
func (s *nativeServer) dial(name, transport string) *client.Client {
	s.t.Helper()
	c, err := client.Dial(s.t.Context(), client.Config{
		Server: s.addr(), Transport: transport, ServerKey: s.node.identity.Key(),
		Account: name, Password: "secret-" + name, Register: true,
	})
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// heard waits for a text.
func heard(t *testing.T, c *client.Client, text string) client.Said {
	t.Helper()
	timeout := time.After(scriptWait)
	for {
		select {
		case ev, ok := <-c.Events():
			if !ok {
				t.Fatalf("client has ended: %v", c.Err())
			}
			if said, ok := ev.(client.Said); ok && said.Text == text {
				return said
			}
		case <-timeout:
			t.Fatalf("nobody said %q", text)
		}
	}
}

// Two people, one over UDP and one over TLS, talk in a room and directly, and go on when the server comes back.
func TestNativeOverRealSockets(t *testing.T) {
	s := startNative(t)
	ctx := t.Context()
	ann, bob := s.dial("ann", client.UDP), s.dial("bob", client.TCP)
	for _, c := range []*client.Client{ann, bob} {
		if _, err := c.Join(ctx, "kitchen", 10); err != nil {
			t.Fatal(err)
		}
	}
	said, err := ann.Say(ctx, "kitchen", "hello bob")
	if err != nil {
		t.Fatal(err)
	}
	if got := heard(t, bob, "hello bob"); got.Log != "kitchen" || got.Account != "ann" || got.Seq == 0 {
		t.Errorf("bob heard %+v; ann was told %+v", got, said)
	}
	place, err := bob.Direct(ctx, "ann", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Say(ctx, place.Log, "hello ann"); err != nil {
		t.Fatal(err)
	}
	heard(t, ann, "hello ann")

	s.stop()
	late, err := ann.Send("kitchen", "said while the server was away")
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	heard(t, bob, "said while the server was away")
	if err := late.Wait(ctx); err != nil {
		t.Error(err)
	}
}

// A file goes up over one transport and comes down over the other.
func TestNativeFilesOverRealSockets(t *testing.T) {
	s := startNative(t)
	ctx := t.Context()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB.
	from, to := filepath.Join(t.TempDir(), "from.bin"), filepath.Join(t.TempDir(), "to.bin")
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ann, bob := s.dial("ann", client.UDP), s.dial("bob", client.TCP)
	place, err := ann.Direct(ctx, "bob", 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ann.Upload(ctx, from, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ann.Announce(place.Log, f)
	if err == nil {
		err = m.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Direct(ctx, "ann", 0); err != nil {
		t.Fatal(err)
	}
	if err := bob.Download(ctx, place.Log, m.Status().Seq, to, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v; want the %d that were sent", len(got), err, len(content))
	}
}
