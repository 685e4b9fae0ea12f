package memory

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestRingIsAQueue compares a ring with a slice.
func TestRingIsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		var want []string
		next := 0
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(want) > 0 && rapid.IntRange(0, 9).Draw(t, "push or pop") < 4 {
				if got := r.pop().id; got != want[0] {
					t.Fatalf("pop = %q, want %q", got, want[0])
				}
				want = want[1:]
			} else {
				next++
				r.push(entry{id: strconv.Itoa(next)})
				want = append(want, strconv.Itoa(next))
			}
			var got []string
			for i := range r.len() {
				got = append(got, r.at(i).id)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("ring has %q, want %q", got, want)
			}
		}
	})
}

// TestAppendToAFullLogDoesNotGrow guards against keeping what was forgotten.
func TestAppendToAFullLogDoesNotGrow(t *testing.T) {
	e := New(Config{RoomMessagesMax: 100, RoomBytesMax: 20_000})
	defer e.Close()
	for i := range 10_000 {
		if _, err := e.Append(t.Context(), "kitchen", strconv.Itoa(i), make([]byte, i%700)); err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
	l := e.rooms["kitchen"]
	var bytes int64
	for i := range l.entries.len() {
		bytes += l.entries.at(i).size()
	}
	if bytes != l.bytes || bytes != e.logBytes.Load() {
		t.Errorf("entries take %d bytes, the log counted %d and the engine %d", bytes, l.bytes, e.logBytes.Load())
	}
	if len(l.entries.buf) > 128 || len(l.seqs) != 100 || l.full > 100 {
		t.Errorf("ring has room for %d, %d ids, %d without data, of 100 messages", len(l.entries.buf), len(l.seqs), l.full)
	}
	if err := e.Close(); err != nil || e.logBytes.Load() != 0 {
		t.Errorf("after Close (%v) the logs take %d bytes", err, e.logBytes.Load())
	}
}

func BenchmarkAppend(b *testing.B) {
	e := New(Config{})
	defer e.Close()
	data := make([]byte, 100)
	for i := range b.N {
		e.Append(b.Context(), "kitchen", strconv.Itoa(i), data)
	}
}
