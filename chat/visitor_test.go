package chat_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"udpchat/chat"
)

// A listener is a client that can be whispered to. It answers when the test says so, or at once.
type listener struct {
	client
	at bool // It takes whispers at once.

	mu    sync.Mutex
	heard []*chat.Whisper // Guarded by mu.
}

// Hear implements chat.Hearer.
func (l *listener) Hear(w *chat.Whisper) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, w)
	if l.at {
		w.Done(nil)
	}
}

func (l *listener) texts() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, w := range l.heard {
		all = append(all, w.From+": "+w.Text)
	}
	return strings.Join(all, ", ")
}

func (w *world) enter(name string, n chat.Naming) (*listener, error) {
	l := &listener{client: client{world: w, name: name}, at: true}
	u, err := w.hub.Enter(name, l, chat.SmallIDs, n)
	l.User = u
	return l, err
}

func (w *world) mustEnter(name string, n chat.Naming) *listener {
	w.t.Helper()
	l, err := w.enter(name, n)
	if err != nil {
		w.t.Fatalf("Enter(%q): %v", name, err)
	}
	return l
}

func TestVisitorsShareANameOrNot(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ctx := t.Context()
	w.connect("ann") // Nobody can whisper to her, so she is in nobody's way.
	ann := w.mustEnter("ann", chat.SoleName)
	for _, n := range []chat.Naming{chat.SharedName, chat.SoleName} {
		_, err := w.enter("ann", n)
		wantCode(t, "Enter", err, chat.CodeNameTaken)
	}
	w.mustEnter("Ann", chat.SoleName) // Another name.
	bob := w.mustEnter("bob", chat.SharedName)
	second := w.mustEnter("bob", chat.SharedName)
	_, err := w.enter("bob", chat.SoleName)
	wantCode(t, "Enter", err, chat.CodeNameTaken)
	if n := w.hub.Stats().Users; n != 5 {
		t.Errorf("%d users, want those 5 who came in", n)
	}
	if err := errors.Join(ann.close(ctx, chat.ReasonLost), bob.close(ctx, chat.ReasonLost)); err != nil {
		t.Fatal(err)
	}
	w.mustEnter("ann", chat.SharedName)
	_, err = w.enter("bob", chat.SoleName)
	wantCode(t, "Enter", err, chat.CodeNameTaken)
	if err := second.close(ctx, chat.ReasonLost); err != nil {
		t.Fatal(err)
	}
	w.mustEnter("bob", chat.SoleName)
	_, err = w.enter("a\nb", chat.SharedName)
	wantCode(t, "Enter", err, chat.CodeBadName)
}

func TestWhisperGoesToAllOfThatNameAndToNobodyElse(t *testing.T) {
	w := newWorld(t, chat.Config{MessageBytesMax: 5})
	ann := w.mustEnter("ann", chat.SoleName)
	first, second := w.mustEnter("bob", chat.SharedName), w.mustEnter("bob", chat.SharedName)
	other := w.mustEnter("cat", chat.SharedName)
	plain := w.connect("dan")
	for _, u := range []*chat.User{ann.User, plain.User, first.User} {
		receipt, err := u.Whisper("bob", "hi")
		if err == nil {
			err = receipt.Wait(t.Context())
		}
		if err != nil {
			t.Errorf("%s to bob: %v", u.Name(), err)
		}
	}
	for _, l := range []*listener{first, second} {
		if got := l.texts(); got != "ann: hi, dan: hi, bob: hi" {
			t.Errorf("bob heard %q", got)
		}
	}
	if got := ann.texts() + other.texts(); got != "" {
		t.Errorf("others heard %q", got)
	}
	_, err := ann.Whisper("dan", "hi")
	wantCode(t, "to one who has only joined", err, chat.CodeNoUser)
	_, err = ann.Whisper("bob", "longer")
	wantCode(t, "too long", err, chat.CodeTooLong)
	if err := second.close(t.Context(), chat.ReasonLost); err != nil {
		t.Fatal(err)
	}
	_, err = second.Whisper("bob", "hi")
	wantCode(t, "by one who is gone", err, chat.CodeClosed)
	if _, err := ann.Whisper("bob", "there?"[:5]); err != nil || len(second.heard) != 3 {
		t.Errorf("got %v, and one who is gone heard %q", err, second.texts())
	}
	w.hub.Close()
	_, err = ann.Whisper("bob", "hi")
	wantCode(t, "at the end", err, chat.CodeShuttingDown)
}

// A receipt is good when one of them has the whisper and all have said so or not.
func TestReceiptWaitsForAllAndWantsOne(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.mustEnter("ann", chat.SoleName)
	bobs := []*listener{w.mustEnter("bob", chat.SharedName), w.mustEnter("bob", chat.SharedName)}
	late := errors.New("too late")
	for i, c := range []struct {
		answers []error
		want    error
	}{
		{[]error{nil, nil}, nil},
		{[]error{late, nil}, nil},
		{[]error{nil, late}, nil},
		{[]error{late, late}, late},
		{[]error{late, chat.ErrNotTaken}, late},
		{[]error{chat.ErrNotTaken, chat.ErrNotTaken}, chat.ErrNotTaken},
	} {
		for _, b := range bobs {
			b.at = false
		}
		receipt, err := ann.Whisper("bob", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for k, answer := range c.answers {
			if err := receipt.Wait(over); !errors.Is(err, context.Canceled) {
				t.Errorf("%d: after %d answers: got %v, want none yet", i, k, err)
			}
			bobs[k].heard[i].Done(answer)
			bobs[k].heard[i].Done(nil) // Only the first word counts.
		}
		if err := receipt.Wait(over); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%d: answers %v: got %v, want %v", i, c.answers, err, c.want)
		}
	}
}

