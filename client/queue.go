package client

// A queue keeps events until the program takes them. It is bounded: what does not fit is refused. An event of a log can be
// read again later; what is true only now is lost, but for who is there: of that the newest is kept of everybody.
type queue struct {
	events []Event
	bytes  int
	late   map[string]Presence // By account: the newest that did not fit.
}

// full reports whether an event of a log would be refused.
func (q *queue) full() bool { return len(q.events) >= eventsMax || q.bytes >= eventsBytesMax }

// roomy reports whether it makes sense to read again what was refused.
func (q *queue) roomy() bool { return len(q.events) <= eventsMax/2 && q.bytes <= eventsBytesMax/2 }

// offer adds an event unless the queue is full, and reports whether it did.
func (q *queue) offer(ev Event) bool {
	if q.full() {
		return false
	}
	q.add(ev)
	return true
}

// offerPresence adds what somebody is, or keeps it until there is room.
func (q *queue) offerPresence(p Presence) {
	_, late := q.late[p.Account]
	switch {
	case !late && !q.full():
		q.add(p)
	case late || len(q.late) < lateMax:
		if q.late == nil {
			q.late = make(map[string]Presence)
		}
		q.late[p.Account] = p
	}
}

// add adds an event in any case, for the few that must not be missed: at most two for each connection and one for each log
// we are in. An attempt to connect replaces the one before.
func (q *queue) add(ev Event) {
	if _, again := ev.(Retry); again && len(q.events) > 0 {
		if _, ok := q.events[len(q.events)-1].(Retry); ok {
			q.events[len(q.events)-1] = ev
			return
		}
	}
	q.events = append(q.events, ev)
	q.bytes += eventBytes(ev)
}

// take returns the oldest event, nil if there is none.
func (q *queue) take() Event {
	if len(q.events) == 0 {
		return nil
	}
	ev := q.events[0]
	q.events[0] = nil
	q.events = q.events[1:]
	q.bytes -= eventBytes(ev)
	if q.roomy() {
		for account, p := range q.late {
			delete(q.late, account)
			q.add(p)
			break // One for each that is taken.
		}
	}
	if len(q.events) == 0 {
		q.events, q.late = nil, nil
	}
	return ev
}
