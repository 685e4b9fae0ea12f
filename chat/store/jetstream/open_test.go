package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/jetstream"
)

func openOn(t *testing.T, cfg jetstream.Config) *jetstream.Engine {
	t.Helper()
	e, err := jetstream.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func readAll(t *testing.T, e chat.Engine) []chat.Msg {
	t.Helper()
	var all []chat.Msg
	after := uint64(0)
	for {
		page, err := e.Read(t.Context(), "kitchen", after, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Seq
	}
}

// A cluster that cannot be reached is an error that names it, without its password.
func TestClusterThatIsNotThereIsNamed(t *testing.T) {
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	namesCluster(t, ports[0])
}

// A server that hangs up, because it dies or only begins, is tried again like one that is not there.
func TestServerThatHangsUpIsTriedAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tried := make(chan int)
	go func() { // Ends when ln is closed.
		n := 0
		for {
			c, err := ln.Accept()
			if err != nil {
				tried <- n
				return
			}
			n++
			c.Close()
		}
	}()
	namesCluster(t, ln.Addr().(*net.TCPAddr).Port)
	ln.Close()
	if n := <-tried; n == 0 {
		t.Error("it was not tried")
	}
}

// An address that cannot be is not tried again: whoever has mistyped it is told at once.
func TestAddressThatCannotBeIsNotTriedAgain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := jetstream.Open(ctx, jetstream.Config{Servers: []string{"nats://127.0.0.1:99999"}})
	if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "99999") {
		t.Errorf("Open: %v", err)
	}
}

// namesCluster checks what Open says, after it has tried for as long as it may, of a cluster of which nothing can be had.
func namesCluster(t *testing.T, port int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := jetstream.Open(ctx, jetstream.Config{Servers: []string{fmt.Sprintf("nats://ann:secret@127.0.0.1:%d", port)}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: %v", err)
	}
	for _, bad := range []string{"secret", "ann"} {
		if err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("the error has %q in it: %v", bad, err)
		}
	}
	if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("nats://127.0.0.1:%d", port)) {
		t.Errorf("the error does not name the server: %v", err)
	}
}
