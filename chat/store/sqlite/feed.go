package sqlite

import (
	"slices"
	"sync"
	"sync/atomic"

	"udpchat/chat"
)

// A feed calls the subscribers with what was committed, in one goroutine, while the next batch commits.
//
// A subscriber is told what was committed after it subscribed. Batches are counted for that: committed is raised before
// anybody in the batch is answered, so whoever subscribes after an answer has seen that batch counted.
type feed struct {
	committed atomic.Uint64     // Batches committed.
	batches   chan batch        // Closed by the writer.
	mu        sync.Mutex        // Held over calls of subscribers, which makes it one at a time.
	subs      map[string][]*sub // By room. Guarded by mu.
	closed    bool              // Guarded by mu.
}

// A batch is the messages of one transaction.
type batch struct {
	number uint64
	msgs   []chat.Msg
}

// A sub is one call of Subscribe; its address tells it from others.
type sub struct {
	after uint64 // The last batch it is not told about.
	f     func(chat.Msg)
}

func (fd *feed) init() {
	fd.batches = make(chan batch)
	fd.subs = make(map[string][]*sub)
}

// hand gives the messages of the batch committed last to the feed, and waits until it is done with the one before.
func (fd *feed) hand(msgs []chat.Msg) {
	if len(msgs) > 0 {
		fd.batches <- batch{fd.committed.Load(), msgs}
	}
}

// run is the feed's goroutine.
func (fd *feed) run() {
	for b := range fd.batches {
		fd.mu.Lock()
		for _, m := range b.msgs {
			for _, s := range fd.subs[m.Room] {
				if s.after < b.number {
					s.f(m)
				}
			}
		}
		fd.mu.Unlock()
	}
	fd.mu.Lock()
	defer fd.mu.Unlock()
	fd.subs, fd.closed = nil, true
}

// Subscribe implements chat.Engine.
func (e *Engine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	if err := tooLong("room", len(room), nameBytesMax); err != nil {
		return nil, err
	}
	fd := &e.feed
	fd.mu.Lock()
	defer fd.mu.Unlock()
	if fd.closed {
		return nil, errClosed()
	}
	s := &sub{after: fd.committed.Load(), f: f}
	fd.subs[room] = append(fd.subs[room], s)
	return func() { fd.remove(room, s) }, nil
}

func (fd *feed) remove(room string, s *sub) {
	fd.mu.Lock()
	defer fd.mu.Unlock()
	i := slices.Index(fd.subs[room], s)
	if i < 0 {
		return
	}
	fd.subs[room] = slices.Delete(fd.subs[room], i, i+1)
	if len(fd.subs[room]) == 0 {
		delete(fd.subs, room)
	}
}

// Send implements chat.Engine. There is one node only, so it calls the subscribers itself.
func (e *Engine) Send(room string, data []byte) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	if err := tooLong("message", len(data), messageBytesMax); err != nil {
		return err
	}
	fd := &e.feed
	fd.mu.Lock()
	defer fd.mu.Unlock()
	m := chat.Msg{Room: room, Time: now(), Data: data}
	for _, s := range fd.subs[room] {
		s.f(m)
	}
	return nil
}
