package memory_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// appendN appends n texts of size bytes to room, under the ids dev-0 to dev-(n-1).
func appendN(t *testing.T, e *memory.Engine, room, dev string, n, size int) {
	t.Helper()
	for i := range n {
		if _, err := e.Append(t.Context(), room, fmt.Sprintf("%s-%d", dev, i), make([]byte, size)); err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
}

// seqs returns which messages of a room can be read.
func seqs(t *testing.T, e *memory.Engine, room string) (first, last uint64, n int) {
	t.Helper()
	msgs, err := e.Read(t.Context(), room, 0, 0, math.MaxInt)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(msgs) == 0 {
		return 0, 0, 0
	}
	return msgs[0].Seq, msgs[len(msgs)-1].Seq, len(msgs)
}

func wantSeqs(t *testing.T, e *memory.Engine, room string, first, last uint64) {
	t.Helper()
	f, l, n := seqs(t, e, room)
	if f != first || l != last || n != int(last-first+1) {
		t.Errorf("room %q has %d to %d, %d messages, want %d to %d", room, f, l, n, first, last)
	}
}

func again(t *testing.T, e *memory.Engine, room, id string) chat.Msg {
	t.Helper()
	msg, err := e.Append(t.Context(), room, id, []byte("again"))
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return msg
}

func TestRoomKeepsItsLastMessagesAndTheirIDs(t *testing.T) {
	e := memory.New(memory.Config{RoomMessagesMax: 10})
	defer e.Close()
	appendN(t, e, "kitchen", "ann", 25, 1)
	wantSeqs(t, e, "kitchen", 16, 25)
	if msg := again(t, e, "kitchen", "ann-15"); msg.Seq != 16 {
		t.Errorf("oldest id that is kept came back as %d, want 16", msg.Seq)
	}
	if msg := again(t, e, "kitchen", "ann-14"); msg.Seq != 26 {
		t.Errorf("newest id that is forgotten came back as %d, want a new message, 26", msg.Seq)
	}
	wantSeqs(t, e, "kitchen", 17, 26)
}

func TestRoomWithTooManyBytesForgetsTextsButNotIDs(t *testing.T) {
	e := memory.New(memory.Config{RoomBytesMax: 10_000})
	defer e.Close()
	appendN(t, e, "kitchen", "ann", 20, 1000)
	first, last, n := seqs(t, e, "kitchen")
	if last != 20 || n < 3 || n > 9 {
		t.Errorf("10,000 bytes keep %d to %d, %d messages of 1,000", first, last, n)
	}
	if msg := again(t, e, "kitchen", "ann-0"); msg.Seq != 1 || msg.Data != nil {
		t.Errorf("id without text came back as %d with %d bytes, want 1 with none", msg.Seq, len(msg.Data))
	}
	appendN(t, e, "kitchen", "bob", 1, 50_000)
	wantSeqs(t, e, "kitchen", 21, 21)
}

// TestOneRoomDoesNotPushOutTheOthers: the room that is written to pays for the whole.
func TestOneRoomDoesNotPushOutTheOthers(t *testing.T) {
	e := memory.New(memory.Config{RoomBytesMax: 1 << 30, LogBytesMax: 100_000})
	defer e.Close()
	appendN(t, e, "quiet", "ann", 20, 1000)
	appendN(t, e, "loud", "bob", 500, 1000)
	wantSeqs(t, e, "quiet", 1, 20)
	first, last, n := seqs(t, e, "loud")
	if last != 500 || n < 50 || n > 80 {
		t.Errorf("loud room has %d to %d, %d messages, want what is left of 100,000 bytes", first, last, n)
	}
	appendN(t, e, "late", "cat", 5, 90_000)
	wantSeqs(t, e, "late", 5, 5)
}

func TestOneRoomTooMany(t *testing.T) {
	e := memory.New(memory.Config{RoomsMax: 2})
	defer e.Close()
	appendN(t, e, "a", "ann", 1, 1)
	if _, err := e.Subscribe("b", func(chat.Msg) {}); err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	if _, err := e.Append(t.Context(), "c", "ann-1", nil); !errors.Is(err, chat.ErrFull) {
		t.Errorf("Append to a third room: %v, want ErrFull", err)
	}
	if _, err := e.Subscribe("c", func(chat.Msg) {}); !errors.Is(err, chat.ErrFull) {
		t.Errorf("Subscribe to a third room: %v, want ErrFull", err)
	}
	if _, err := e.Read(t.Context(), "c", 0, 0, 1); err != nil {
		t.Errorf("Read of a third room: %v", err)
	}
	appendN(t, e, "b", "ann", 1, 1)
}

// A room that is forgotten begins anew, with numbers above all that it had; one to which somebody subscribes is not forgotten.
func TestForgottenRoomBeginsAnew(t *testing.T) {
	e := memory.New(memory.Config{RoomsMax: 1})
	defer e.Close()
	stop, err := e.Subscribe("a", func(chat.Msg) {})
	if err != nil {
		t.Fatal(err)
	}
	appendN(t, e, "a", "ann", 3, 1)
	e.Forget("a")
	e.Forget("never used")
	wantSeqs(t, e, "a", 1, 3)
	stop()
	e.Forget("a")
	if _, _, n := seqs(t, e, "a"); n != 0 {
		t.Errorf("%d messages are remembered", n)
	}
	if heads, err := e.Heads(t.Context(), []string{"a"}); err != nil || heads[0] != 0 {
		t.Errorf("Heads: %d, %v", heads, err)
	}
	appendN(t, e, "b", "ann", 1, 1) // There is room for another one.
	e.Forget("b")
	appendN(t, e, "a", "ann", 2, 1)
	wantSeqs(t, e, "a", 5, 6)
}

// Whoever appends or subscribes while a room is forgotten does so before or afterwards: nothing is lost in between.
func TestForgettingLosesNothingOfWhoComesMeanwhile(t *testing.T) {
	e := memory.New(memory.Config{})
	defer e.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 2000 {
			e.Forget("a")
		}
	})
	last := uint64(0)
	for i := range 500 {
		var got []uint64
		stop, err := e.Subscribe("a", func(m chat.Msg) { got = append(got, m.Seq) })
		if err != nil {
			t.Fatal(err)
		}
		m, err := e.Append(t.Context(), "a", fmt.Sprint("ann-", i), nil)
		if err != nil || m.Seq <= last || len(got) != 1 || got[0] != m.Seq {
			t.Fatalf("message %d: number %d after %d, %v; the subscriber got %d", i, m.Seq, last, err, got)
		}
		last = m.Seq
		stop()
	}
	wg.Wait()
}

