package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/sqlite"
)

// all returns every message of a room.
func all(tb testing.TB, e chat.Engine, room string) []chat.Msg {
	tb.Helper()
	var msgs []chat.Msg
	after := uint64(0)
	for {
		page, err := e.Read(context.Background(), room, after, 0, 1000)
		if err != nil {
			tb.Fatalf("Read: %v", err)
		}
		if len(page) == 0 {
			return msgs
		}
		msgs = append(msgs, page...)
		after = page[len(page)-1].Seq
	}
}

func appendN(tb testing.TB, e chat.Engine, room string, from, n int) {
	tb.Helper()
	for i := range n {
		if _, err := e.Append(context.Background(), room, fmt.Sprintf("ann-%d", from+i), fmt.Appendf(nil, "text %d", from+i)); err != nil {
			tb.Fatalf("Append: %v", err)
		}
	}
}

// restore makes a store of a backup.
func restore(tb testing.TB, file string) *sqlite.Engine {
	tb.Helper()
	b, err := os.ReadFile(file)
	dir := tb.TempDir()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "udpchat.db"), b, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return open(tb, dir, sqlite.Config{})
}

// A backup is made while others write, and has everything that was stored before it began.
func TestBackupOfAStoreInUse(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	e := open(t, dir, sqlite.Config{})
	appendN(t, e, "kitchen", 0, 100)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 100; ; i++ {
			select {
			case <-stop:
				return
			default:
				appendN(t, e, "kitchen", i, 1)
			}
		}
	})
	err := sqlite.Backup(t.Context(), dir, file)
	close(stop)
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	copied := restore(t, file)
	msgs := all(t, copied, "kitchen")
	if len(msgs) < 100 {
		t.Fatalf("the copy has %d messages, 100 were stored before", len(msgs))
	}
	for i, m := range msgs {
		if m.ID != fmt.Sprintf("ann-%d", i) || m.Seq != uint64(i+1) {
			t.Fatalf("message %d of the copy is %s at %d", i, m.ID, m.Seq)
		}
	}
}

// A copy that is put back is another life of the store: numbers after it will mean something else. Opened again, it is the
// same life.
func TestRestoredBackupHasAnotherEpoch(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	e := open(t, dir, sqlite.Config{})
	appendN(t, e, "kitchen", 0, 1)
	if err := sqlite.Backup(t.Context(), dir, file); err != nil {
		t.Fatal(err)
	}
	was, _ := e.Epoch(t.Context(), "kitchen")
	one, _ := restore(t, file).Epoch(t.Context(), "kitchen")
	two, _ := restore(t, file).Epoch(t.Context(), "kitchen")
	if was == "" || one == "" || was == one || one == two {
		t.Errorf("epochs: %q before, %q and %q put back", was, one, two)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if now, _ := open(t, dir, sqlite.Config{}).Epoch(t.Context(), "kitchen"); now != was {
		t.Errorf("a store that was copied has epoch %q, before %q", now, was)
	}
}

// What people said to each other, and the hashes of their passwords, are nobody else's business.
func TestFilesOfAStoreAreReadByTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such bits")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // As an administrator may have made it.
		t.Fatal(err)
	}
	e := open(t, dir, sqlite.Config{})
	appendN(t, e, "kitchen", 0, 1)
	if err := sqlite.Backup(t.Context(), dir, filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 {
		t.Fatalf("there are %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestBackupOverwritesNothing(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	open(t, dir, sqlite.Config{})
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Backup(t.Context(), dir, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup over a file: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("the file has become %q", b)
	}
	if err := sqlite.Backup(t.Context(), t.TempDir(), file+"2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Backup of nothing: %v", err)
	}
	if _, err := os.Stat(file + "2"); err == nil {
		t.Errorf("Backup of nothing made a file")
	}
}
