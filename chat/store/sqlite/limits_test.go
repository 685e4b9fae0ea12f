package sqlite_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/sqlite"
)

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// fillUp appends until there is no space, and returns how many messages were stored.
func fillUp(t *testing.T, e *sqlite.Engine) (n int, err error) {
	t.Helper()
	for ; n < 100_000; n++ {
		if _, err := e.Append(t.Context(), "kitchen", fmt.Sprint("ann-", n), make([]byte, 20_000)); err != nil {
			return n, err
		}
	}
	t.Fatalf("%d messages of 20,000 bytes were stored", n)
	return 0, nil
}

// What does not fit is refused, what was stored is there, and when there is space again everything goes on.
func TestFullStoreRefusesAndRecovers(t *testing.T) {
	e := open(t, t.TempDir(), sqlite.Config{BytesMax: 4 << 20})
	n, err := fillUp(t, e)
	if !errors.Is(err, chat.ErrFull) {
		t.Fatalf("after %d messages: %v, want ErrFull", n, err)
	}
	if err := e.Health(); err != nil && !errors.Is(err, chat.ErrFull) {
		t.Errorf("Health: %v", err)
	}
	if _, _, err := e.PutBlob(t.Context(), io.LimitReader(zeros{}, 10<<20)); !errors.Is(err, chat.ErrFull) {
		t.Errorf("PutBlob: %v, want ErrFull", err)
	}
	if got := all(t, e, "kitchen"); len(got) != n {
		t.Errorf("%d messages are there, %d were stored", len(got), n)
	}
	if err := e.Drop(t.Context(), "kitchen", uint64(n/2), 0); err != nil {
		t.Fatalf("Drop in a full store: %v", err)
	}
	// The space comes back little by little.
	for try := 0; ; try++ {
		m, err := e.Append(t.Context(), "kitchen", fmt.Sprint("ann-", n), make([]byte, 20_000))
		if err == nil {
			if m.Seq != uint64(n+1) {
				t.Errorf("the first message after that is %d, want %d", m.Seq, n+1)
			}
			break
		}
		if !errors.Is(err, chat.ErrFull) || try > 10_000 {
			t.Fatalf("Append after Drop: %v", err)
		}
	}
	if err := e.Health(); err != nil {
		t.Errorf("Health: %v", err)
	}
}

func TestFileThatIsTooLargeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, sqlite.Config{BlobBytesMax: 1 << 20})
	if _, _, err := e.PutBlob(t.Context(), zeros{}); !errors.Is(err, chat.ErrTooLarge) {
		t.Fatalf("PutBlob without end: %v, want ErrTooLarge", err)
	}
	if _, size, err := e.PutBlob(t.Context(), io.LimitReader(zeros{}, 1<<20)); err != nil || size != 1<<20 {
		t.Errorf("PutBlob of the largest file: %d, %v", size, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// After Close everything is in the one file, and a copy of that is a copy of all.
func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, sqlite.Config{})
	appendN(t, e, "kitchen", 0, 10)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 || files[0].Name() != "udpchat.db" || files[1].Name() != "udpchat.lock" {
		t.Errorf("after Close there are %v, %v", files, err)
	}
	if got := all(t, restore(t, filepath.Join(dir, "udpchat.db")), "kitchen"); len(got) != 10 {
		t.Errorf("a copy of the file has %d messages, want 10", len(got))
	}
}

func TestSecondProcessIsToldWhoHasTheStore(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, sqlite.Config{})
	_, err := sqlite.Open(dir, sqlite.Config{})
	if !errors.Is(err, sqlite.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d since ", os.Getpid())) {
		t.Errorf("Open of a store in use: %v", err)
	}
	appendN(t, e, "kitchen", 0, 1)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := all(t, open(t, dir, sqlite.Config{}), "kitchen"); len(got) != 1 {
		t.Errorf("%d messages after the refusal, want 1", len(got))
	}
}

func TestPlaceThatCannotBeWrittenIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(file, sqlite.Config{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open in a file: %v", err)
	}
	if os.Getuid() == 0 {
		t.Skip("root writes everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(dir, sqlite.Config{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Open in a directory that is read-only: %v", err)
	}
}
