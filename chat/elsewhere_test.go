package chat_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
)

// twoNodes are two hubs on one engine, in a bubble.
func twoNodes(t *testing.T, run func(t *testing.T, a, b *world)) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, chat.Config{})
		run(t, a, a.node())
	})
}

// A roll is a visitor that remembers the last list of who is present, and how often there was another one.
type roll struct {
	mu   sync.Mutex
	list []string // Guarded by mu.
}

func (r *roll) Receive(ev *chat.Event) {
	switch ev.Kind {
	case chat.KindJoined, chat.KindLeft, chat.KindCame, chat.KindWent, chat.KindElsewhere:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.list = ev.Present()
	}
}

func (w *world) roll(name, room string) (*roll, *chat.User) {
	w.t.Helper()
	r := &roll{}
	u, err := w.hub.Connect(name, r, chat.SmallIDs)
	if err == nil {
		_, err = u.Join(w.t.Context(), room)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return r, u
}

func (r *roll) want(t *testing.T, what, want string) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.list, " "); got != want {
		t.Errorf("%s: present are %q, want %q", what, got, want)
	}
}

func TestPresentHasThoseOnOtherNodes(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		eve, _ := a.roll("eve", "lobby")
		synctest.Wait()
		ann := b.login("ann", "phone") // There before a visitor of the other node is known here.
		ann.enter("lobby")
		eve.want(t, "an account on the other node", "eve ann")
		fay, _ := b.roll("fay", "lobby")
		fay.want(t, "on the second node", "eve ann fay")
		eve.want(t, "on the first node", "eve ann fay")
		bob := a.connect("bob")
		ref := bob.join("lobby")
		fay.want(t, "a visitor comes", "eve ann fay bob")
		tab := a.login("ann", "tab") // On both nodes, and still one.
		tab.attach("lobby")
		fay.want(t, "an account comes twice", "eve ann fay bob")
		ann.close()
		fay.want(t, "an account goes on one node", "eve fay bob ann")
		eve.want(t, "an account goes on one node", "eve fay bob ann")
		bob.leave(ref)
		bob.join("hall")
		fay.want(t, "a visitor goes", "eve fay ann")
		wantNames(t, "who is in the lobby", must(tab.Who(t.Context(), "lobby"))(t), "ann visitor eve visitor fay")
		time.Sleep(5 * time.Minute) // Fake: they must be known to live.
		fay.want(t, "later", "eve fay ann")
		a.hub.Close() // Like a crash, without a word.
		time.Sleep(40 * time.Second)
		fay.want(t, "the other node is gone", "fay")
	})
}

// The people of a server that ends in order are gone at once, not when it is missed. What changes in the moment between the
// crier's last look and its end no test can hit.
func TestPeopleOfANodeThatEndsInOrderAreGoneAtOnce(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		eve, _ := a.roll("eve", "lobby")
		ann, bob := b.login("ann", "phone"), b.mustEnter("bob", chat.SoleName)
		ann.enter("lobby")
		bob.join("lobby")
		eve.want(t, "before", "eve ann bob")
		ann.close()
		if err := bob.close(t.Context(), chat.ReasonShutdown); err != nil {
			t.Fatal(err)
		}
		b.hub.Close()
		eve.want(t, "afterwards", "eve")
		if a.hub.IsOnline("ann") {
			t.Error("ann is online")
		}
		a.mustEnter("bob", chat.SoleName)
	})
}

// A slowLine has what nodes tell each other about whispers wait at a gate.
type slowLine struct {
	chat.Engine
	mu   sync.Mutex
	gate chan struct{} // nil is open. Guarded by mu.
}

func (e *slowLine) Send(room string, data []byte) error {
	e.mu.Lock()
	gate := e.gate
	e.mu.Unlock()
	if gate != nil && room == "pr/post" {
		<-gate
	}
	return e.Engine.Send(room, data)
}

// hold closes the gate until the returned function is called.
func (e *slowLine) hold() (open func()) {
	gate := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gate = gate
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.gate = nil
		close(gate)
	}
}

// What was answered on a server before it has ended is known on others, also if it has ended before it could say so. Without
// that it would be chance whether it does, so many end.
func TestAnswersOfANodeThatEndsInOrderAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, chat.Config{})
		dan := a.mustEnter("dan", chat.SoleName)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range 20 {
			e := &slowLine{Engine: a.engine}
			cfg := a.cfg
			cfg.Engine = e
			b := (&world{t: t, cfg: cfg, engine: e}).node()
			name := fmt.Sprint("bob", i)
			bob := b.mustEnter(name, chat.SoleName)
			bob.at = false
			synctest.Wait()
			var receipts []*chat.Receipt
			for range 3 {
				receipts = append(receipts, must(dan.Whisper(name, "are you going?"))(t))
			}
			synctest.Wait()
			open := e.hold()
			for _, w := range bob.heard {
				w.Done(nil)
				synctest.Wait()
			}
			closed := begin(b.hub.Close)
			open()
			if err := closed(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			for n, r := range receipts {
				if err := r.Wait(over); err != nil {
					t.Fatalf("answer %d of server %d: %v", n, i, err)
				}
			}
		}
	})
}

