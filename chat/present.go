package chat

// Present returns the names of the members of this Hub who are in the room when the event has
// happened, in the order in which they came; a name that several have is there several times. It must
// only be called from within Receive. The caller owns what it gets.
func (ev *Event) Present() []string {
	names := make([]string, 0, len(ev.room.members))
	for i := range ev.room.members {
		if u := ev.room.members[i].user; ev.Kind != KindLeft || u.device != device(ev.ID) {
			names = append(names, u.name)
		}
	}
	return names
}

// Owns reports whether ev is about u: that it came, left or said something. JoinIDs cannot tell, since another node of a
// cluster may have given out the same one.
func (u *User) Owns(ev *Event) bool { return device(ev.ID) == u.device }
