package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// chatPatience is after what silence the person at the terminal is told that we are waiting. Bad links need a second or
// two to deliver; much longer, and people wonder.
const chatPatience = 5 * time.Second

// A silenceWatch tells the user when what was said does not come back, and when it does after all. The zero value is
// ready. One goroutine at most runs for it, and only while something is on its way.
type silenceWatch struct {
	running atomic.Bool
	tasks   sync.WaitGroup // Waited for by chatUI.run, after the client has ended.
	heard   atomic.Int64   // When the server was heard last, in nanoseconds since 1970.
}

// hear notes that the server has sent something.
func (w *silenceWatch) hear(now time.Time) { w.heard.Store(now.UnixNano()) }

// watchSilence starts watching for the copy of what was just said, unless somebody does already.
func (u *chatUI) watchSilence(ctx context.Context) {
	w := &u.silence
	if !u.interactive || !w.running.CompareAndSwap(false, true) {
		return
	}
	// Owns telling about silence; ends when everything said has come back, or with the client.
	w.tasks.Go(func() {
		defer w.running.Store(false)
		told := false
		for ctx.Err() == nil {
			wait, cancel := context.WithTimeout(ctx, chatPatience)
			err := u.client.Flush(wait)
			cancel()
			switch {
			case err == nil && told:
				u.out.event("* The server answers again.")
				return
			case !errors.Is(err, context.DeadlineExceeded):
				return // Everything is back, or the chat ends, which others report.
			case !told && time.Since(time.Unix(0, w.heard.Load())) >= chatPatience:
				told = true
				u.out.problem(fmt.Sprintf("the server has been silent for %.0f s; still trying to deliver what you said", chatPatience.Seconds()))
			}
		}
	})
}
