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
// or shares it and n is SoleName, on any node. Users of Connect are not asked: nobody can whisper to them. If two nodes
// let somebody in by the same name before they have heard of each other, both stay, and hear what is whispered to it.
func (h *Hub) Enter(name string, w Hearer, ids IDs, n Naming) (*User, error) {
	h.Start()
	u, err := h.Connect(name, w, ids)
	if err != nil {
		return nil, err
	}
	if h.people.takenElsewhere(name, n) || !h.visitors.add(u, w, n) {
		h.users.remove(u)
		return nil, h.refuse("connect", CodeNameTaken, 0, "")
	}
	h.people.dirtyName(name)
	return u, nil
}

// takenElsewhere reports whether nobody may come by that name here because of a visitor on another node.
func (p *people) takenElsewhere(name string, n Naming) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.nodes {
		if naming, ok := other.names[name]; ok && (n == SoleName || naming == SoleName) {
			return true
		}
	}
	return false
}

// dirtyName has the other nodes told whether a visitor of that name is here.
func (p *people) dirtyName(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dirtyNames == nil {
		p.dirtyNames = make(map[string]bool)
	}
	p.dirtyNames[name] = true
	p.hub.wakeCrier()
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

// remove forgets u, and reports whether it was there: after it has returned, nobody whispers to u any more.
func (t *visitorTable) remove(u *User) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	others := t.byName[u.name]
	i := slices.IndexFunc(others, func(v visitor) bool { return v.user == u })
	switch {
	case i < 0:
		return false
	case len(others) == 1:
		delete(t.byName, u.name)
	default:
		t.byName[u.name] = slices.Delete(others, i, i+1)
	}
	return true
}

// naming returns how those who have a name have it, and whether there are any.
func (t *visitorTable) naming(name string) (n Naming, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := t.byName[name]
	if len(list) == 0 {
		return 0, false
	}
	return list[0].naming, true
}

// names returns all names.
func (t *visitorTable) names() []nodeName {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]nodeName, 0, len(t.byName))
	for name, list := range t.byName {
		all = append(all, nodeName{name, true, list[0].naming})
	}
	return all
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
