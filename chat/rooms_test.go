package chat_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/chat"
)

func TestEventsReachTheirSubjectFirstAndThenTheOthersAsTheyJoined(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob, cat := w.connect("ann"), w.connect("bob"), w.connect("cat")
	kitchen := ann.join("kitchen")
	w.want("ann joins", `ann < kitchen: ann joined`)
	bob.join("kitchen")
	w.want("bob joins", `
		bob < kitchen: bob joined
		ann < kitchen: bob joined`)
	cat.join("kitchen")
	w.want("cat joins", `
		cat < kitchen: cat joined
		ann < kitchen: cat joined
		bob < kitchen: cat joined`)
	bob.say(kitchen, "hello")
	w.want("bob speaks", `
		bob < kitchen: bob said hello
		ann < kitchen: bob said hello
		cat < kitchen: bob said hello`)
	ann.leave(kitchen)
	w.want("ann leaves", `
		ann < kitchen: ann left (left)
		bob < kitchen: ann left (left)
		cat < kitchen: ann left (left)`)
	ann.join("kitchen")
	w.want("ann joins again and is the last now", `
		ann < kitchen: ann joined
		bob < kitchen: ann joined
		cat < kitchen: ann joined`)
	cat.say(kitchen, "bye")
	w.want("cat speaks", `
		cat < kitchen: cat said bye
		bob < kitchen: cat said bye
		ann < kitchen: cat said bye`)
}

func TestEventSaysEverything(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen")
	bob.join("kitchen")
	begin := time.Now()
	if err := bob.Say(t.Context(), kitchen, "Robert", "two\nlines \xff"); err != nil {
		t.Fatalf("Say: %v", err)
	}
	evs := ann.told()
	ev := evs[len(evs)-1]
	if ev.Room != kitchen || ev.RoomName != "kitchen" || ev.Kind != chat.KindSaid || ev.User != bob.ID() ||
		ev.Name != "Robert" || ev.Text != "two\nlines \xff" || ev.Reason != 0 {
		t.Errorf("event is %+v", ev)
	}
	if ev.Seq <= evs[len(evs)-2].Seq || ev.Time.Before(begin) || ev.Time.After(time.Now()) {
		t.Errorf("event has number %d after %d and time %v", ev.Seq, evs[len(evs)-2].Seq, ev.Time)
	}
	device, counter, _ := strings.Cut(ev.ID, "-")
	if len(device) != 16 || counter != "2" {
		t.Errorf("second event of a user has id %q", ev.ID)
	}
	if last := bob.told(); last[len(last)-1] != ev {
		t.Errorf("two members were told two events of their own, %p and %p", last[len(last)-1], ev)
	}
}

func TestRepeatedJoinIsAnEventButNoSecondMembership(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen")
	bob.join("kitchen")
	w.happened()
	if again := ann.join("kitchen"); again != kitchen {
		t.Errorf("joining again gives room %d, was %d", again, kitchen)
	}
	w.want("ann joins again", `
		ann < kitchen: ann joined
		bob < kitchen: ann joined`)
	bob.say(kitchen, "once")
	w.want("bob speaks", `
		bob < kitchen: bob said once
		ann < kitchen: bob said once`)
	ann.leave(kitchen)
	w.happened()
	bob.say(kitchen, "gone")
	w.want("bob speaks to himself", `bob < kitchen: bob said gone`)
}

