package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/sqlite"
	"udpchat/cmd/internal/migrate"
)

// A target is a memory engine that notes what was imported, and may give up.
type target struct {
	chat.Engine

	mu    sync.Mutex
	times map[string]int64 // By room and id. Guarded by mu.
	left  int              // Imports until it gives up; negative: it does not. Guarded by mu.
}

var errGaveUp = errors.New("the target has a bad day")

func (t *target) Import(ctx context.Context, m chat.Msg) (chat.Msg, error) {
	t.mu.Lock()
	if t.left == 0 {
		t.mu.Unlock()
		return chat.Msg{}, errGaveUp
	}
	t.left--
	t.times[m.Room+"/"+m.ID] = m.Time.UnixNano()
	t.mu.Unlock()
	return t.Append(ctx, m.Room, m.ID, m.Data)
}

func newTarget(t *testing.T) *target {
	e := memory.New(memory.Config{RoomMessagesMax: 100_000})
	t.Cleanup(func() { e.Close() })
	return &target{Engine: e, times: map[string]int64{}, left: -1}
}

// source makes a store with a bit of everything.
func source(t *testing.T) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.TempDir(), sqlite.Config{Durability: sqlite.Fast})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	for i := range 1_300 {
		room := []string{"kitchen", "küche", "a/b"}[i%3]
		if _, err := e.Append(t.Context(), room, fmt.Sprintf("ann-%d", i), fmt.Appendf(nil, "text %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Drop(t.Context(), "kitchen", 10, 20); err != nil {
		t.Fatal(err)
	}
	for i := range 700 {
		if _, err := e.Put(t.Context(), fmt.Sprint("bucket", i%3), fmt.Sprint("key", i), fmt.Appendf(nil, "val %d", i), 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if _, _, err := e.PutBlob(t.Context(), bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 100_000*i))); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// same checks that b has everything that a has.
func same(t *testing.T, a migrate.Source, b *target) {
	t.Helper()
	rooms, err := a.Rooms(t.Context(), "", 100)
	if err != nil || len(rooms) != 3 {
		t.Fatalf("rooms %q, %v", rooms, err)
	}
	for _, room := range rooms {
		want, errA := a.Read(t.Context(), room, 0, 0, 10_000)
		got, errB := b.Read(t.Context(), room, 0, 0, 10_000)
		if err := errors.Join(errA, errB); err != nil || len(got) != len(want) {
			t.Fatalf("room %q: %d messages, %v, want %d", room, len(got), err, len(want))
		}
		for i := range want {
			if got[i].ID != want[i].ID || string(got[i].Data) != string(want[i].Data) {
				t.Fatalf("room %q: message %d is %s, want %s", room, i, got[i].ID, want[i].ID)
			}
			if b.times[room+"/"+want[i].ID] != want[i].Time.UnixNano() {
				t.Fatalf("room %q: message %s has another time", room, want[i].ID)
			}
		}
	}
	for i := range 3 {
		bucket := fmt.Sprint("bucket", i)
		want, errA := a.List(t.Context(), bucket, "")
		got, errB := b.List(t.Context(), bucket, "")
		if err := errors.Join(errA, errB); err != nil || len(want) < 200 || len(got) != len(want) {
			t.Fatalf("bucket %q: %d records, %v, want %d", bucket, len(got), err, len(want))
		}
	}
	ids, err := a.Blobs(t.Context(), "", 100)
	if err != nil || len(ids) != 3 {
		t.Fatalf("files %q, %v", ids, err)
	}
	for _, id := range ids {
		r, err := b.GetBlob(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Error(err)
		}
	}
}

func TestCopyCopiesEverything(t *testing.T) {
	from, to := source(t), newTarget(t)
	var last migrate.Progress
	for range 2 { // The second time there is nothing to do.
		done, err := migrate.Copy(t.Context(), from, to, func(p migrate.Progress) { last = p })
		if err != nil {
			t.Fatal(err)
		}
		if want := (migrate.Progress{Rooms: 3, Messages: 1_289, Records: 700, Blobs: 3}); done != want || last != want {
			t.Errorf("it says %+v and %+v, want %+v", done, last, want)
		}
		same(t, from, to)
	}
}

func TestCopyGoesOnWhereItWasBrokenOff(t *testing.T) {
	from, to := source(t), newTarget(t)
	for tries := 0; ; tries++ {
		to.mu.Lock()
		to.left = 300
		to.mu.Unlock()
		if _, err := migrate.Copy(t.Context(), from, to, nil); err == nil {
			break
		} else if !errors.Is(err, errGaveUp) || tries > 10 {
			t.Fatalf("try %d: %v", tries, err)
		}
	}
	same(t, from, to)
}

func TestCopyMixesNothing(t *testing.T) {
	from := source(t)
	to := newTarget(t)
	if _, err := to.Append(t.Context(), "kitchen", "bob-1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Copy(t.Context(), from, to, nil); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("into a room with other messages: %v", err)
	}
	to = newTarget(t)
	if _, err := to.Put(t.Context(), "bucket1", "key1", []byte("another"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Copy(t.Context(), from, to, nil); !errors.Is(err, chat.ErrConflict) {
		t.Errorf("over another record: %v", err)
	}
	if en, err := to.Get(t.Context(), "bucket1", "key1"); err != nil || string(en.Val) != "another" {
		t.Errorf("the record has become %q, %v", en.Val, err)
	}
}

// Messages have other numbers where they are copied to. How far somebody has read goes by them, and must not make old messages new
// again, nor new ones old.
func TestCopyKeepsHowFarSomebodyHasRead(t *testing.T) {
	from, to := source(t), newTarget(t)
	ctx := t.Context()
	device, closeHub := logIn(t, from)
	if _, err := device.Join(ctx, "kitchen"); err != nil {
		t.Fatal(err)
	}
	var last chat.Said
	for n := range uint64(3) {
		said, err := device.Say(ctx, "kitchen", n+1, chat.Content{Text: fmt.Sprint(n)})
		if err != nil {
			t.Fatal(err)
		}
		if last = said; n == 1 {
			if err := device.Mark(ctx, "kitchen", said.Seq); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeHub()
	for range 2 { // The second time there is nothing to do.
		if _, err := migrate.Copy(ctx, from, to, nil); err != nil {
			t.Fatal(err)
		}
	}
	device, closeHub = logIn(t, to)
	defer closeHub()
	place, err := device.Attach(ctx, "kitchen")
	if err != nil || place.Head == last.Seq || place.Read != place.Head-1 {
		t.Errorf("with head %d, which was %d, it is read up to %d, %v", place.Head, last.Seq, place.Read, err)
	}
	unread, err := device.History(ctx, "kitchen", chat.Page{After: place.Read, Forward: true})
	if err != nil || len(unread) != 1 || unread[0].Text != "2" {
		t.Errorf("not read are %v, %v", unread, err)
	}
	if err := device.Leave(ctx, "kitchen"); err != nil {
		t.Error(err)
	}
}

// logIn logs somebody in at a server on an engine. done ends that server.
func logIn(t *testing.T, e chat.Engine) (device *chat.Device, done func()) {
	t.Helper()
	hub, err := chat.New(chat.Config{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	device, err = hub.LogIn(t.Context(), chat.Login{Account: "ann", Device: "phone"}, deaf{})
	if err != nil {
		t.Fatal(err)
	}
	return device, func() {
		if err := errors.Join(device.Close(t.Context()), hub.Close()); err != nil {
			t.Error(err)
		}
	}
}

type deaf struct{}

func (deaf) Receive(*chat.Event) {}
