package relay

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/relay"
)

// inPipe runs f with a pipe, and what the client at its other end has read, one entry for each read.
func inPipe(t *testing.T, f func(p *pipe, got func() []string)) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		p := &pipe{session: session.New(ours, session.Config{}), wait: receiptTimeout}
		reads := make(chan string, 1000)
		go func() {
			buf := make([]byte, 1<<10)
			for {
				n, err := theirs.Read(buf)
				if err != nil {
					close(reads)
					return
				}
				reads <- string(buf[:n])
			}
		}()
		f(p, func() (all []string) {
			synctest.Wait()
			for len(reads) > 0 {
				head, _, _ := strings.Cut(<-reads, "\n")
				all = append(all, head)
			}
			return all
		})
		p.close()
		p.session.Close(nil)
		theirs.Close()
	})
}

// fates are what became of forwards, in order.
type fates struct {
	mu  sync.Mutex
	all []string // Guarded by mu.
}

// of makes a forward from somebody.
func (f *fates) of(from string) *forward {
	return &forward{from: from, text: "x", done: func(err error) {
		if err == nil {
			err = errors.New("taken")
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all = append(f.all, from+" "+strings.TrimPrefix(err.Error(), "relay: "))
	}}
}

func (f *fates) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

func TestPipeHoldsForwardsUntilTheClientKnowsItIsRegistered(t *testing.T) {
	inPipe(t, func(p *pipe, got func() []string) {
		var notes fates
		p.hold()
		p.push(notes.of("ann"))
		time.Sleep(time.Minute)
		if early := got(); early != nil {
			t.Errorf("got %q before the answer", early)
		}
		p.answer(wire.Registered{Role: wire.ToRecv, Name: "bob"})
		p.release()
		time.Sleep(writeGap)
		if late := got(); !slices.Equal(late, []string{"REGISTERED TORECV bob", "FORWARD ann"}) {
			t.Errorf("got %q", late)
		}
	})
}

func TestPipeSendsOneForwardAfterTheOtherAndAnswersBetween(t *testing.T) {
	inPipe(t, func(p *pipe, got func() []string) {
		var notes fates
		for _, from := range []string{"ann", "bob", "cat", "dan"} {
			p.push(notes.of(from))
		}
		steps := []struct {
			do   func()
			wait time.Duration
			want []string
		}{
			{func() {}, 0, []string{"FORWARD ann"}},
			{func() { p.answer(wire.Sent{To: "x"}) }, writeGap - 1, nil},
			{func() {}, 1, []string{"SENT x"}},
			{func() { p.receipt("ann", nil) }, writeGap, []string{"FORWARD bob"}},
			{func() {}, receiptTimeout, []string{"FORWARD cat"}},
			{func() { p.receipt("bob", nil) }, time.Second, nil}, // Too late.
			{func() { p.receipt("whoever", errHeader) }, 0, []string{"FORWARD dan"}},
			{func() { p.close() }, 0, nil},
			{func() { p.push(notes.of("eve")); p.answer(wire.Sent{To: "y"}) }, time.Minute, nil},
		}
		for i, s := range steps {
			s.do()
			time.Sleep(s.wait)
			if now := got(); !slices.Equal(now, s.want) {
				t.Errorf("step %d: got %q, want %q", i, now, s.want)
			}
		}
		want := []string{"ann taken", "bob not acknowledged in time", "cat answered with error 103: chat: whisper not understood", "dan the user has left", "eve the user has left"}
		if !slices.Equal(notes.list(), want) {
			t.Errorf("got %q, want %q", notes.list(), want)
		}
		if p.wake != nil || p.forwards != nil || p.answers != nil {
			t.Error("a closed pipe holds something")
		}
	})
}

func TestPipeEndsASessionForWhichTooMuchWaits(t *testing.T) {
	inPipe(t, func(p *pipe, got func() []string) {
		var notes fates
		for range forwardsMax + 1 { // One is written.
			p.push(notes.of("ann"))
			got()
		}
		if p.session.Err() != nil || len(notes.list()) > 0 {
			t.Fatalf("got %v and %q with as many as there may be", p.session.Err(), notes.list())
		}
		p.push(notes.of("bob"))
		if !errors.Is(p.session.Err(), session.ErrSlow) || !slices.Equal(notes.list(), []string{"bob the user has left"}) {
			t.Errorf("got %v and %q", p.session.Err(), notes.list())
		}
	})
}

func TestIdlePipeHasNoGoroutine(t *testing.T) {
	inPipe(t, func(p *pipe, got func() []string) {
		var notes fates
		p.answer(wire.Sent{To: "x"})
		p.push(notes.of("ann"))
		time.Sleep(writeGap)
		got()
		if p.wake == nil {
			t.Error("nobody waits for the receipt")
		}
		p.receipt("ann", nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if p.wake != nil || p.forwards != nil || p.answers != nil {
			t.Error("an idle pipe holds something")
		}
	})
}
