package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// A store that is looked through while it is written to was taken for a damaged one: its server stored nothing any more.
func TestLookingForDamageBesideAWriterFindsNone(t *testing.T) {
	e, err := Open(t.TempDir(), Config{Durability: Fast})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	db, err := openDatabase(e.path(), e.cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	enough := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		rev := uint64(0)
		for i := 0; ; i++ {
			select {
			case <-enough:
				return
			default:
			}
			var err error
			if rev, err = e.Put(t.Context(), "users", "ann", fmt.Append(nil, i), rev); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 300 {
		if err := verify(t.Context(), db, true); err != nil {
			t.Errorf("it found: %v", err)
			break
		}
	}
	close(enough)
	writing.Wait()
}

// One whose last revision is not the last is damaged: records would be given revisions that others have had.
func TestRevisionBehindItsRecordsIsDamage(t *testing.T) {
	e, err := Open(t.TempDir(), Config{Durability: Fast})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for i := range uint64(3) {
		if _, err := e.Put(t.Context(), "users", "ann", []byte("x"), i); err != nil {
			t.Fatal(err)
		}
	}
	db, err := openDatabase(e.path(), e.cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE meta SET val = 2 WHERE key = ?", metaRevision); err != nil {
		t.Fatal(err)
	}
	if err := verify(t.Context(), db, true); !errors.Is(err, ErrDamaged) {
		t.Errorf("it found: %v", err)
	}
}
