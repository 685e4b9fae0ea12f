package chat_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"udpchat/chat"
)

// A notary is a device that takes notes, or says why not.
type notary struct {
	*phone
	says error

	mu    sync.Mutex
	notes []chat.Note // Guarded by mu.
}

func (n *notary) Note(note chat.Note) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes = append(n.notes, note)
	return n.says
}

func TestNotesReachThoseWhoTakeThemOnAllNodes(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		bob := &notary{phone: &phone{world: b, name: "bob.x"}}
		d := must(b.hub.LogIn(t.Context(), chat.Login{Account: "bob", Device: "bob.x"}, bob))(t)
		a.hub.Start()
		b.login("dan", "phone")
		synctest.Wait()
		note := chat.Note{From: "ann", Text: "im hello"}
		for _, test := range []struct{ says, want error }{
			{nil, nil}, {chat.ErrNotTaken, chat.ErrNotTaken}, {chat.ErrNotUnderstood, chat.ErrNotUnderstood},
		} {
			for _, from := range []*world{a, b} {
				bob.mu.Lock()
				bob.says, bob.notes = test.says, nil
				bob.mu.Unlock()
				if err := from.hub.Note("bob", note).Wait(t.Context()); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Errorf("says %v: got %v", test.says, err)
				}
				if !slices.Equal(bob.notes, []chat.Note{note}) {
					t.Errorf("got %v", bob.notes)
				}
			}
		}
		for to, what := range map[string]string{"dan": "who takes none", "eve": "who is not there"} {
			if err := a.hub.Note(to, note).Wait(t.Context()); !errors.Is(err, chat.ErrNotTaken) {
				t.Errorf("to one %s: got %v", what, err)
			}
		}
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.hub.Note("bob", note).Wait(t.Context()); !errors.Is(err, chat.ErrNotTaken) {
			t.Errorf("to one who has gone: got %v", err)
		}
	})
}
