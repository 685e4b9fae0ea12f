package jetstream_test

import (
	"context"
	"errors"
	"fmt"
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
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = jetstream.Open(ctx, jetstream.Config{Servers: []string{fmt.Sprintf("nats://ann:secret@127.0.0.1:%d", ports[0])}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: %v", err)
	}
	for _, bad := range []string{"secret", "ann"} {
		if err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("the error has %q in it: %v", bad, err)
		}
	}
	if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("nats://127.0.0.1:%d", ports[0])) {
		t.Errorf("the error does not name the server: %v", err)
	}
}
