package account_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/store/memory"
)

// unsharedLife and dropLease are those of the package.
const (
	unsharedLife = 7 * 24 * time.Hour
	dropLease    = time.Hour
)

// A shelf is accounts that store files, in a bubble.
type shelf struct {
	*account.Service
	t      *testing.T
	engine *breaking
	gone   []string // What Collect had accounts forget.
}

// A breaking engine does not drop files while it is told not to.
type breaking struct {
	chat.Engine
	err error
}

func (b *breaking) DropBlob(ctx context.Context, id string) error {
	if b.err != nil {
		return b.err
	}
	return b.Engine.DropBlob(ctx, id)
}

func onShelf(t *testing.T, f func(s *shelf)) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{t: t, engine: &breaking{Engine: memory.New(memory.Config{})}}
		s.Service = newService(t, s.engine)
		register(t, s.Service, "ann", "bob")
		f(s)
		wantNone(t, "closing the engine", s.engine.Close())
	})
}

// store stores a file as front-ends do, and returns its id.
func (s *shelf) store(name, text string) string {
	s.t.Helper()
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	if ok, err := s.Hold(s.t.Context(), name, id); !ok || err != nil {
		s.t.Fatalf("Hold: %t, %v", ok, err)
	}
	wantNone(s.t, "Charge", s.Charge(s.t.Context(), name, id, int64(len(text))))
	return s.put(text)
}

func (s *shelf) put(text string) string {
	s.t.Helper()
	id, _, err := s.engine.PutBlob(s.t.Context(), strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// collect lets time pass, and has the server look.
func (s *shelf) collect(after time.Duration) error {
	time.Sleep(after)
	return s.Collect(s.t.Context(), func(_ context.Context, name, _ string) error {
		s.gone = append(s.gone, name)
		return nil
	})
}

func (s *shelf) want(when string, id string, there bool, gone ...string) {
	s.t.Helper()
	r, err := s.engine.GetBlob(s.t.Context(), id, 0)
	if err == nil {
		err = r.Close()
	}
	if there && err != nil || !there && !errors.Is(err, chat.ErrNotFound) {
		s.t.Errorf("%s: the file: %v, want it there: %t", when, err, there)
	}
	if fmt.Sprint(s.gone) != fmt.Sprint(gone) {
		s.t.Errorf("%s: %v have forgotten it, want %v", when, s.gone, gone)
	}
}

func TestFilesNobodyWasToldOfAreCollected(t *testing.T) {
	onShelf(t, func(s *shelf) {
		id := s.store("ann", "never told")
		wantNone(t, "Collect", s.collect(unsharedLife-time.Minute))
		s.want("before its time", id, true)
		wantNone(t, "Collect", s.collect(time.Minute))
		s.want("afterwards", id, false, "ann")
		if u, err := s.Usage(t.Context(), "ann"); err != nil || u.Files != 0 || u.Bytes != 0 {
			t.Errorf("ann answers for %+v, %v", u, err)
		}
		s.store("ann", "never told") // As if it had never been.
		wantNone(t, "Collect", s.collect(time.Hour))
		s.want("stored again", id, true, "ann")
	})
}

func TestFilesSomebodyWasToldOfStay(t *testing.T) {
	onShelf(t, func(s *shelf) {
		ctx := t.Context()
		told, old := s.store("ann", "told"), s.put("from before there were records")
		if ok, err := s.Share(ctx, told); !ok || err != nil {
			t.Fatalf("Share: %t, %v", ok, err)
		}
		if ok, err := s.Hold(ctx, "bob", told); !ok || err != nil { // He has not told anybody.
			t.Fatalf("Hold: %t, %v", ok, err)
		}
		if ok, err := s.Hold(ctx, "bob", old); !ok || err != nil {
			t.Fatalf("Hold: %t, %v", ok, err)
		}
		wantNone(t, "Collect", s.collect(10*unsharedLife))
		s.want("told", told, true)
		s.want("of an unknown past", old, true)
	})
}

// The same bytes are stored once: they go when the last who has stored them was silent for long enough.
func TestFileOfTwoWaitsForBoth(t *testing.T) {
	onShelf(t, func(s *shelf) {
		id := s.store("ann", "the same")
		time.Sleep(unsharedLife / 2)
		s.store("bob", "the same")
		wantNone(t, "Collect", s.collect(unsharedLife*3/4))
		s.want("ann's time is over", id, true)
		wantNone(t, "Collect", s.collect(unsharedLife/4))
		r, err := s.engine.GetBlob(t.Context(), id, 0)
		if !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("both are over: %v, %v", r, err)
		}
	})
}

// While a file is being dropped nobody can store or tell of it, and what was interrupted is done by whoever comes later.
func TestFileThatIsBeingDroppedIsNobodys(t *testing.T) {
	onShelf(t, func(s *shelf) {
		ctx := t.Context()
		id := s.store("ann", "half gone")
		s.engine.err = errors.New("the server dies")
		if err := s.collect(unsharedLife); err == nil {
			t.Error("Collect does not say that it was interrupted")
		}
		if ok, err := s.Share(ctx, id); ok || err != nil {
			t.Errorf("Share: %t, %v; want false", ok, err)
		}
		if ok, err := s.Hold(ctx, "bob", id); ok || err != nil {
			t.Errorf("Hold: %t, %v; want false", ok, err)
		}
		s.engine.err = nil
		wantNone(t, "Collect", s.collect(dropLease/2))
		s.want("while the other may still be at it", id, true, "ann")
		wantNone(t, "Collect", s.collect(dropLease/2))
		s.want("when it cannot be any more", id, false, "ann", "ann")
		s.store("bob", "half gone")
	})
}

// What breaks off between being noted and being stored is given back, the space it was charged for included.
func TestFileThatWasNeverStoredIsNotCharged(t *testing.T) {
	onShelf(t, func(s *shelf) {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte("never came")))
		if ok, err := s.Hold(t.Context(), "ann", id); !ok || err != nil {
			t.Fatalf("Hold: %t, %v", ok, err)
		}
		wantNone(t, "Charge", s.Charge(t.Context(), "ann", id, 10))
		wantNone(t, "Collect", s.collect(unsharedLife))
		s.want("afterwards", id, false, "ann")
		if u, err := s.Usage(t.Context(), "ann"); err != nil || u.Files != 0 || u.Bytes != 0 {
			t.Errorf("ann answers for %+v, %v", u, err)
		}
	})
}
