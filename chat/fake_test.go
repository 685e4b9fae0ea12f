package chat_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

var errEngine = errors.New("the engine has a bad day")

// A fakeEngine is the memory engine with the ways of a remote one: what was appended can be held
// back, before it is stored and before it is delivered, and Append can fail in two ways.
type fakeEngine struct {
	chat.Engine
	duringSubscribe func() error // Of rooms. May wait, and may refuse. Constant once the engine is used.
	stubborn        bool         // Append does not care whether its ctx has ended. Likewise.
	subscriptions   atomic.Int32 // How many there are.

	mu       sync.Mutex
	changed  *sync.Cond
	appended int                               // Appends begun. Guarded by mu.
	fail     func(kind chat.Kind) (bool, bool) // Whether Append fails, and whether it stores first. Guarded by mu.
	gate     chan struct{}                     // Append waits for its end, or for ctx; nil is open. Guarded by mu.
	held     bool                              // Nothing is delivered. Guarded by mu.
	waiting  []func()                          // What to deliver later, in order. Guarded by mu.
}

func newFakeEngine(t testing.TB) *fakeEngine {
	e := &fakeEngine{Engine: memory.New(memory.Config{})}
	e.changed = sync.NewCond(&e.mu)
	t.Cleanup(func() { e.Engine.Close() })
	return e
}

// Append implements chat.Engine.
func (e *fakeEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	e.mu.Lock()
	e.appended++
	e.changed.Broadcast()
	gate := e.gate
	fails, stores := false, true
	if e.fail != nil {
		fails, stores = e.fail(chat.Kind(data[1]))
	}
	e.mu.Unlock()
	if gate != nil {
		over := ctx.Done()
		if e.stubborn {
			over = nil
		}
		select {
		case <-gate:
		case <-over:
			return chat.Msg{}, ctx.Err()
		}
	}
	var msg chat.Msg
	var err error
	if stores {
		msg, err = e.Engine.Append(ctx, room, id, data)
	}
	if fails {
		return chat.Msg{}, errEngine
	}
	return msg, err
}

// Subscribe implements chat.Engine.
func (e *fakeEngine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	stopped := false // Guarded by mu.
	inner, err := e.Engine.Subscribe(room, func(m chat.Msg) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.held {
			e.waiting = append(e.waiting, func() {
				if !stopped {
					f(m)
				}
			})
		} else {
			f(m)
		}
	})
	if err != nil {
		return nil, err
	}
	if e.duringSubscribe != nil && !strings.HasPrefix(room, "pr") { // Not what nodes tell each other.
		if err := e.duringSubscribe(); err != nil {
			inner()
			return nil, err
		}
	}
	e.subscriptions.Add(1)
	return func() {
		inner()
		e.mu.Lock()
		defer e.mu.Unlock()
		stopped = true
		e.subscriptions.Add(-1)
	}, nil
}

// failOn makes appends of a kind fail, after storing them or without.
func (e *fakeEngine) failOn(kind chat.Kind, stores bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = func(k chat.Kind) (bool, bool) { return k == kind, k != kind || stores }
}

func (e *fakeEngine) failNever() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = nil
}

// holdAppends makes appends from now on wait until the returned function is called.
func (e *fakeEngine) holdAppends() (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	gate := make(chan struct{})
	e.gate = gate
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.gate == gate {
			e.gate = nil
		}
		close(gate)
	}
}

// openForOthers lets appends that begin from now on pass, but not those that wait.
func (e *fakeEngine) openForOthers() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gate = nil
}

// holdDelivery stores but does not deliver until deliver is called.
func (e *fakeEngine) holdDelivery() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = true
}

// deliver delivers what was held back, and everything from now on.
func (e *fakeEngine) deliver() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.waiting {
		f()
	}
	e.held, e.waiting = false, nil
}

// waitAppended waits until n appends have begun.
func (e *fakeEngine) waitAppended(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.appended < n {
		e.changed.Wait()
	}
}

// slowWorld is a world on a fake engine, in a bubble.
func slowWorld(t *testing.T, run func(t *testing.T, w *world, e *fakeEngine)) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t)
		run(t, newWorld(t, chat.Config{Engine: e}), e)
	})
}

// begin calls f in a goroutine, which ends when f does, and returns what gives its result.
func begin(f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	synctest.Wait()
	return func() error { return <-done }
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
