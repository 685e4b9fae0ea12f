package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/sqlite"
)

// killed returns a copy of the store in dir as it would be if its process were killed now.
func killed(tb testing.TB, dir string) string {
	tb.Helper()
	to := tb.TempDir()
	if err := os.CopyFS(filepath.Join(to, "store"), os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(to, "store")
}

// stored makes a store with messages, a record and a file, and returns its directory and what is in it.
func stored(tb testing.TB, cfg sqlite.Config) (e *sqlite.Engine, dir string, log []chat.Msg, blob string) {
	tb.Helper()
	dir = tb.TempDir()
	e = open(tb, dir, cfg)
	for i := range 300 {
		m, err := e.Append(context.Background(), "kitchen", fmt.Sprint("ann-", i), []byte(strings.Repeat(fmt.Sprint("text ", i), i%40)))
		if err != nil {
			tb.Fatal(err)
		}
		log = append(log, m)
	}
	if _, err := e.Put(context.Background(), "users", "ann", []byte("a record"), 0); err != nil {
		tb.Fatal(err)
	}
	blob, _, err := e.PutBlob(context.Background(), strings.NewReader(strings.Repeat("0123456789", 20_000)))
	if err != nil {
		tb.Fatal(err)
	}
	return e, dir, log, blob
}

// wrong returns what a store says that is not so. Errors are not wrong.
func wrong(e *sqlite.Engine, log []chat.Msg, blob string) string {
	if msgs, err := e.Read(context.Background(), "kitchen", 0, 0, 1000); err == nil {
		for i, m := range msgs {
			if i >= len(log) || m.Seq != log[i].Seq || m.ID != log[i].ID || string(m.Data) != string(log[i].Data) || !m.Time.Equal(log[i].Time) {
				return fmt.Sprintf("message %d is %v", i, m)
			}
		}
		if len(msgs) != len(log) {
			return fmt.Sprintf("%d messages, %d were stored", len(msgs), len(log))
		}
	}
	if en, err := e.Get(context.Background(), "users", "ann"); err == nil && string(en.Val) != "a record" {
		return fmt.Sprintf("record is %q", en.Val)
	} else if errors.Is(err, chat.ErrNotFound) {
		return "the record is not there"
	}
	rc, err := e.GetBlob(context.Background(), blob, 0)
	if errors.Is(err, chat.ErrNotFound) {
		return "the file is not there"
	}
	if err == nil {
		if b, err := io.ReadAll(rc); err == nil && string(b) != strings.Repeat("0123456789", 20_000) {
			return fmt.Sprintf("the file has %d bytes", len(b))
		}
	}
	return ""
}

// flip changes one byte of a file.
func flip(tb testing.TB, path string, at int64, with byte) {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		b[at] ^= with
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

var flips = flag.Int("flips", 12, "how many bytes of each file are damaged, one at a time")

// Whatever byte of whatever file of a store is another one, nothing is lost or changed in silence.
func TestDamageIsNeverCoveredUp(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	e, dir, log, blob := stored(t, sqlite.Config{})
	open := killed(t, dir) // Everything is in the write-ahead log.
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, dir, file string }{
		{"write-ahead log", open, "udpchat.db-wal"},
		{"database", dir, "udpchat.db"},
	} {
		t.Run(c.what, func(t *testing.T) {
			info, err := os.Stat(filepath.Join(c.dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			refused, silent := 0, 0
			for range *flips {
				dir := killed(t, c.dir)
				at, with := rnd.Int64N(info.Size()), byte(1+rnd.IntN(255))
				flip(t, filepath.Join(dir, c.file), at, with)
				var said strings.Builder
				e, err := sqlite.Open(dir, sqlite.Config{Logger: slog.New(slog.NewTextHandler(&said, nil))})
				if err != nil {
					if !errors.Is(err, sqlite.ErrDamaged) && !errors.Is(err, sqlite.ErrForeign) {
						t.Errorf("byte %d changed by %x: %v", at, with, err)
					}
					refused++
					continue
				}
				// What is not whole at the very end looks like what was being written when the machine stopped. The last
				// change was to store the file.
				cut := strings.Contains(said.String(), "cut off") && at > info.Size()*9/10
				if what := wrong(e, log, blob); what != "" && !(cut && what == "the file is not there") {
					t.Errorf("byte %d of %d changed by %x: %s", at, info.Size(), with, what)
				}
				silent++
				if err := e.Close(); err != nil && !errors.Is(err, sqlite.ErrDamaged) {
					t.Errorf("byte %d changed by %x: Close: %v", at, with, err)
				}
			}
			t.Logf("%d refused, %d opened", refused, silent)
		})
	}
}

// A record of the last moments that the machine did not get to write whole is cut off, and said so.
func TestTornEndIsCutOff(t *testing.T) {
	e, dir, log, blob := stored(t, sqlite.Config{})
	whole := killed(t, dir)
	appendN(t, e, "kitchen", 1000, 1) // The one that is torn.
	torn := killed(t, dir)
	size := func(dir string) int64 {
		info, err := os.Stat(filepath.Join(dir, "udpchat.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for _, end := range []int64{size(whole) + 1, size(whole) + 100, size(torn) - 1} {
		dir := killed(t, torn)
		if err := os.Truncate(filepath.Join(dir, "udpchat.db-wal"), end); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		e := open(t, dir, sqlite.Config{Logger: slog.New(slog.NewTextHandler(&said, nil))})
		if what := wrong(e, log, blob); what != "" {
			t.Errorf("write-ahead log cut at %d: %s", end, what)
		}
		if !strings.Contains(said.String(), "cut off") {
			t.Errorf("write-ahead log cut at %d: it said %q", end, said.String())
		}
		if m, err := e.Append(context.Background(), "kitchen", "ann-1000", nil); err != nil || m.Seq != log[len(log)-1].Seq+1 {
			t.Errorf("what was torn is repeated as %d, %v", m.Seq, err)
		}
	}
}

// Damage that is met while the store is in use ends all writing: the file may be worse than what was met.
func TestDamageFoundLaterEndsWriting(t *testing.T) {
	e, dir, _, _ := stored(t, sqlite.Config{})
	if err := e.Close(); err != nil { // So that everything is in the database, and in nobody's cache.
		t.Fatal(err)
	}
	e = open(t, dir, sqlite.Config{})
	path := filepath.Join(dir, "udpchat.db")
	b, err := os.ReadFile(path)
	if err == nil {
		clear(b[4096:])
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if msgs, err := e.Read(t.Context(), "kitchen", 0, 0, 1000); !errors.Is(err, sqlite.ErrDamaged) {
		t.Fatalf("Read: %d messages, %v, want ErrDamaged", len(msgs), err)
	}
	if _, err := e.Append(t.Context(), "kitchen", "bob-1", nil); !errors.Is(err, sqlite.ErrDamaged) {
		t.Errorf("Append: %v, want ErrDamaged", err)
	}
	if err := e.Health(); !errors.Is(err, sqlite.ErrDamaged) {
		t.Errorf("Health: %v, want ErrDamaged", err)
	}
	if n := e.Stats().Damaged; n != 1 {
		t.Errorf("%d reads met damage, want 1", n)
	}
	_ = e.Close() // What it can still do is not what this is about.
	if _, err := sqlite.Open(dir, sqlite.Config{}); !errors.Is(err, sqlite.ErrDamaged) {
		t.Errorf("Open afterwards: %v, want ErrDamaged", err)
	}
}

func TestWriteAheadLogWithoutDatabaseIsRefused(t *testing.T) {
	_, dir, _, _ := stored(t, sqlite.Config{})
	for what, hurt := range map[string]func(string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
	} {
		dir := killed(t, dir)
		if err := hurt(filepath.Join(dir, "udpchat.db")); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(dir, sqlite.Config{}); !errors.Is(err, sqlite.ErrDamaged) {
			t.Errorf("database %s: %v", what, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "udpchat.db-wal")); err != nil {
			t.Errorf("database %s: the write-ahead log is gone, too", what)
		}
	}
}

// What is not ours is not touched.
func TestForeignFilesAreRefused(t *testing.T) {
	for what, make := range map[string]func(path string) error{
		"text": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("notes ", 1000)), 0o600) },
		"another program's": func(path string) error {
			return execute(path, "CREATE TABLE recipes (name TEXT)")
		},
		"a newer version's": func(path string) error {
			return execute(path, "PRAGMA application_id = 1430472788; PRAGMA user_version = 99; CREATE TABLE t (x)")
		},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "udpchat.db")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		_, err := sqlite.Open(dir, sqlite.Config{})
		if !errors.Is(err, sqlite.ErrForeign) && !errors.Is(err, sqlite.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if after, _ := os.ReadFile(path); what == "text" && string(after) != string(before) {
			t.Errorf("%s: the file was changed", what)
		}
	}
}

// execute runs SQL on a file.
func execute(path, text string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	_, err = db.Exec(text)
	return errors.Join(err, db.Close())
}
