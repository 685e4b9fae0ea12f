package front

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
)

// words is a decoder of words with a dot behind them, which may lack it.
type words struct {
	held string
	got  []string
}

func (w *words) Feed(b []byte) { w.held += string(b) }
func (w *words) Pending() bool { return w.held != "" }
func (w *words) Flush()        { w.held += "." }

func (w *words) take(context.Context) error {
	for {
		word, rest, ok := strings.Cut(w.held, ".")
		switch {
		case !ok:
			return nil
		case word == "end":
			return io.ErrUnexpectedEOF
		}
		w.got, w.held = append(w.got, word), rest
	}
}

const quiet = 100 * time.Millisecond

// inLoop runs a Loop over a pipe. When f has returned, the loop must end, and with what is returned.
func inLoop(t *testing.T, transport string, ended func() error, f func(w *words, l *Loop, peer net.Conn, stop func())) (err error) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := session.New(ours, session.Config{Transport: transport})
		w := &words{}
		l := &Loop{Session: s, Decoder: w, Take: w.take, Ended: ended, IdleFlush: Quiet(s, quiet)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		f(w, l, theirs, stop)
		err = <-done
		stop()
		theirs.Close()
		s.Close(nil)
	})
	return err
}

func TestLoopEndsWhatIsPendingBySilence(t *testing.T) {
	for transport, want := range map[string][]string{
		session.TransportTCP: {"a", "b", "c", "d"}, session.TransportTLS: {"a", "b", "c", "d"},
		session.TransportUDP: {"a", "bc"}, session.TransportStream: {"a", "bc"},
	} {
		err := inLoop(t, transport, nil, func(w *words, _ *Loop, peer net.Conn, _ func()) {
			peer.Write([]byte("a.b"))
			time.Sleep(quiet)
			synctest.Wait()
			peer.Write([]byte("c."))
			synctest.Wait()
			peer.Write([]byte("d"))
			time.Sleep(quiet / 2)
			peer.Close() // Does what silence does.
			synctest.Wait()
			if !slices.Equal(w.got, want) {
				t.Errorf("%s: got %q, want %q", transport, w.got, want)
			}
		})
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", transport, err)
		}
	}
}

func TestLoopEndsForManyReasons(t *testing.T) {
	gone := errors.New("gone")
	var why atomic.Value
	for name, c := range map[string]struct {
		end  func(l *Loop, peer net.Conn, stop func())
		want error
	}{
		"a message ends it":        {func(_ *Loop, peer net.Conn, _ func()) { peer.Write([]byte("end.")) }, io.ErrUnexpectedEOF},
		"the peer has left":        {func(_ *Loop, peer net.Conn, _ func()) { peer.Close() }, io.EOF},
		"the server ends":          {func(_ *Loop, _ net.Conn, stop func()) { stop() }, context.Canceled},
		"somebody else has a word": {func(l *Loop, _ net.Conn, _ func()) { why.Store(gone); l.Wake() }, gone},
		"the session was aborted":  {func(l *Loop, _ net.Conn, _ func()) { l.Session.Abort(gone) }, gone},
	} {
		t.Run(name, func(t *testing.T) {
			why = atomic.Value{}
			ended := func() error { err, _ := why.Load().(error); return err }
			err := inLoop(t, session.TransportTCP, ended, func(w *words, l *Loop, peer net.Conn, stop func()) {
				peer.Write([]byte("a."))
				synctest.Wait()
				l.Wake() // For nothing: it goes on.
				synctest.Wait()
				peer.Write([]byte("b."))
				time.Sleep(time.Minute)
				synctest.Wait()
				if !slices.Equal(w.got, []string{"a", "b"}) {
					t.Errorf("got %q", w.got)
				}
				c.end(l, peer, stop)
			})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