func TestRoomsKeepTheirNumbers(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.connect("ann")
	for i := range 3 {
		if ref := ann.join(fmt.Sprint("room", i)); ref != chat.RoomRef(i+1) {
			t.Errorf("room number %d is %d", i+1, ref)
		}
	}
	ann.leave(2)
	if ref, ok := w.hub.RoomNamed("room1"); !ok || ref != 2 {
		t.Errorf("empty room is %d, %v, want 2", ref, ok)
	}
	if got := ann.Rooms(); !slices.Equal(got, []chat.RoomRef{1, 3}) {
		t.Errorf("ann is in %d, want 1 and 3", got)
	}
	if ref := ann.join("room1"); ref != 2 {
		t.Errorf("room joined again is %d, want 2", ref)
	}
	if got := ann.Rooms(); !slices.Equal(got, []chat.RoomRef{1, 2, 3}) {
		t.Errorf("ann is in %d, want all three", got)
	}
	if name, ok := w.hub.Room(3); name != "room2" || !ok {
		t.Errorf("room 3 is %q, %v", name, ok)
	}
	for _, ref := range []chat.RoomRef{0, 4, 1 << 31} {
		if name, ok := w.hub.Room(ref); ok {
			t.Errorf("room %d is %q, want none", ref, name)
		}
	}
	if ref, ok := w.hub.RoomNamed("Room1"); ok {
		t.Errorf("room of another name is %d", ref)
	}
}

func TestRoomsDoNotHearEachOther(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen")
	hall := bob.join("hall")
	w.happened()
	ann.say(kitchen, "hello")
	bob.say(hall, "hi")
	w.want("both speak", `
		ann < kitchen: ann said hello
		bob < hall: bob said hi`)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, chat.Config{MessageBytesMax: 10})
	ctx := t.Context()
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen")
	hall := bob.join("hall")
	w.happened()
	join := func(name string) error { _, err := ann.Join(ctx, name); return err }
	for _, c := range []struct {
		err  error
		says string
	}{
		{ann.Say(ctx, hall, "", "hi"), "chat: say room 2: not a member"},
		{ann.Say(ctx, 3, "", "hi"), "chat: say room 3: no such room"},
		{ann.Say(ctx, 0, "", "hi"), "chat: say: no such room"},
		{ann.Say(ctx, kitchen, "", "hello world"), "chat: say room 1: too long: text has 11 bytes, the most is 10"},
		{ann.Say(ctx, kitchen, "a\nb", "hi"), "chat: say room 1: name not acceptable: name has U+000A at byte 1, which is a control character"},
		{ann.Leave(ctx, hall), "chat: leave room 2: not a member"},
		{ann.Leave(ctx, 7), "chat: leave room 7: no such room"},
		{join(""), "chat: join: name not acceptable: name is empty"},
		{join(strings.Repeat("x", 65)), "chat: join: name not acceptable: name has 65 bytes, the most is 64"},
	} {
		if c.err == nil || c.err.Error() != c.says {
			t.Errorf("got %v, want %q", c.err, c.says)
		}
	}
	w.want("nothing happens", "")
	for code, want := range map[chat.Code]uint64{chat.CodeNotMember: 2, chat.CodeNoRoom: 3, chat.CodeTooLong: 1, chat.CodeBadName: 3} {
		if got := w.hub.Stats().Refused[code]; got != want {
			t.Errorf("stats have %d refusals %q, want %d", got, code, want)
		}
	}
	if got := w.hub.Stats().Rooms; got != 2 {
		t.Errorf("refusals made rooms: there are %d", got)
	}
	// The largest text, and the empty one, are fine.
	ann.say(kitchen, "0123456789")
	ann.say(kitchen, "")
}

func TestTooManyRooms(t *testing.T) {
	w := newWorld(t, chat.Config{RoomsMax: 5, RoomsPerUserMax: 3})
	ann, bob := w.connect("ann"), w.connect("bob")
	for i := range 3 {
		ann.join(fmt.Sprint("room", i))
	}
	_, err := ann.Join(t.Context(), "room3")
	wantCode(t, "fourth room of three", err, chat.CodeTooManyRooms)
	if n := w.hub.Stats().Rooms; n != 3 {
		t.Errorf("a refused join made a room: %d", n)
	}
	ann.join("room2") // Already in there.
	ann.leave(1)
	ann.join("room3")
	bob.join("room4")
	bob.join("room0")
	_, err = bob.Join(t.Context(), "room5")
	wantCode(t, "sixth room of five", err, chat.CodeTooManyRooms)
	_, err = ann.Join(t.Context(), "room4")
	wantCode(t, "an existing room as the fourth of three", err, chat.CodeTooManyRooms)
}

