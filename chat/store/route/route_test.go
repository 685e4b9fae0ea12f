package route_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/route"
)

// The whole suite, with all rooms on one side, and with the rooms of the suite on both.
func TestEngine(t *testing.T) {
	for name, patterns := range map[string][]route.Pattern{"all": {"*"}, "none": nil, "some": {"kitchen", "r*"}} {
		t.Run(name, func(t *testing.T) {
			enginetest.Run(t, enginetest.Config{
				New: func(testing.TB) func() (chat.Engine, error) {
					return func() (chat.Engine, error) {
						return route.New(route.Config{
							Kept: memory.New(memory.Config{}), Forgetting: memory.New(memory.Config{}), Durable: patterns,
						}), nil
					}
				},
				MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10,
			})
		})
	}
}

// sides makes an engine of two, which tests look into.
func sides(t *testing.T, patterns ...route.Pattern) (e *route.Engine, kept, forgetting chat.Engine) {
	kept, forgetting = memory.New(memory.Config{}), memory.New(memory.Config{})
	e = route.New(route.Config{Kept: kept, Forgetting: forgetting, Durable: patterns})
	t.Cleanup(func() { e.Close() })
	return e, kept, forgetting
}

// where says in which engine a room has messages.
func where(t *testing.T, room string, kept, forgetting chat.Engine) string {
	t.Helper()
	var said []string
	for name, e := range map[string]chat.Engine{"kept": kept, "forgetting": forgetting} {
		if h, err := e.Heads(t.Context(), []string{room}); err != nil {
			t.Fatal(err)
		} else if h[0] > 0 {
			said = append(said, name)
		}
	}
	return strings.Join(said, " and ")
}

func say(t *testing.T, e chat.Engine, room, id string) {
	t.Helper()
	if _, err := e.Append(t.Context(), room, id, nil); err != nil {
		t.Fatal(err)
	}
}

func TestRoomsThatMatchAPatternAreKept(t *testing.T) {
	e, kept, forgetting := sides(t, "team-*", "lobby")
	for room, want := range map[string]string{"team-a": "kept", "lobby": "kept", "lobby2": "forgetting", "team": "forgetting"} {
		say(t, e, room, "ann-1")
		if got := where(t, room, kept, forgetting); got != want {
			t.Errorf("room %q is %s, want %s", room, got, want)
		}
	}
}

func TestKeptRoomStaysKeptInTheNextLife(t *testing.T) {
	e, kept, forgetting := sides(t)
	if _, err := e.Read(t.Context(), "kitchen", 0, 0, 10); err != nil { // Looking is not using.
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Keep(t.Context(), "kitchen"); err != nil {
			t.Fatal(err)
		}
	}
	say(t, e, "kitchen", "ann-1")
	say(t, route.New(route.Config{Kept: kept, Forgetting: forgetting}), "kitchen", "ann-2")
	if got := where(t, "kitchen", kept, forgetting); got != "kept" {
		t.Errorf("the room is %s", got)
	}
	if h, _ := e.Heads(t.Context(), []string{"kitchen"}); h[0] != 2 {
		t.Errorf("head is %d, want 2", h[0])
	}
}