// In the life of a server there are more rooms than it has at a time: those in which visitors of other nodes were once must not
// keep them from seeing who is in others now.
func TestPresentOnOtherNodesInRoomAfterRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, chat.Config{RoomsMax: 2})
		b := a.node()
		for i := range 6 {
			room := fmt.Sprint("room", i)
			eve, u := a.roll("eve", room)
			synctest.Wait()
			if i == 0 || i == 5 {
				b.login(fmt.Sprint("ann", i), "phone").enter(room)
				eve.want(t, room, fmt.Sprint("eve ann", i))
			}
			if err := u.Close(t.Context(), chat.ReasonLost); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Accounts that sat in a room before a visitor came to it, on whichever node, are there for that visitor.
func TestVisitorFindsThoseWhoWereThereBefore(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		for i := range 3 {
			a.login(fmt.Sprint("a", i), "phone").enter("lobby")
			b.login(fmt.Sprint("b", i), "phone").enter("lobby")
		}
		eve, u := b.roll("eve", "lobby")
		eve.want(t, "eve comes", "a0 b0 a1 b1 a2 b2 eve")
		if err := u.Close(t.Context(), chat.ReasonLost); err != nil {
			t.Fatal(err)
		}
		c := a.node()
		fay, _ := c.roll("fay", "lobby")
		fay.want(t, "fay comes on a third node", "a0 b0 a1 b1 a2 b2 fay")
	})
}

func TestNamesOfVisitorsAreTakenOnAllNodes(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		ann := a.mustEnter("ann", chat.SoleName)
		bob := a.mustEnter("bob", chat.SharedName)
		b.mustEnter("bea", chat.SoleName) // So that the nodes have heard of each other.
		synctest.Wait()
		for _, n := range []chat.Naming{chat.SharedName, chat.SoleName} {
			_, err := b.enter("ann", n)
			wantCode(t, "a name that is not shared", err, chat.CodeNameTaken)
		}
		_, err := b.enter("bob", chat.SoleName)
		wantCode(t, "a name that is shared, alone", err, chat.CodeNameTaken)
		second := b.mustEnter("bob", chat.SharedName)
		if err := errors.Join(ann.close(t.Context(), chat.ReasonLost), bob.close(t.Context(), chat.ReasonLost)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.mustEnter("ann", chat.SoleName)
		_, err = a.enter("bob", chat.SoleName)
		wantCode(t, "the other node still has one", err, chat.CodeNameTaken)
		if err := second.close(t.Context(), chat.ReasonLost); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		a.mustEnter("bob", chat.SoleName)
		b.hub.Close()
		time.Sleep(40 * time.Second) // Fake: its names are free.
		a.mustEnter("ann", chat.SoleName)
	})
}

// Two nodes that let in the same name before they have heard of each other both keep theirs, and both hear.
func TestSameNameOnTwoNodesAtTheSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, chat.Config{})
		e := &deafEngine{Engine: w.engine}
		e.deaf.Store(true)
		w.cfg.Engine = e
		a, b := w.node(), w.node()
		one, two := a.mustEnter("ann", chat.SoleName), b.mustEnter("ann", chat.SoleName)
		bob := a.mustEnter("bob", chat.SoleName)
		e.deaf.Store(false)
		time.Sleep(time.Minute) // Fake: they have heard of each other.
		if err := must(bob.Whisper("ann", "hi"))(t).Wait(t.Context()); err != nil {
			t.Errorf("got %v", err)
		}
		if one.texts() != "bob: hi" || two.texts() != "bob: hi" {
			t.Errorf("they heard %q and %q", one.texts(), two.texts())
		}
		_, err := a.enter("ann", chat.SharedName)
		wantCode(t, "a third one", err, chat.CodeNameTaken)
	})
}

