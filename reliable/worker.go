package reliable

import (
	"runtime"
	"sync"
	"time"
)

// workers run the turns of an endpoint's connections: a few goroutines for any number of connections, so that one with
// nothing to do costs neither a goroutine nor a timer. A connection has at most one turn at a time, and what happens
// meanwhile gets it another one, at the end of the queue.
//
// Others could run turns too, which saves waking a worker. Measured and not kept: Write doing so makes request and reply
// over loopback four times slower, because no two things share a turn any more; the reader doing so gains nothing, and
// halves bulk transfer where it reads datagrams one by one.
type workers struct {
	e     *Endpoint // its WaitGroup counts workers, and the timer while it runs
	max   int
	start time.Time
	turn  func(c *Conn, now time.Time, b *batch) (next time.Time, alive bool)
	end   func(c *Conn) // after the last turn

	mu          sync.Mutex
	work        sync.Cond // who sleeps waits here
	first, last *Conn     // guarded by mu; the queue
	started     int       // guarded by mu; workers that exist
	asleep      int       // guarded by mu; those that nobody has woken
	closed      bool      // guarded by mu

	timers  timers        // guarded by mu
	timer   *time.Timer   // guarded by mu; nil: none was needed so far
	armed   bool          // guarded by mu; the timer runs
	armedAt time.Duration // guarded by mu; since start
}

// A task is a connection's place among the workers, guarded by their mutex.
type task struct {
	state      taskState
	timed      bool // it is in timers
	index      int  // there
	at, heapAt time.Duration
	next       *Conn // in the queue
}

type taskState uint8

const (
	taskIdle    taskState = iota // nothing to do before its time
	taskQueued                   // waits for a worker
	taskRunning                  // has its turn
	taskAgain                    // has its turn and needs another
	taskOver                     // has had its last turn
)

func (w *workers) init(e *Endpoint, start time.Time) {
	w.e, w.start = e, start
	w.turn, w.end = (*Conn).turn, (*Conn).end
	w.max = min(runtime.GOMAXPROCS(0), workersMax)
	w.work.L = &w.mu
}

// push sees to it that the connection has a turn that begins after the call.
func (w *workers) push(c *Conn) {
	w.mu.Lock()
	w.pushLocked(c)
	w.wakeLocked()
	w.mu.Unlock()
}

func (w *workers) pushLocked(c *Conn) {
	switch c.task.state {
	case taskIdle:
		c.task.state = taskQueued
		if w.first == nil {
			w.first = c
		} else {
			w.last.task.next = c
		}
		w.last = c
	case taskRunning:
		c.task.state = taskAgain
	case taskQueued, taskAgain, taskOver:
	}
}

// wakeLocked finds a worker for the queue, unless all are awake.
func (w *workers) wakeLocked() {
	switch {
	case w.first == nil:
	case w.asleep > 0:
		w.asleep--
		w.work.Signal()
	case w.started < w.max && !w.closed:
		w.started++
		w.e.wg.Go(w.run) // Owns the machine of the connection whose turn it runs; ends by close.
	}
}

// run runs turns until the workers are closed.
func (w *workers) run() {
	b := batch{e: w.e}
	for {
		c := w.take(len(b.turns) == 0)
		if c == nil && len(b.turns) == 0 {
			return
		}
		if c == nil { // Who is about to write to other connections may do so first: it becomes one batch.
			runtime.Gosched()
			c = w.take(false)
		}
		now := time.Now()
		if c != nil {
			if len(b.turns) == 0 {
				b.since = now
			}
			next, alive := w.turn(c, now, &b)
			b.turns = append(b.turns, turnEnd{c, next, alive})
		}
		if c == nil || b.due(now) {
			b.send()
			w.done(b.turns)
			clear(b.turns)
			b.turns = b.turns[:0]
		}
	}
}

// take returns a connection that needs a turn, nil if there is none. Then it may wait for one, until close.
func (w *workers) take(wait bool) *Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.first == nil {
		if w.closed || !wait {
			return nil
		}
		w.asleep++
		w.work.Wait()
	}
	c := w.first
	w.first = c.task.next
	c.task.next, c.task.state = nil, taskRunning
	return c
}

// done ends turns, whose datagrams have left.
func (w *workers) done(turns []turnEnd) {
	for _, t := range turns {
		if !t.alive {
			w.end(t.c)
		}
	}
	now := time.Since(w.start)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range turns {
		k := &t.c.task
		again := k.state == taskAgain
		switch {
		case !t.alive:
			k.state = taskOver
			w.timers.remove(t.c)
		case again:
			k.state = taskIdle
			w.pushLocked(t.c)
		default:
			k.state = taskIdle
			w.timers.set(t.c, coarse(now, t.next.Sub(w.start)))
		}
	}
	if w.first != nil && w.first != w.last { // One is for us.
		w.wakeLocked()
	}
	w.armLocked()
}

// coarse moves a time that is far away to the end of its grain: that of idle connections, which need not be exact, and of
// which there may be so many that they had better have their turns together.
func coarse(now, at time.Duration) time.Duration {
	if at-now < farAway {
		return at
	}
	return at.Truncate(farGrain) + farGrain
}

// armLocked has the timer fire for the first of the timers, or earlier.
func (w *workers) armLocked() {
	at, ok := w.timers.next()
	if !ok || w.closed || w.armed && w.armedAt <= at {
		return
	}
	d := time.Until(w.start.Add(at))
	switch {
	case w.timer == nil:
		w.e.wg.Add(1)
		w.timer = time.AfterFunc(d, w.fire)
	case !w.timer.Reset(d):
		w.e.wg.Add(1)
	}
	w.armed, w.armedAt = true, at
}

// fire queues the connections whose time has come.
func (w *workers) fire() {
	defer w.e.wg.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	now := time.Since(w.start)
	for c := w.timers.pop(now); c != nil; c = w.timers.pop(now) {
		w.pushLocked(c)
		w.wakeLocked()
	}
	w.armLocked()
}

// close ends the workers. No connection may need a turn any more.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.work.Broadcast()
	if w.timer != nil && w.timer.Stop() {
		w.e.wg.Done()
	}
}
