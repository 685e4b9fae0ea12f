package jetstream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"udpchat/chat"
	"udpchat/chat/store/jetstream"
)

// forgetful has the servers forget message ids after 100 ms, the least they allow, instead of two minutes.
func forgetful(t *testing.T, cfg jetstream.Config) {
	t.Helper()
	nats3.asks(t, func(ctx context.Context, streams js.JetStream) error {
		for i := range cfg.Shards {
			s, err := streams.Stream(ctx, fmt.Sprintf("%s_room%d", cfg.Prefix, i))
			if err != nil {
				return err
			}
			change := s.CachedInfo().Config
			change.Duplicates = 100 * time.Millisecond
			if _, err := streams.UpdateStream(ctx, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// An id is known for ever, not only as long as the servers remember it, on a node that has never seen the device as well as
// on one that believes it knows the device's last message.
func TestOldIDsAreRecognised(t *testing.T) {
	cfg := nats3.config(nats3.storage(t))
	a, b := openOn(t, cfg), openOn(t, cfg)
	forgetful(t, cfg)
	say := func(e chat.Engine, n int) uint64 {
		t.Helper()
		m, err := e.Append(t.Context(), "kitchen", fmt.Sprint("ann-", n), []byte("text"))
		if err != nil {
			t.Fatal(err)
		}
		return m.Seq
	}
	var seqs []uint64
	for n := range 30 {
		seqs = append(seqs, say([]chat.Engine{a, b}[n/10%2], n)) // The device wanders from a to b and back.
	}
	// Longer than the servers remember; a message of somebody else tells us that.
	for begin := time.Now(); time.Since(begin) < 400*time.Millisecond; {
		if _, err := a.Append(t.Context(), "kitchen", fmt.Sprint("bob-", time.Since(begin).Nanoseconds()), nil); err != nil {
			t.Fatal(err)
		}
	}
	before, err := a.Heads(t.Context(), []string{"kitchen"})
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]chat.Engine{"the first node": a, "the second node": b, "a new node": nil} {
		for _, n := range []int{29, 0, 15, 28, 9, 10, 29} {
			if name == "a new node" {
				e = openOn(t, cfg) // One that knows nothing, for each.
			}
			if got := say(e, n); got != seqs[n] {
				t.Errorf("%s: ann-%d is at %d, first was %d", name, n, got, seqs[n])
			}
		}
	}
	if after, err := a.Heads(t.Context(), []string{"kitchen"}); err != nil || after[0] != before[0] {
		t.Errorf("the room grew from %d to %d, %v", before[0], after[0], err)
	}
}

// A message that comes from another engine keeps its time, for everybody.
func TestImportedMessageKeepsItsTime(t *testing.T) {
	cfg := nats3.config(nats3.storage(t))
	a, b := openOn(t, cfg), openOn(t, cfg)
	long := time.Unix(1_000_000_000, 42)
	m, err := a.Import(t.Context(), chat.Msg{Room: "kitchen", ID: "ann-1", Time: long, Data: []byte("text")})
	if err != nil || !m.Time.Equal(long) {
		t.Fatalf("Import: %v, %v", m.Time, err)
	}
	msgs := readAll(t, b)
	if len(msgs) != 1 || !msgs[0].Time.Equal(long) || msgs[0].Seq != m.Seq {
		t.Errorf("read %v", msgs)
	}
	again, err := b.Append(t.Context(), "kitchen", "ann-1", nil)
	if err != nil || again.Seq != m.Seq || !again.Time.Equal(long) || string(again.Data) != "text" {
		t.Errorf("appended again it is %v, %v", again, err)
	}
}
