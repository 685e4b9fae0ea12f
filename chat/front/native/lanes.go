package native

import "sync"

// lanes carry out the requests of one session: those of one lane in the order in which they came, different lanes at the
// same time. A lane has a goroutine only while it has work.
type lanes struct {
	wg sync.WaitGroup // Holds the lanes' goroutines.

	mu       sync.Mutex
	lanes    map[string][]job // What waits in each lane that has a goroutine; nil while there is none. Guarded by mu.
	requests int              // Under way or waiting. Guarded by mu.
	bytes    int              // Of their messages. Guarded by mu.
	room     chan struct{}    // Closed when a request is done; nil if nobody waits for that. Guarded by mu.
}

// A job is one request.
type job struct {
	bytes int
	do    func()
}

// run has do carried out in a lane. It blocks while too many requests are under way. Only the session's reader calls it.
func (l *lanes) run(lane string, bytes int, do func()) {
	l.mu.Lock()
	for l.requests >= inFlightMax || l.requests > 0 && l.bytes+bytes > inFlightBytesMax {
		l.waitLocked()
	}
	defer l.mu.Unlock()
	l.addLocked(lane, bytes, do)
}

// follow has do carried out in a lane as the rest of the job that calls it. It does not block: the job is about to end, so
// there are no more under way than before.
func (l *lanes) follow(lane string, bytes int, do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addLocked(lane, bytes, do)
}

func (l *lanes) addLocked(lane string, bytes int, do func()) {
	l.requests++
	l.bytes += bytes
	queue, busy := l.lanes[lane]
	if l.lanes == nil {
		l.lanes = make(map[string][]job)
	}
	l.lanes[lane] = append(queue, job{bytes, do})
	if !busy {
		l.wg.Go(func() { l.work(lane) }) // Owns the lane until it is empty; settle waits for it.
	}
}

// waitLocked waits until a request is done, without the lock.
func (l *lanes) waitLocked() {
	if l.room == nil {
		l.room = make(chan struct{})
	}
	room := l.room
	l.mu.Unlock()
	<-room
	l.mu.Lock()
}

// work carries out what is in a lane until it is empty.
func (l *lanes) work(lane string) {
	for {
		j, ok := l.next(lane)
		if !ok {
			return
		}
		l.carryOut(j)
	}
}

// next takes the next job of a lane, and ends the lane if there is none.
func (l *lanes) next(lane string) (job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.lanes[lane]
	if len(queue) == 0 {
		delete(l.lanes, lane)
		if len(l.lanes) == 0 {
			l.lanes = nil // Idle sessions are many.
		}
		return job{}, false
	}
	j := queue[0]
	queue[0] = job{}
	l.lanes[lane] = queue[1:]
	return j, true
}

// carryOut does one job, which must not panic.
func (l *lanes) carryOut(j job) {
	j.do()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests--
	l.bytes -= j.bytes
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// settle waits until everything has been carried out. Only the session's reader calls it.
func (l *lanes) settle() { l.wg.Wait() }