func TestWhispersReachOtherNodes(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		ann := a.mustEnter("ann", chat.SoleName)
		near, far := a.mustEnter("bob", chat.SharedName), b.mustEnter("bob", chat.SharedName)
		dan := b.login("dan", "phone")
		synctest.Wait()
		if err := must(ann.Whisper("bob", "hi"))(t).Wait(t.Context()); err != nil {
			t.Errorf("got %v", err)
		}
		if near.texts() != "ann: hi" || far.texts() != "ann: hi" {
			t.Errorf("they heard %q and %q", near.texts(), far.texts())
		}
		if err := must(dan.Whisper("ann", "you too"))(t).Wait(t.Context()); err != nil || ann.texts() != "dan: you too" {
			t.Errorf("of an account: %v, and ann heard %q", err, ann.texts())
		}
		if err := must(ann.Whisper("Dan", "and you"))(t).Wait(t.Context()); err != nil {
			t.Errorf("to an account: %v", err)
		}
		got := dan.told()
		if len(got) != 1 || got[0].Kind != chat.KindWhispered || got[0].Name != "ann" || got[0].Text != "and you" {
			t.Errorf("dan was told %v", got)
		}
		dan.close()
		synctest.Wait()
		_, err := ann.Whisper("dan", "still there?")
		wantCode(t, "to an account that has gone", err, chat.CodeNoUser)
		_, err = ann.Whisper("eve", "hi")
		wantCode(t, "to nobody", err, chat.CodeNoUser)
	})
}

// What the other one's client says comes back as it is, as far as it can be said on the way.
func TestReceiptsComeFromOtherNodes(t *testing.T) {
	late := errors.New("too late")
	twoNodes(t, func(t *testing.T, a, b *world) {
		ann, bob := a.mustEnter("ann", chat.SoleName), b.mustEnter("bob", chat.SoleName)
		bob.at = false
		synctest.Wait()
		for i, c := range []struct{ answer, want error }{
			{nil, nil}, {late, chat.ErrNotTaken}, {chat.ErrNotTaken, chat.ErrNotTaken},
			{fmt.Errorf("103: %w", chat.ErrNotUnderstood), chat.ErrNotUnderstood},
		} {
			receipt := must(ann.Whisper("bob", fmt.Sprint(i)))(t)
			time.Sleep(4 * time.Second) // Fake: meanwhile it is asked for many times.
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if err := receipt.Wait(over); !errors.Is(err, context.Canceled) {
				t.Errorf("%d: got %v before the answer", i, err)
			}
			synctest.Wait()
			bob.heard[i].Done(c.answer)
			if err := receipt.Wait(t.Context()); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v came as %v, want %v", c.answer, err, c.want)
			}
		}
		silent := must(ann.Whisper("bob", "are you asleep?"))(t)
		begin := time.Now()
		if err := silent.Wait(t.Context()); !errors.Is(err, chat.ErrNotTaken) || time.Since(begin) > 40*time.Second {
			t.Errorf("without an answer: %v after %v", err, time.Since(begin))
		}
		lost := must(ann.Whisper("bob", "where are you?"))(t)
		synctest.Wait()
		b.hub.Close()
		if err := lost.Wait(t.Context()); !errors.Is(err, chat.ErrNotTaken) {
			t.Errorf("the node is gone: %v", err)
		}
		time.Sleep(time.Minute)
		_, err := ann.Whisper("bob", "hello?")
		wantCode(t, "later", err, chat.CodeNoUser)
		synctest.Wait()
		if n := len(bob.heard); n != 6 {
			t.Errorf("bob heard %d whispers, want 6", n)
		}
	})
}

// A badLine loses what is sent, sends it twice, or later, behind what comes after it.
type badLine struct {
	chat.Engine
	bad atomic.Bool
	mu  sync.Mutex
	rnd *rand.Rand // Guarded by mu.
	wg  sync.WaitGroup
}

func (e *badLine) Send(room string, data []byte) error {
	if !e.bad.Load() {
		return e.Engine.Send(room, data)
	}
	e.mu.Lock()
	copies, pauses := []int{0, 0, 1, 1, 1, 1, 2}[e.rnd.IntN(7)], []int{e.rnd.IntN(1000), e.rnd.IntN(1000)}
	e.mu.Unlock()
	for i := range copies {
		e.wg.Go(func() {
			time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
			_ = e.Engine.Send(room, data) // As if it were lost.
		})
	}
	return nil
}

// Over the worst of lines every whisper is heard once, in order, and the receipt says so.
func TestWhispersAreHeardOnceOverABadLine(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, chat.Config{})
		e := &badLine{Engine: a.engine, rnd: testRand(seed)}
		a.cfg.Engine = e
		a, b := a.node(), a.node()
		ann, bob := a.mustEnter("ann", chat.SoleName), b.mustEnter("bob", chat.SoleName)
		synctest.Wait() // Now they have heard of each other.
		e.bad.Store(true)
		var want, back []string
		var wg sync.WaitGroup
		for i := range 200 {
			want, back = append(want, fmt.Sprintf("ann: %d", i)), append(back, fmt.Sprintf("bob: %d", i))
			for _, to := range []struct {
				from *listener
				name string
			}{{ann, "bob"}, {bob, "ann"}} {
				receipt := must(to.from.Whisper(to.name, fmt.Sprint(i)))(t)
				wg.Go(func() {
					if err := receipt.Wait(t.Context()); err != nil {
						t.Errorf("%d to %s: %v", i, to.name, err)
					}
				})
			}
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		time.Sleep(time.Minute)
		if got := bob.texts(); got != strings.Join(want, ", ") {
			t.Errorf("bob heard %q", got)
		}
		if got := ann.texts(); got != strings.Join(back, ", ") {
			t.Errorf("ann heard %q", got)
		}
		a.hub.Close()
		b.hub.Close()
		e.wg.Wait()
	})
}