func TestRoomThatForgetsDoesNotChangeUnderItsMembers(t *testing.T) {
	for name, use := range map[string]func(e chat.Engine) error{
		"a message": func(e chat.Engine) error { _, err := e.Append(t.Context(), "kitchen", "ann-1", nil); return err },
		"a member":  func(e chat.Engine) error { _, err := e.Subscribe("kitchen", func(chat.Msg) {}); return err },
		"an epoch":  func(e chat.Engine) error { _, err := e.Epoch(t.Context(), "kitchen"); return err },
	} {
		e, kept, forgetting := sides(t)
		if err := use(e); err != nil {
			t.Fatal(err)
		}
		if err := e.Keep(t.Context(), "kitchen"); !errors.Is(err, chat.ErrConflict) {
			t.Errorf("Keep of a room with %s: %v, want ErrConflict", name, err)
		}
		say(t, e, "kitchen", "ann-2")
		if got := where(t, "kitchen", kept, forgetting); got != "forgetting" {
			t.Errorf("the room with %s is %s", name, got)
		}
	}
	e, kept, forgetting := sides(t)
	say(t, forgetting, "kitchen", "bob-1") // On another node.
	if err := e.Keep(t.Context(), "kitchen"); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("Keep of a room with a message from another node: %v, want ErrConflict", err)
	}
	if _, err := kept.Get(t.Context(), "kept-rooms", "kitchen"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("a room that forgets has a record: %v", err)
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern route.Pattern
		yes, no string // Separated by |.
	}{
		{"lobby", "lobby", "Lobby|lobby |lobb|"},
		{"*", "|a|lobby|a/b|ä", "\x00not"},
		{"team-*", "team-|team-a|team-a/b", "team|a team-"},
		{"*-team", "-team|a-team|team-team", "team|a-team2"},
		{"a*b*c", "abc|aXbYc|abcbc|aabbcc", "ab|acb|abcd"},
		{"?", "a|ä|厨", "|ab"},
		{"a?c", "abc|aäc|a?c", "ac|abbc"},
		{"*a?", "ab|xab|aab", "a|ba"},
		{"**", "|x", "\x00not"},
		{"", "", "a"},
		{"[ab]", "[ab]", "a"},
	} {
		for name := range strings.SplitSeq(tt.yes, "|") {
			if !tt.pattern.Match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for name := range strings.SplitSeq(tt.no, "|") {
			if name != "\x00not" && tt.pattern.Match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

// A pattern is a setting, but the name is a stranger's: it must not take long.
func TestPatternIsQuick(t *testing.T) {
	p := route.Pattern(strings.Repeat("*a", 30))
	done := make(chan bool, 1)
	go func() { done <- p.Match(strings.Repeat("a", 10_000) + "b") }()
	select {
	case got := <-done:
		if got {
			t.Error("it matches")
		}
	case <-time.After(20 * time.Second):
		t.Error("it takes for ever")
	}
}

func TestForgetIsForRoomsThatForget(t *testing.T) {
	e, kept, forgetting := sides(t, "team-*")
	if err := e.Keep(t.Context(), "hall"); err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"team-1", "hall", "attic"} {
		say(t, e, room, "ann-1")
		e.Forget(room)
	}
	for room, want := range map[string]string{"team-1": "kept", "hall": "kept", "attic": ""} {
		if got := where(t, room, kept, forgetting); got != want {
			t.Errorf("%s is in %q, want %q", room, got, want)
		}
	}
	if err := e.Keep(t.Context(), "attic"); err != nil {
		t.Errorf("an attic that is forgotten cannot be kept: %v", err)
	}
}

// A room to which somebody subscribes again while it is about to be forgotten stays what it is: else what is said there from now
// on could go where nobody hears it.
func TestRoomThatIsUsedAgainIsNotForgotten(t *testing.T) {
	e, _, _ := sides(t)
	heard := 0
	stop, err := e.Subscribe("attic", func(chat.Msg) { heard++ })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	e.Forget("attic")
	if err := e.Keep(t.Context(), "attic"); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("Keep: %v", err)
	}
	if say(t, e, "attic", "ann-1"); heard != 1 {
		t.Errorf("the subscriber heard %d messages, want 1", heard)
	}
}

// A hasty engine does something before somebody subscribes.
type hasty struct {
	*memory.Engine
	before func()
}

func (h *hasty) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	h.before()
	return h.Engine.Subscribe(room, f)
}

// A room that is forgotten and then kept while somebody subscribes is that which is kept.
func TestRoomThatIsKeptWhileSomebodySubscribes(t *testing.T) {
	forgetting := &hasty{Engine: memory.New(memory.Config{})}
	e := route.New(route.Config{Kept: memory.New(memory.Config{}), Forgetting: forgetting})
	defer e.Close()
	forgetting.before = func() {
		e.Forget("attic")
		if err := e.Keep(t.Context(), "attic"); err != nil {
			t.Error(err)
		}
	}
	heard := 0
	stop, err := e.Subscribe("attic", func(chat.Msg) { heard++ })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if say(t, e, "attic", "ann-1"); heard != 1 {
		t.Errorf("the subscriber heard %d messages, want 1", heard)
	}
}
