package client

import (
	"time"

	"udpchat/chat/wire/native"
)

// A follower gives the events of one log to the program: each once, in the order of their numbers, without a hole. It is
// pure.
//
// In step, pushes are given on as they come. After a loss, and when the program was too slow to take events, it is
// behind: pushes are only counted, and what is missing is read page by page until a page has reached the highest number
// that was pushed.
type follower struct {
	log, peer string
	give      func(f *follower, ev native.Event, past bool) bool // False: the program has no room for it now.

	epoch    string // Of what the program has; empty: nothing yet.
	cursor   uint64 // The program has everything up to here.
	top      uint64 // The highest number known to be there.
	attached bool   // Over this connection.
	behind   bool   // What is missing must be read first.
	asked    bool   // To attach, or for a page: the answer is under way.
	history  int    // How many events of the past are wanted if there is nothing to resume.
	unread   bool   // All that the account has not read is wanted then, however many events that are.
	young    bool   // It began while we listened: what we read of it does not come from the past.
	retryAt  time.Time
}

// lost notes that the connection has ended.
func (f *follower) lost() { f.attached, f.asked, f.young, f.retryAt = false, false, false, time.Time{} }

// next returns what to ask the server for, nil if the log is in step or the answer is under way. roomy says that the
// program has room for more events.
func (f *follower) next(now time.Time, roomy bool) native.Request {
	if f.asked || !roomy || now.Before(f.retryAt) || f.attached && !f.behind {
		return nil
	}
	f.asked = true
	switch {
	case f.epoch == "":
		return native.Attach{Log: f.log, N: uint64(f.history)}
	case !f.attached:
		return native.Attach{Log: f.log, Epoch: f.epoch, After: f.cursor, N: pageEvents}
	case f.cursor == 0: // Not After, whose 0 asks for the newest.
		return native.History{Log: f.log, Epoch: f.epoch, Around: 1, N: pageEvents}
	}
	return native.History{Log: f.log, Epoch: f.epoch, After: f.cursor, N: pageEvents}
}

// nextAt returns when next has something to say if it has nothing now; zero: that depends on others.
func (f *follower) nextAt(roomy bool) time.Time {
	if f.asked || !roomy || f.attached && !f.behind {
		return time.Time{}
	}
	return f.retryAt
}

// begin takes a place for a log that the program has nothing of, or nothing any more. The events are its newest. If some that
// are not read come before them, all are read page by page instead.
func (f *follower) begin(p native.Place) {
	f.asked, f.attached, f.behind = false, true, false
	f.epoch, f.cursor, f.top = p.Epoch, p.Head, p.Head
	if len(p.Events) == 0 {
		return
	}
	f.cursor = p.Events[0].Seq - min(p.Events[0].Seq, 1)
	if f.unread && p.Mark <= p.Head {
		if p.More && p.Mark < f.cursor {
			f.cursor, f.behind = p.Mark, true
			return
		}
		f.cursor = max(f.cursor, p.Mark)
	}
	if f.all(p.Events) {
		f.cursor, f.young = max(f.cursor, p.Head), false
	}
}

// resume takes the answer to an attachment that named what the program has. Unless there are more, the events are all
// there are up to Head, whatever numbers are missing.
func (f *follower) resume(p native.Place) {
	f.asked, f.attached = false, true
	f.top = max(f.top, p.Head)
	if f.all(p.Events) && !p.More {
		f.cursor = max(f.cursor, p.Head)
	}
	f.behind = f.cursor < f.top
}

// again takes the place of a log that is followed already.
func (f *follower) again(p native.Place) {
	f.top = max(f.top, p.Head)
	f.attached = true
	f.behind = f.behind || f.cursor < f.top
}

// page takes the answer to a History.
func (f *follower) page(p native.Page) {
	f.asked = false
	if !f.all(p.Events) || p.More {
		return
	}
	// Everything up to now has been read. What was pushed since the page was made needs another one; what was pushed and
	// cannot be read is not there for us.
	if f.cursor >= f.top || len(p.Events) == 0 {
		f.cursor = max(f.cursor, f.top)
		f.behind, f.young = false, false
	}
}

// refused notes that the last request was refused: it is made again after a while.
func (f *follower) refused(now time.Time, wait time.Duration) {
	f.asked, f.retryAt = false, now.Add(max(wait, logRetry))
}

// push takes an event that happens now.
func (f *follower) push(ev native.Event) {
	switch {
	case ev.Seq == 0: // It is kept nowhere.
		f.give(f, ev, false)
	case ev.Seq <= f.cursor: // A repeat.
	case !f.attached || f.behind:
		f.top = max(f.top, ev.Seq)
	case !f.give(f, ev, false):
		f.top, f.behind = ev.Seq, true
	default:
		f.cursor, f.top = ev.Seq, ev.Seq
	}
}

// all gives on what is new of past events and reports whether the program took all of it; else it stays behind.
func (f *follower) all(events []native.Event) bool {
	for _, ev := range events {
		if ev.Seq <= f.cursor {
			continue
		}
		if !f.give(f, ev, !f.young) {
			f.top, f.behind = max(f.top, ev.Seq), true
			return false
		}
		f.cursor = ev.Seq
	}
	f.top = max(f.top, f.cursor)
	return true
}
