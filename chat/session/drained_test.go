package session

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrainedPacesWhatIsLargerThanTheOutbox sends ten outboxes full to a slow reader, in pieces.
func TestDrainedPacesWhatIsLargerThanTheOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const piece = 100
		s, peer := pair(t, Config{OutboxBytes: 4 * piece})
		go func() {
			for i := range 40 {
				if err := s.Drained(t.Context(), 2*piece); err != nil {
					t.Errorf("piece %d: %v", i, err)
				}
				if err := s.Enqueue(bytes.Repeat([]byte{byte('a' + i%26)}, piece)); err != nil {
					t.Errorf("piece %d: %v", i, err)
				}
			}
		}()
		for i := range 40 {
			time.Sleep(time.Second)
			if got, want := readN(t, peer, piece), string(bytes.Repeat([]byte{byte('a' + i%26)}, piece)); got != want {
				t.Fatalf("piece %d: got %q", i, got)
			}
		}
		synctest.Wait()
		if got := s.Stats().QueuedBytesMax; got > 3*piece {
			t.Errorf("%d bytes waited, want at most %d", got, 3*piece)
		}
	})
}

func TestDrainedEndsWithSessionAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		if err := s.Drained(t.Context(), 0); err != nil {
			t.Errorf("nothing waits: got %v", err)
		}
		s.Enqueue([]byte("never read"))
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		results := make(chan error, 3)
		go func() { results <- s.Drained(ctx, 0) }()
		synctest.Wait()
		cancel(cause)
		if err := <-results; !errors.Is(err, cause) {
			t.Errorf("end of context: got %v", err)
		}
		for range 2 {
			go func() { results <- s.Drained(t.Context(), 0) }()
		}
		synctest.Wait()
		s.Abort(cause)
		for range 2 {
			if err := <-results; !errors.Is(err, cause) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("end of session: got %v", err)
			}
		}
	})
}
