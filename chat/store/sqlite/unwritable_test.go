package sqlite

import (
	"errors"
	"testing"

	"udpchat/chat"
)

// A disk that becomes read-only while we run: nothing is stored, which the errors say, and when it can be written to again
// everything goes on.
func TestStoreThatBecomesReadOnlySaysSo(t *testing.T) {
	e, err := Open(t.TempDir(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, want := range []error{nil, chat.ErrUnwritable, nil} {
		pragma := "PRAGMA query_only(0)"
		if want != nil {
			pragma = "PRAGMA query_only(1)" // SQLite answers as for a file that is read-only.
		}
		if _, err := e.writer.conn.ExecContext(t.Context(), pragma); err != nil {
			t.Fatal(err)
		}
		if err := e.Health(); !errors.Is(err, want) && want == nil {
			t.Errorf("Health: %v, want %v", err, want)
		}
		if _, err := e.Append(t.Context(), "kitchen", "ann-1", nil); !errors.Is(err, want) {
			t.Errorf("Append: %v, want %v", err, want)
		}
		if _, err := e.Put(t.Context(), "b", "k", []byte("v"), 0); want != nil && !errors.Is(err, want) {
			t.Errorf("Put: %v, want %v", err, want)
		}
		if err := e.Health(); !errors.Is(err, want) {
			t.Errorf("Health afterwards: %v, want %v", err, want)
		}
	}
}
