package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// An interruption is the user's wish to end the chat: Ctrl-C, SIGINT or SIGTERM. The first one ends the conversation,
// with a goodbye; the second does not wait for that; a third signal ends the process as signals do.
type interruption struct {
	end   context.CancelFunc // Constant after watchInterrupts: ends the conversation.
	hurry chan struct{}      // Closed by the second one.

	mu    sync.Mutex
	count int // Guarded by mu.
}

// watchInterrupts returns a context that the first interruption ends. The caller must call stop, which waits for the
// goroutine that watches for signals.
func watchInterrupts(ctx context.Context) (_ context.Context, i *interruption, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	i = &interruption{end: cancel, hurry: make(chan struct{})}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watching sync.WaitGroup
	done := make(chan struct{})
	// Owns counting signals; ends with the second one or with stop.
	watching.Go(func() {
		for range 2 {
			select {
			case <-signals:
				i.again()
			case <-done:
				return
			}
		}
		signal.Stop(signals)
	})
	return ctx, i, func() {
		close(done)
		watching.Wait()
		signal.Stop(signals)
		cancel()
	}
}

// again is one interruption more. It may be called concurrently.
func (i *interruption) again() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	switch i.count {
	case 1:
		i.end()
	case 2:
		close(i.hurry)
	}
}