// When all places are taken the oldest room that only visitors have used, and nobody is in, gives up its own, with all that was
// said there. It is another one when somebody comes back.
func TestEmptyRoomGivesUpItsPlace(t *testing.T) {
	w := newWorld(t, chat.Config{RoomsMax: 3})
	ann, bob := w.connect("ann"), w.connect("bob")
	phone := w.login("cat", "phone")
	phone.enter("cats")
	if err := phone.Leave(t.Context(), "cats"); err != nil {
		t.Fatal(err)
	}
	attic, busy := ann.join("attic"), bob.join("busy")
	ann.say(attic, "anybody?")
	ann.leave(attic)
	_, known := w.hub.RoomNamed("attic")
	if !known {
		t.Error("the attic has given up its place before another needs it")
	}
	cellar := ann.join("cellar")
	if name, ok := w.hub.Room(attic); ok || w.hub.Stats().Rooms != 3 {
		t.Errorf("the attic's number is that of %q, and there are %d rooms", name, w.hub.Stats().Rooms)
	}
	if msgs, err := w.engine.Read(t.Context(), "attic", 0, 0, 10); err != nil || len(msgs) != 0 {
		t.Errorf("the attic remembers %d messages, %v", len(msgs), err)
	}
	wantCode(t, "Say in a room that is gone", ann.Say(t.Context(), attic, "", "hm"), chat.CodeNoRoom)
	_, err := bob.Join(t.Context(), "attic")
	wantCode(t, "a room more, while somebody is in all but cat's", err, chat.CodeTooManyRooms)
	ann.leave(cellar)
	again := bob.join("attic")
	if again == attic || again == cellar || again == busy {
		t.Errorf("the new attic has the number %d of another room", again)
	}
	w.happened()
	ann.join("attic")
	bob.say(again, "welcome back")
	w.want("the new attic is a room like others", `
		ann < attic: ann joined
		bob < attic: ann joined
		bob < attic: bob said welcome back
		ann < attic: bob said welcome back`)
}

// Rooms come and go while others join them: whoever has joined is told so, is told what it says, and is in a room that is there.
func TestRoomsComeAndGoWhileOthersJoin(t *testing.T) {
	const users, rounds = 8, 200
	w := newWorld(t, chat.Config{RoomsMax: users + 1, RoomsPerUserMax: 2})
	var wg sync.WaitGroup
	for u := range users {
		c := w.connect(fmt.Sprint("user", u))
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(u), 1))
			for range rounds {
				room := fmt.Sprint("room", rng.IntN(3*users))
				ref, err := c.Join(t.Context(), room)
				if err != nil {
					t.Errorf("Join: %v", err)
					return
				}
				if name, ok := w.hub.Room(ref); !ok || name != room {
					t.Errorf("joined %s is number %d, which is %q", room, ref, name)
				}
				if err := errors.Join(c.Say(t.Context(), ref, "", "hi"), c.Leave(t.Context(), ref)); err != nil {
					t.Errorf("in %s: %v", room, err)
				}
			}
		})
	}
	wg.Wait()
	if n := w.hub.Stats().Rooms; n > users+1 {
		t.Errorf("there are %d rooms, the most is %d", n, users+1)
	}
}

func TestStats(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, bob := w.connect("ann"), w.connect("bob")
	kitchen := ann.join("kitchen") // 1 delivery.
	bob.join("kitchen")            // 2.
	bob.join("hall")               // 1.
	bob.say(kitchen, "hello")      // 2.
	ann.leave(kitchen)             // 2.
	s := w.hub.Stats()
	s.Refused = nil
	want := chat.Stats{Rooms: 2, Users: 2, Members: 2, Joined: 3, Left: 1, Said: 1, Deliveries: 8}
	if fmt.Sprint(s) != fmt.Sprint(want) {
		t.Errorf("stats are %+v, want %+v", s, want)
	}
}
