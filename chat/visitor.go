package chat

import (
	"slices"
	"sync"
)

// Naming says whether a visitor shares its name with others of its kind.
type Naming uint8

const (
	// SharedName: others may come by the same name, with SharedName too. All of them hear what is
	// whispered to it.
	SharedName Naming = iota
	// SoleName: nobody else who can be whispered to has the name while this one is here.
	SoleName
)

// Enter is Connect for a visitor to whom others may whisper by its name, until it is closed. It
// refuses as Connect does, and with CodeNameTaken if a visitor has the name that does not share it,
// or shares it and n is SoleName. Users of Connect are not asked: nobody can whisper to them.
func (h *Hub) Enter(name string, w Hearer, ids IDs, n Naming) (*User, error) {
	u, err := h.Connect(name, w, ids)
	if err != nil {
		return nil, err
	}
	if !h.visitors.add(u, w, n) {
		h.users.remove(u)
		return nil, h.refuse("connect", CodeNameTaken, 0, "")
	}
	return u, nil
}

// visitorTable finds those who can be whispered to by their names. Its lock is held while they are
// told, so it comes before whatever Hear locks, and after all others.
type visitorTable struct {
	mu     sync.RWMutex
	byName map[string][]visitor // In the order they came. Guarded by mu.
}

// A visitor is a user who can be whispered to.
type visitor struct {
	user   *User
	hears  Hearer
	naming Naming
}

// add reports whether u may have its name, and remembers it then.
func (t *visitorTable) add(u *User, w Hearer, n Naming) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	others := t.byName[u.name]
	if len(others) > 0 && (n == SoleName || others[0].naming == SoleName) {
		return false
	}
	if t.byName == nil {
		t.byName = make(map[string][]visitor)
	}
	t.byName[u.name] = append(others, visitor{u, w, n})
	return true
}

// remove forgets u, if it was there: after it has returned, nobody whispers to u any more.
func (t *visitorTable) remove(u *User) {
	t.mu.Lock()
	defer t.mu.Unlock()
	others := t.byName[u.name]
	i := slices.IndexFunc(others, func(v visitor) bool { return v.user == u })
	switch {
	case i < 0:
	case len(others) == 1:
		delete(t.byName, u.name)
	default:
		t.byName[u.name] = slices.Delete(others, i, i+1)
	}
}

// tell gives everybody of that name what next returns, one for each, and returns how many that were.
func (t *visitorTable) tell(name string, next func() *Whisper) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, v := range t.byName[name] {
		v.hears.Hear(next())
	}
	return len(t.byName[name])
}
