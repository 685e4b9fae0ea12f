package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

// Port 0: the first ports the kernel offers are taken on UDP, the next is not.
func TestListenPairRetriesUntilBothAreFree(t *testing.T) {
	var asked []string
	ln, err := listenPair(t.Context(), "127.0.0.1:0", func(addr string) error {
		asked = append(asked, addr)
		if len(asked) < 4 {
			return fmt.Errorf("bind: %w", syscall.EADDRINUSE)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if len(asked) != 4 || asked[3] != ln.Addr().String() {
		t.Errorf("UDP was asked for %v, TCP is %v; want 4 tries and the same address", asked, ln.Addr())
	}
}

func TestListenPairGivesUp(t *testing.T) {
	tries := 0
	_, err := listenPair(t.Context(), "127.0.0.1:0", func(string) error { tries++; return syscall.EADDRINUSE })
	if !inUse(err) || tries != portTriesMax {
		t.Errorf("got %v after %d tries, want %d tries", err, tries, portTriesMax)
	}
	tries = 0
	broken := errors.New("no UDP here")
	_, err = listenPair(t.Context(), "127.0.0.1:0", func(string) error { tries++; return broken })
	if !errors.Is(err, broken) || tries != 1 {
		t.Errorf("got %v after %d tries, want %v after 1", err, tries, broken)
	}
}

// A port that was asked for is not swapped for another one, and the user hears what to do.
func TestListenOnTakenPortSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	_, err = listenPair(t.Context(), addr, func(string) error { t.Error("UDP was tried"); return nil })
	var b strings.Builder
	if code := report(&b, explainListen(addr, err)); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	for _, want := range []string{addr, "Stop it, or take another port", "udpchat serve --listen :4000"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("error does not say %q:\n%s", want, b.String())
		}
	}
}
