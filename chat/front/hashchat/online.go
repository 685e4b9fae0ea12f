package hashchat

import (
	"bytes"
	"time"
)

// A list is an ONLINE: shared by all who get it, so never changed; nil if there is nobody to name.

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

// tell shows a changed list to m: at once if it is its first one or the list is short, else with all changes of the same
// second (PROTOCOL.md 3.4). It is called from Receive, so with newer and newer lists.
func (f *Front) tell(m *member, first bool, list []byte) {
	f.mu.Lock()
	now := first || !f.isCrowdLocked(list)
	switch {
	case f.late != nil:
		f.late = list // Also if m has it now: tellLate must not show it an older one.
	case !now:
		f.late = list
		time.AfterFunc(crowdPause, f.tellLate)
	}
	f.mu.Unlock()
	if now {
		m.show(list)
	}
}

// isCrowdLocked reports whether a list has more than crowdMin names. All members get the same bytes, so that these are counted
// once for each change.
func (f *Front) isCrowdLocked(list []byte) bool {
	if len(list) == 0 {
		return false
	}
	if f.counted != &list[0] {
		f.counted, f.crowd = &list[0], bytes.Count(list, []byte(",")) >= crowdMin
	}
	return f.crowd
}

// tellLate shows the newest list to all who have not seen it.
func (f *Front) tellLate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for m := range f.members {
		m.show(f.late)
	}
	f.late = nil
}