func TestPresentIsWhoIsThereAfterwards(t *testing.T) {
	w := newWorld(t, chat.Config{})
	var got []string
	watch := watcher(func(ev *chat.Event) { got = append(got, fmt.Sprint(ev.Kind, ev.Present())) })
	u, err := w.hub.Connect("eve", watch, chat.SmallIDs)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := u.Join(t.Context(), "lobby")
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := w.connect("ann"), w.connect("bob")
	ann.join("lobby")
	bob.join("lobby")
	w.connect("bob").join("lobby")
	ann.join("elsewhere")
	if err := errors.Join(ann.Leave(t.Context(), ref), bob.close(t.Context(), chat.ReasonLost), u.Close(t.Context(), chat.ReasonLost)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"joined [eve]", "joined [eve ann]", "joined [eve ann bob]", "joined [eve ann bob bob]",
		"left [eve bob bob]", "left [eve bob]", "left [bob]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

type watcher func(*chat.Event)

func (f watcher) Receive(ev *chat.Event) { f(ev) }

// Whispers and ends at the same time: nobody hears anything after Close, and every receipt is settled.
func TestWhispersWhileTheOthersLeave(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann := w.mustEnter("ann", chat.SoleName)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				bob, err := w.enter("bob", chat.SharedName)
				if err != nil {
					t.Error(err)
					return
				}
				_ = bob.Close(t.Context(), chat.ReasonLost) // Always nil: it is in no room.
				bob.mu.Lock()
				bob.at = false // Now a whisper would stay without a word, and the receipt below would wait.
				bob.mu.Unlock()
			}
		})
	}
	for range 200 {
		if receipt, err := ann.Whisper("bob", "hi"); err == nil {
			if err := receipt.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	wg.Wait()
}

// An account is present while a device of it is attached, whatever it is a member of.
func TestPresentCountsAccountsThatAreThere(t *testing.T) {
	w := newWorld(t, chat.Config{})
	var got []string
	watch := watcher(func(ev *chat.Event) { got = append(got, fmt.Sprint(ev.Kind, " ", ev.Name, " ", ev.Present())) })
	eve, err := w.hub.Connect("eve", watch, chat.SmallIDs)
	if err == nil {
		_, err = eve.Join(t.Context(), "lobby")
	}
	if err != nil {
		t.Fatal(err)
	}
	one, two := w.login("ann", "1"), w.login("ann", "2")
	one.enter("lobby") // A member, and attached.
	two.attach("lobby")
	w.connect("bob").join("lobby")
	one.Detach("lobby")
	two.close()
	one.attach("lobby")
	if err := one.Leave(t.Context(), "lobby"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"joined eve [eve]", "came ann [eve ann]", "joined ann [eve ann]", "joined bob [eve ann bob]",
		"went ann [eve bob]", "came ann [eve bob ann]", "left ann [eve bob ann]", "went ann [eve bob]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWhispersBetweenVisitorsAndAccounts(t *testing.T) {
	w := newWorld(t, chat.Config{})
	bob := w.mustEnter("bob", chat.SoleName)
	one, two := w.login("ann", "1"), w.login("ann", "2")
	receipt, err := bob.Whisper("ann", "hi")
	if err == nil {
		err = receipt.Wait(t.Context())
	}
	if err != nil {
		t.Errorf("to an account: %v", err)
	}
	for _, p := range []*phone{one, two} {
		if len(p.events) != 1 || p.events[0].Kind != chat.KindWhispered || p.events[0].Name != "bob" || p.events[0].Text != "hi" {
			t.Errorf("%s was told %v", p.name, p.events)
		}
	}
	if _, err := one.Whisper("bob", "you too"); err != nil || bob.texts() != "ann: you too" {
		t.Errorf("to a visitor: got %v, and bob heard %q", err, bob.texts())
	}
	if _, err := bob.Whisper("Ann", "hi"); err != nil {
		t.Errorf("to the account in other letters: %v", err)
	}
	_, err = one.Whisper("ann", "hi")
	wantCode(t, "of an account to an account, which may have blocked it", err, chat.CodeNoUser)
	deaf, err := w.hub.LogIn(t.Context(), chat.Login{Account: "eve", Device: "e"}, watcher(func(ev *chat.Event) { t.Errorf("told %v", ev.Kind) }))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close(t.Context())
	_, err = bob.Whisper("eve", "hi")
	wantCode(t, "to an account whose device has no words for it", err, chat.CodeNoUser)
	one.close()
	two.close()
	_, err = bob.Whisper("ann", "hi")
	wantCode(t, "to an account that is not there", err, chat.CodeNoUser)
	_, err = one.Whisper("bob", "hi")
	wantCode(t, "of a closed device", err, chat.CodeClosed)
}
