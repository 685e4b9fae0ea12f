package im

import (
	"sync"
	"time"
)

// reads is how far the user has read its conversations, as far as that is still to be written down. Its mu is the innermost
// lock.
type reads struct {
	write func(seqs map[string]uint64) // Writes it down. Set before first use. May block.

	writing sync.Mutex // Held while write runs. Taken before mu.
	mu      sync.Mutex
	seqs    map[string]uint64 // By log. Guarded by mu, like all that follows.
	timer   *time.Timer       // Set while there is something in seqs.
	closed  bool
}

// note notes that a message was given to the connection.
func (r *reads) note(log string, seq uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seqs == nil {
		r.seqs = make(map[string]uint64)
	}
	r.seqs[log] = max(r.seqs[log], seq)
	if r.timer == nil && !r.closed {
		r.timer = time.AfterFunc(markPause, r.flush)
	}
}

// flush writes down what was noted, unless close does.
func (r *reads) flush() {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	seqs := r.takeLocked()
	r.mu.Unlock()
	r.write(seqs)
}

// close writes down what is left. When it returns write is not called again.
func (r *reads) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.writing.Lock() // Waits for flush.
	defer r.writing.Unlock()
	r.mu.Lock()
	seqs := r.takeLocked()
	r.mu.Unlock()
	r.write(seqs)
}

func (r *reads) takeLocked() map[string]uint64 {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	seqs := r.seqs
	r.seqs = nil
	return seqs
}