func TestRecordQuota(t *testing.T) {
	e := memory.New(memory.Config{RecordBytesMax: 10_000})
	defer e.Close()
	ctx := t.Context()
	rev, err := e.Put(ctx, "users", "ann", make([]byte, 6000), 0)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	if _, err := e.Put(ctx, "users", "bob", make([]byte, 6000), 0); !errors.Is(err, chat.ErrFull) {
		t.Errorf("Put over the quota: %v, want ErrFull", err)
	}
	if rev, err = e.Put(ctx, "users", "ann", make([]byte, 9000), rev); err != nil {
		t.Errorf("Put that replaces 6,000 bytes by 9,000: %v", err)
	}
	if err := e.Delete(ctx, "users", "ann", rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	if _, err := e.Put(ctx, "users", "bob", make([]byte, 9000), 0); err != nil {
		t.Errorf("Put after Delete: %v", err)
	}
	small := memory.New(memory.Config{RecordBytesMax: 10_000})
	defer small.Close()
	for n := 0; ; n++ {
		if _, err := small.Put(ctx, "users", fmt.Sprint(n), nil, 0); err != nil {
			if n < 10 || n > 100 {
				t.Errorf("10,000 bytes take %d empty records", n)
			}
			break
		}
	}
}

func TestBlobQuota(t *testing.T) {
	e := memory.New(memory.Config{BlobBytesMax: 300_000})
	defer e.Close()
	ctx := t.Context()
	put := func(b byte, n int) (string, error) {
		id, _, err := e.PutBlob(ctx, bytes.NewReader(bytes.Repeat([]byte{b}, n)))
		return id, err
	}
	id, err := put('a', 200_000)
	if err != nil {
		t.Fatalf("PutBlob: %v", err)
	}
	// Each of these must give back what it took, or the last ones would fail.
	for range 20 {
		if _, err := put('b', 200_000); !errors.Is(err, chat.ErrFull) {
			t.Fatalf("PutBlob over the quota: %v, want ErrFull", err)
		}
		if _, err := put('a', 5_000); err != nil {
			t.Fatalf("PutBlob of a second file: %v", err)
		}
		again, err := put('a', 5_000)
		if err != nil {
			t.Fatalf("PutBlob of the same file: %v", err)
		}
		if err := e.DropBlob(ctx, again); err != nil {
			t.Fatalf("DropBlob: %v", err)
		}
		src := io.MultiReader(strings.NewReader(strings.Repeat("x", 90_000)), iotest.ErrReader(io.ErrClosedPipe))
		if _, _, err := e.PutBlob(ctx, src); !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("PutBlob from a broken source: %v", err)
		}
	}
	if err := e.DropBlob(ctx, id); err != nil {
		t.Fatalf("DropBlob: %v", err)
	}
	if _, err := put('b', 299_000); err != nil {
		t.Errorf("PutBlob after DropBlob: %v", err)
	}
}