// Too much for one node is refused, and nothing waits for ever.
func TestWhispersToANodeThatDoesNotAnswerAreBounded(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		ann, bob := a.mustEnter("ann", chat.SoleName), b.mustEnter("bob", chat.SoleName)
		bob.at = false
		synctest.Wait()
		var receipts []*chat.Receipt
		for i := range 6000 {
			receipts = append(receipts, must(ann.Whisper("bob", fmt.Sprint(i)))(t))
		}
		taken := slices.IndexFunc(receipts, func(r *chat.Receipt) bool {
			over, cancel := context.WithCancel(t.Context())
			cancel()
			return errors.Is(r.Wait(over), chat.ErrNotTaken)
		})
		if taken != 4096 {
			t.Errorf("%d are under way, want 4096", taken)
		}
		for _, r := range receipts {
			if err := r.Wait(t.Context()); !errors.Is(err, chat.ErrNotTaken) {
				t.Fatalf("got %v", err)
			}
		}
	})
}

// A witness is a visitor who says what it has been told.
type witness struct {
	mu    sync.Mutex
	said  []*chat.Event // Guarded by mu, like the next.
	asked []string
}

func (w *witness) Receive(ev *chat.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ev.Kind == chat.KindSaid {
		w.said = append(w.said, ev)
	}
}

func (w *witness) Answer(id string, done func(error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, id)
	done(nil)
}

// Whoever has come since something was said is not asked about it, and nobody on the node of who asks is.
func TestThoseAreAskedWhoWereThere(t *testing.T) {
	twoNodes(t, func(t *testing.T, a, b *world) {
		witnesses := make(map[string]*witness)
		comes := func(w *world, name string) *chat.User {
			witnesses[name] = &witness{}
			u, err := w.hub.Connect(name, witnesses[name], chat.SmallIDs)
			if err == nil {
				_, err = u.Join(t.Context(), "lobby")
			}
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return u
		}
		ann := comes(a, "ann")
		comes(a, "abe")
		comes(b, "bob")
		if err := ann.Say(t.Context(), 1, "", "hi"); err != nil {
			t.Fatal(err)
		}
		comes(b, "cat")
		synctest.Wait()
		said := witnesses["ann"].said[0]
		if err := ann.Ask(said).Wait(t.Context()); err != nil {
			t.Error(err)
		}
		for name, w := range witnesses {
			want := ""
			if name == "bob" {
				want = said.ID
			}
			if got := strings.Join(w.asked, " "); got != want {
				t.Errorf("%s was asked about %q, want %q", name, got, want)
			}
		}
	})
}

// A cutLine sends nothing while it is cut.
type cutLine struct {
	chat.Engine
	cut atomic.Bool
}

func (e *cutLine) Send(room string, data []byte) error {
	if e.cut.Load() {
		return errEngine
	}
	return e.Engine.Send(room, data)
}

// An engine that is away for a while does not fill the log, and what was whispered meanwhile is heard afterwards.
func TestLineThatIsCutForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		a := newWorld(t, chat.Config{})
		e := &cutLine{Engine: a.engine}
		a.cfg.Engine, a.cfg.Logger = e, slog.New(slog.NewTextHandler(&log, nil))
		a, b := a.node(), a.node()
		ann, bob := a.mustEnter("ann", chat.SoleName), b.mustEnter("bob", chat.SoleName)
		synctest.Wait()
		e.cut.Store(true)
		var want []string
		var receipts []*chat.Receipt
		for i := range 50 {
			receipts = append(receipts, must(ann.Whisper("bob", fmt.Sprint(i)))(t))
			want = append(want, fmt.Sprint("ann: ", i))
			time.Sleep(100 * time.Millisecond)
		}
		if n := log.n.Load(); n > 4 { // Both have two lines.
			t.Errorf("the log has %d lines", n)
		}
		e.cut.Store(false)
		for i, r := range receipts {
			if err := r.Wait(t.Context()); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if got := bob.texts(); got != strings.Join(want, ", ") {
			t.Errorf("bob heard %q", got)
		}
	})
}

// lines counts what is written to it.
type lines struct{ n atomic.Int64 }

func (l *lines) Write(b []byte) (int, error) {
	l.n.Add(1)
	return len(b), nil
}
