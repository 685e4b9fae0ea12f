package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

// swept waits until the sweeper has nothing left to do, and returns how many messages have data, and pieces there are.
func swept(t *testing.T, e *Engine) (messages, chunks int) {
	t.Helper()
	for range 100_000 {
		var rooms, uploads int
		err := e.writer.do(t.Context(), "looking", 0, func(txn *txn) error {
			for query, n := range map[string]*int{
				"SELECT count(*) FROM rooms WHERE swept < kept":        &rooms,
				"SELECT count(*) FROM uploads":                         &uploads,
				"SELECT count(*) FROM messages WHERE data IS NOT NULL": &messages,
				"SELECT count(*) FROM chunks":                          &chunks,
			} {
				if err := txn.conn.QueryRowContext(context.Background(), query).Scan(n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if rooms == 0 && uploads == 0 {
			return messages, chunks
		}
	}
	t.Fatal("the sweeper does not come to an end")
	return 0, 0
}

// The space of what was dropped or broken off is given back in steps, also what a process that was killed left.
func TestSweeperGivesBackWhatNobodyNeeds(t *testing.T) {
	dir := t.TempDir()
	open := func() *Engine {
		e, err := Open(dir, Config{Durability: Fast})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	e := open()
	for i := range 2*sweepRows + 10 {
		if _, err := e.Append(t.Context(), "kitchen", fmt.Sprint("ann-", i), []byte("text")); err != nil {
			t.Fatal(err)
		}
	}
	blob, _, err := e.PutBlob(t.Context(), bytes.NewReader(make([]byte, (2*sweepChunks+3)*chunkBytes)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.PutBlob(t.Context(), bytes.NewReader(make([]byte, (2*sweepChunks+3)*chunkBytes))); err != nil {
		t.Fatal(err) // The same again, which is stored once.
	}
	broken := errors.New("the uploader went away")
	src := io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), 3*chunkBytes)), iotest.ErrReader(broken))
	if _, _, err := e.PutBlob(t.Context(), src); !errors.Is(err, broken) {
		t.Fatalf("PutBlob from a broken source: %v", err)
	}
	if messages, chunks := swept(t, e); messages != 2*sweepRows+10 || chunks != 2*sweepChunks+3 {
		t.Errorf("%d messages and %d pieces are left", messages, chunks)
	}
	if err := e.Drop(t.Context(), "kitchen", 2*sweepRows+5, 0); err != nil {
		t.Fatal(err)
	}
	if err := e.DropBlob(t.Context(), blob); err != nil {
		t.Fatal(err)
	}
	if messages, chunks := swept(t, e); messages != 5 || chunks != 0 {
		t.Errorf("%d messages and %d pieces are left, want 5 and 0", messages, chunks)
	}
	// A process that is killed in the middle of an upload leaves this.
	err = e.writer.do(t.Context(), "leaving something", 0, func(txn *txn) error {
		_, num := txn.exec(stAddUpload)
		txn.exec(stAddChunk, num, 0, []byte("piece"), 0)
		return txn.broken
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, chunks := swept(t, open()); chunks != 0 {
		t.Errorf("%d pieces are left of a former process", chunks)
	}
}
