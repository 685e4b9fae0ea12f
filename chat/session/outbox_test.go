package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestEnqueueKeepsOrderOfConcurrentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, each = 8, 500
		s, peer := pair(t, Config{})
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					if err := s.Enqueue(fmt.Appendf(nil, "%02d:%04d\n", c, i)); err != nil {
						t.Errorf("caller %d message %d: %v", c, i, err)
					}
				}
			})
		}
		next := make([]int, callers)
		for range callers * each {
			var c, i int
			if _, err := fmt.Sscanf(readN(t, peer, 8), "%02d:%04d\n", &c, &i); err != nil {
				t.Fatalf("peer got something else than a message: %v", err)
			}
			if i != next[c] {
				t.Fatalf("caller %d: got message %d, want %d", c, i, next[c])
			}
			next[c]++
		}
		wg.Wait()
	})
}

func TestEnqueueStartsWriterOnlyWhileSomethingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{})
		for range 3 {
			if writing(s) {
				t.Fatal("idle session has a writer")
			}
			for i := range 5 { // Each finds the writer busy with the one before.
				s.Enqueue([]byte("one"))
				s.Enqueue([]byte("two"))
				if !writing(s) {
					t.Fatal("session with a full outbox has no writer")
				}
				if got := readN(t, peer, 3); i%2 == 0 && got != "one" {
					t.Fatalf("peer got %q", got)
				}
				synctest.Wait()
			}
			readN(t, peer, 15)
			synctest.Wait()
			if s.queue != nil {
				t.Fatal("idle session keeps its queue")
			}
		}
	})
}

func writing(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing
}

func TestFullOutboxEndsSessionWithErrSlowAndWakesReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{OutboxBytes: 10})
		reads := make(chan error, 1)
		go func() {
			_, err := s.Read(make([]byte, 1))
			reads <- err
		}()
		synctest.Wait()
		for i := range 2 {
			if err := s.Enqueue([]byte("12345")); err != nil {
				t.Fatalf("message %d within the limit: %v", i, err)
			}
		}
		if err := s.Enqueue([]byte("6")); !errors.Is(err, ErrSlow) || !errors.Is(err, net.ErrClosed) {
			t.Fatalf("message over the limit: got %v, want ErrSlow and net.ErrClosed", err)
		}
		if err := <-reads; !errors.Is(err, ErrSlow) {
			t.Errorf("reader got %v, want ErrSlow", err)
		}
		if err := s.Err(); err != ErrSlow {
			t.Errorf("Err() = %v, want ErrSlow", err)
		}
		<-s.Done()
		synctest.Wait()
		if _, err := io.ReadAll(peer); err != nil {
			t.Errorf("peer's connection was not closed: %v", err)
		}
		if got := s.Stats().QueuedBytes; got != 0 {
			t.Errorf("%d bytes still wait", got)
		}
	})
}

// A message larger than the whole outbox finds no writer, which has to be started to close the connection.
func TestMessageLargerThanOutboxEndsIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{OutboxBytes: 10})
		if err := s.Enqueue(make([]byte, 11)); !errors.Is(err, ErrSlow) {
			t.Fatalf("got %v, want ErrSlow", err)
		}
		if got, err := io.ReadAll(peer); len(got) != 0 || err != nil {
			t.Fatalf("peer got %d bytes and %v, want a closed connection", len(got), err)
		}
	})
}

func TestPeerThatTakesNothingForAMinuteIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Config{})
		start := time.Now()
		s.Enqueue([]byte("hello"))
		<-s.Done()
		if got := time.Since(start); got != writeTimeout {
			t.Errorf("session ended after %v, want %v", got, writeTimeout)
		}
		if err := s.Err(); !errors.Is(err, ErrSlow) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want ErrSlow by a deadline", err)
		}
	})
}

func TestOutboxHasRoomAgainAfterWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{OutboxBytes: 10})
		for i := range 5 {
			for range 2 {
				if err := s.Enqueue([]byte("12345")); err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
			}
			readN(t, peer, 10)
			synctest.Wait()
			if got := s.Stats(); got.QueuedBytes != 0 || got.QueuedBytesMax != 10 {
				t.Fatalf("round %d: %d bytes wait, at most %d; want 0, 10", i, got.QueuedBytes, got.QueuedBytesMax)
			}
		}
	})
}

func TestPlainKeepsBoundaries(t *testing.T) {
	want := []string{"one", "two", "three", "four"}
	synctest.Test(t, func(t *testing.T) {
		s, peer := pair(t, Config{Transport: TransportPlain})
		for _, m := range want {
			s.Enqueue([]byte(m))
		}
		b := make([]byte, 100)
		for _, m := range want {
			n, err := peer.Read(b)
			if got := string(b[:n]); got != m || err != nil {
				t.Fatalf("peer read %q, %v; want %q in one piece", got, err, m)
			}
		}
	})
}

func TestStreamJoinsWaitingMessagesButNeverCutsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := writeLog{hold: make(chan struct{})}
		s := New(&log, Config{Transport: TransportTCP})
		s.Enqueue([]byte("first\n"))
		synctest.Wait()
		var want bytes.Buffer
		want.WriteString("first\n")
		for i := range 3000 {
			m := fmt.Appendf(nil, "message %d %s\n", i, strings.Repeat("x", i%40))
			if i == 1500 {
				m = append(bytes.Repeat([]byte("y"), 64<<10), '\n')
			}
			want.Write(m)
			if err := s.Enqueue(m); err != nil {
				t.Fatal(err)
			}
		}
		close(log.hold)
		if err := s.Close(nil); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if got := bytes.Join(log.writes, nil); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%d bytes arrived, want %d, or their order is wrong", len(got), want.Len())
		}
		for i, w := range log.writes {
			if w[len(w)-1] != '\n' {
				t.Errorf("write %d of %d ends within a message", i, len(log.writes))
			}
			if len(w) > joinedBytesMax && bytes.Count(w, []byte("\n")) > 1 {
				t.Errorf("write %d joins messages to %d bytes, want at most %d", i, len(w), joinedBytesMax)
			}
		}
		if got := s.Stats(); got.MessagesSent != 3001 || got.Writes > 20 {
			t.Errorf("%d messages in %d writes, want 3001 in a few", got.MessagesSent, got.Writes)
		}
	})
}

// A writeLog is a connection that remembers its writes and can hold them up.
type writeLog struct {
	net.Conn
	hold   chan struct{} // Writes wait until it is closed; nil holds nothing up.
	writes [][]byte
}

func (l *writeLog) Write(b []byte) (int, error) {
	if l.hold != nil {
		<-l.hold
	}
	l.writes = append(l.writes, bytes.Clone(b))
	return len(b), nil
}
func (l *writeLog) Close() error                     { return nil }
func (l *writeLog) SetDeadline(time.Time) error      { return nil }
func (l *writeLog) SetReadDeadline(time.Time) error  { return nil }
func (l *writeLog) SetWriteDeadline(time.Time) error { return nil }
