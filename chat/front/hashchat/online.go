package hashchat

import "time"

// An online is an ONLINE and when it was right.
type online struct {
	list []byte // Shared, never changed; nil if there is nobody to name.
	seq  uint64 // Of the event after which it is right.
}

// remember notes that m is in the room.
func (f *Front) remember(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[m] = true
}

// forget undoes remember.
func (f *Front) forget(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m)
}

// tell shows a changed list to m: at once if it is its first one or the room is small, else with all changes of the same
// second (PROTOCOL.md 3.4). It is called from Receive, so in the order of events.
func (f *Front) tell(m *member, first bool, o online) {
	f.mu.Lock()
	crowded := len(f.members) >= crowdMin
	if crowded && !first {
		f.late = &o
		if f.timer == nil {
			f.timer = time.AfterFunc(crowdPause, f.tellLate)
		}
	}
	f.mu.Unlock()
	if first || !crowded {
		m.show(o)
	}
}

// tellLate shows the newest list to all who have not seen it.
func (f *Front) tellLate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := *f.late
	f.late, f.timer = nil, nil
	for m := range f.members {
		m.show(o)
	}
}
