//go:build unix

package jetstream_test

import (
	"flag"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"udpchat/chat"
)

var (
	leaderKills = flag.Int("leader-kills", 1, "how often the leader of a room is killed")
	leaderStops = flag.Int("leader-stops", 0, "how often the leader of a room is stopped for a while")
)

// A leader that dies, or is stopped and comes back believing that it still leads, makes writers wait and nothing else.
func TestClusterWithoutItsLeaderLosesNothing(t *testing.T) {
	c, err := startCluster(t.TempDir())
	t.Cleanup(c.stop)
	if err != nil {
		t.Fatal(err)
	}
	prefix := c.storage(t)
	cfg := c.config(prefix)
	cfg.Shards = 1
	nodes := []chat.Engine{openOn(t, cfg), openOn(t, cfg)}
	var mu sync.Mutex
	got := make([][]chat.Msg, len(nodes)) // Guarded by mu.
	for i, e := range nodes {
		if _, err := e.Subscribe("kitchen", func(m chat.Msg) { mu.Lock(); got[i] = append(got[i], m); mu.Unlock() }); err != nil {
			t.Fatal(err)
		}
	}
	const writers = 10
	stop := make(chan struct{})
	acked := make([][]uint64, writers)
	longest := make([]time.Duration, writers)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			tick := time.NewTicker(writers * time.Second / 500)
			defer tick.Stop()
			for n := 0; ; n++ {
				begin := time.Now()
				m, err := nodes[w%2].Append(t.Context(), "kitchen", fmt.Sprintf("w%d-%d", w, n), nil)
				if err != nil {
					t.Errorf("Append: %v", err)
					return
				}
				acked[w] = append(acked[w], m.Seq)
				longest[w] = max(longest[w], time.Since(begin))
				select {
				case <-stop:
					return
				case <-tick.C:
				}
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(got[0]) }
	await := func(more int) {
		for from, begin := count(), time.Now(); count() < from+more; time.Sleep(10 * time.Millisecond) {
			if time.Since(begin) > patience {
				t.Fatalf("nothing goes on: %d messages", count())
			}
		}
	}
	for range *leaderKills {
		await(100)
		n := c.leader(t, prefix+"_room0")
		n.kill()
		await(100)
		if err := n.start(); err != nil {
			t.Fatal(err)
		}
		if err := c.await(); err != nil {
			t.Fatal(err)
		}
	}
	for range *leaderStops {
		await(100)
		n := c.leader(t, prefix+"_room0")
		if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		await(100)
		if err := n.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	await(100)
	close(stop)
	writing.Wait()
	end, err := nodes[0].Append(t.Context(), "kitchen", "end-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	stall := time.Duration(0)
	for _, d := range longest {
		stall = max(stall, d)
	}
	log := readAll(t, nodes[1])
	t.Logf("%d messages; the longest Append took %v", len(log), stall)
	at := map[string]uint64{}
	next := make([]int, writers)
	for _, m := range log[:len(log)-1] {
		var w, n int
		if _, err := fmt.Sscanf(m.ID, "w%d-%d", &w, &n); err != nil || n != next[w] {
			t.Fatalf("log has %s, where message %d of that writer belongs", m.ID, next[w])
		}
		next[w]++
		at[m.ID] = m.Seq
	}
	for w := range acked {
		for n, seq := range acked[w] {
			if id := fmt.Sprintf("w%d-%d", w, n); at[id] != seq {
				t.Fatalf("%s was acknowledged as %d, it is at %d", id, seq, at[id])
			}
		}
	}
	for i := range nodes {
		for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			mu.Lock()
			msgs := got[i]
			mu.Unlock()
			if len(msgs) > 0 && msgs[len(msgs)-1].Seq >= end.Seq {
				break
			}
			if time.Since(begin) > patience {
				t.Fatalf("node %d was not told of the last message", i)
			}
		}
		if len(got[i]) != len(log) {
			t.Errorf("node %d was told of %d messages, the log has %d", i, len(got[i]), len(log))
		}
		for k := range min(len(got[i]), len(log)) {
			if got[i][k].Seq != log[k].Seq || got[i][k].ID != log[k].ID {
				t.Fatalf("node %d was told of %s at %d, the log has %s at %d", i, got[i][k].ID, got[i][k].Seq, log[k].ID, log[k].Seq)
			}
		}
	}
}
