package chat_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"udpchat/chat"
)

// TestRoomsAgainstAModel does random things one after the other and compares everything everybody
// is told, and every refusal, with a model of a few lines.
func TestRoomsAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			t:       t,
			w:       newWorld(t, chat.Config{RoomsMax: 4, RoomsPerUserMax: 3}),
			members: map[string][]*client{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"connect": m.connect,
			"join":    m.join,
			"leave":   m.leave,
			"say":     m.say,
			"close":   m.close,
		})
	})
}

// model is what the hub should be.
type model struct {
	t       *rapid.T
	w       *world
	users   []*client
	rooms   []string             // By RoomRef, from 1 on; empty: it has given up its place.
	members map[string][]*client // In the order they joined.
	want    []string             // What is told by the current step.
}

func (m *model) check(*rapid.T) {
	if got := m.w.happened(); !slices.Equal(got, m.want) {
		m.t.Fatalf("told\n%q\nwant\n%q", got, m.want)
	}
	m.want = nil
	for _, u := range m.users {
		if got, want := u.Rooms(), m.roomsOf(u); !slices.Equal(got, want) {
			m.t.Fatalf("%s is in %d, want %d", u.name, got, want)
		}
	}
}

func (m *model) roomsOf(u *client) []chat.RoomRef {
	var refs []chat.RoomRef
	for i, room := range m.rooms {
		if slices.Contains(m.members[room], u) {
			refs = append(refs, chat.RoomRef(i+1))
		}
	}
	return refs
}

// tell is one event: to its subject first, if that is a member.
func (m *model) tell(room string, subject *client, what string) {
	order := slices.Clone(m.members[room])
	if i := slices.Index(order, subject); i >= 0 {
		order = slices.Insert(slices.Delete(order, i, i+1), 0, subject)
	}
	for _, c := range order {
		m.want = append(m.want, fmt.Sprintf("%s < %s: %s %s", c.name, room, subject.name, what))
	}
}

func (m *model) user() *client {
	if len(m.users) == 0 {
		m.t.Skip("nobody is there")
	}
	return m.users[rapid.IntRange(0, len(m.users)-1).Draw(m.t, "user")]
}

func (m *model) room() (chat.RoomRef, string) {
	ref := rapid.IntRange(0, len(m.rooms)+1).Draw(m.t, "ref")
	if ref == 0 || ref > len(m.rooms) {
		return chat.RoomRef(ref), ""
	}
	return chat.RoomRef(ref), m.rooms[ref-1]
}

func (m *model) remove(room string, u *client) {
	m.members[room] = slices.DeleteFunc(m.members[room], func(c *client) bool { return c == u })
}

// wantErr checks an error; code 0 is none.
func (m *model) wantErr(err error, code chat.Code) {
	e, ok := errors.AsType[*chat.Error](err)
	if code == 0 && err != nil || code != 0 && (!ok || e.Code != code) {
		m.t.Fatalf("error is %v, want code %d", err, code)
	}
}

func (m *model) connect(*rapid.T) {
	if len(m.users) < 6 {
		m.users = append(m.users, m.w.connect(fmt.Sprint("user", len(m.users), "of", m.w.hub.Stats().Joined)))
	}
}

func (m *model) join(t *rapid.T) {
	u := m.user()
	room := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "room")
	ref, err := u.Join(t.Context(), room)
	in := slices.Contains(m.members[room], u)
	known := slices.Contains(m.rooms, room)
	if !in && len(m.roomsOf(u)) >= 3 || !known && !m.hasPlace() {
		m.wantErr(err, chat.CodeTooManyRooms)
		return
	}
	m.wantErr(err, 0)
	if !known {
		m.rooms = append(m.rooms, room)
	}
	if want := slices.Index(m.rooms, room) + 1; ref != chat.RoomRef(want) {
		m.t.Fatalf("room %q is %d, want %d", room, ref, want)
	}
	if !in {
		m.members[room] = append(m.members[room], u)
	}
	m.tell(room, u, "joined")
}

// hasPlace reports whether one more room can be made; if need be the oldest one in which nobody is gives up its place.
func (m *model) hasPlace() bool {
	rooms, idle := 0, -1
	for i, room := range m.rooms {
		if room == "" {
			continue
		}
		rooms++
		if idle < 0 && len(m.members[room]) == 0 {
			idle = i
		}
	}
	if rooms < 4 {
		return true
	}
	if idle >= 0 {
		m.rooms[idle] = ""
	}
	return idle >= 0
}

func (m *model) leave(t *rapid.T) {
	u := m.user()
	ref, room := m.room()
	err := u.Leave(t.Context(), ref)
	if m.refused(err, room, u) {
		return
	}
	m.tell(room, u, "left (left)")
	m.remove(room, u)
}

func (m *model) say(t *rapid.T) {
	u := m.user()
	ref, room := m.room()
	text := rapid.String().Draw(t, "text")
	err := u.Say(t.Context(), ref, "", text)
	if m.refused(err, room, u) {
		return
	}
	m.tell(room, u, "said "+text)
}

// refused reports whether u had to be refused, and checks that it was, or was not.
func (m *model) refused(err error, room string, u *client) bool {
	switch {
	case room == "":
		m.wantErr(err, chat.CodeNoRoom)
	case !slices.Contains(m.members[room], u):
		m.wantErr(err, chat.CodeNotMember)
	default:
		m.wantErr(err, 0)
		return false
	}
	return true
}

func (m *model) close(t *rapid.T) {
	u := m.user()
	m.wantErr(u.close(t.Context(), chat.ReasonSlow), 0)
	for _, room := range m.rooms {
		if slices.Contains(m.members[room], u) {
			m.tell(room, u, "left (slow)")
			m.remove(room, u)
		}
	}
	m.users = slices.DeleteFunc(m.users, func(c *client) bool { return c == u })
}
