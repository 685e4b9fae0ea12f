package compare

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	kcp "github.com/xtaci/kcp-go/v5"
)

// kcp-go updates its sessions from one scheduler for the whole process, which is started outside of every bubble of
// testing/synctest. And if it were started inside, it would stop time: it runs what is due only after its due time, and
// in a bubble the clock stands exactly at it until everybody sleeps. So a process that runs bubbles gives kcp-go a
// scheduler that never starts, and runs what is put into it by itself.

// kcpSched is the beginning of kcp.TimedSched, as it is in the version of kcp-go that go.mod pins.
type kcpSched struct {
	prependTasks []struct {
		execute func()
		ts      time.Time
	}
	prependLock     sync.Mutex
	chPrependNotify chan struct{}
}

// kcpSchedKnown reports whether kcp.TimedSched still begins so.
func kcpSchedKnown() bool {
	theirs, ours := reflect.TypeFor[kcp.TimedSched](), reflect.TypeFor[kcpSched]()
	if theirs.NumField() < ours.NumField() {
		return false
	}
	for i := range ours.NumField() {
		t, o := theirs.Field(i), ours.Field(i)
		if t.Name != o.Name || t.Offset != o.Offset || t.Type.Kind() != o.Type.Kind() || t.Type.Size() != o.Type.Size() {
			return false
		}
	}
	task, mine := theirs.Field(0).Type.Elem(), ours.Field(0).Type.Elem()
	return task.NumField() == mine.NumField() && task.Size() == mine.Size() &&
		task.Field(0).Type == mine.Field(0).Type && task.Field(1).Type == mine.Field(1).Type
}

// runKCPSched puts a scheduler in kcp-go's place that lives in the caller's bubble. Until stop is called no session of another
// bubble, or of none, may be made in this process.
func runKCPSched() (stop func()) {
	sched := new(kcp.TimedSched)
	inner := (*kcpSched)(unsafe.Pointer(sched)) // kcpSchedKnown has been asked.
	inner.chPrependNotify = make(chan struct{}, 1)
	before := kcp.SystemTimedSched
	kcp.SystemTimedSched = sched
	done, ended := make(chan struct{}), make(chan struct{})
	// Owns the tasks; ends when stop is called.
	go func() {
		defer close(ended)
		inner.run(done)
	}()
	return func() {
		close(done)
		<-ended
		kcp.SystemTimedSched = before
	}
}

func (s *kcpSched) run(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.prependLock.Lock()
		tasks := s.prependTasks
		s.prependTasks = nil
		s.prependLock.Unlock()
		now, next := time.Now(), time.Now().Add(time.Hour)
		later := tasks[:0:0]
		for _, t := range tasks {
			if t.ts.After(now) {
				later = append(later, t)
				if t.ts.Before(next) {
					next = t.ts
				}
				continue
			}
			t.execute() // It puts itself back, later.
		}
		s.prependLock.Lock()
		fresh := s.prependTasks
		for _, t := range fresh {
			if t.ts.Before(next) {
				next = t.ts
			}
		}
		s.prependTasks = append(later, fresh...)
		s.prependLock.Unlock()
		timer.Reset(time.Until(next))
		select {
		case <-done:
			return
		case <-s.chPrependNotify:
		case <-timer.C:
		}
	}
}
