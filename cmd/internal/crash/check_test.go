package crash

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"udpchat/client"
)

// A tally is what a check has found.
type tally struct{ said, lost, twice, disordered int }

func (t tally) String() string {
	return fmt.Sprintf("%d messages: %d lost, %d twice, %d out of order", t.said, t.lost, t.twice, t.disordered)
}

// check waits until everything said is stored and has arrived everywhere, and compares what everybody knows with the
// logs, as reader is given them. It fails the test for whatever is not as it must be.
func check(tb testing.TB, reader *person, people []*person) tally {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	for _, p := range people {
		if err := p.Flush(ctx); err != nil {
			tb.Fatalf("%s: %v", p.name, err)
		}
	}
	var t tally
	for _, room := range rooms {
		arrived(tb, room, people)
		log := readLog(ctx, tb, reader, room)
		ids, next := make(map[string]seen), make(map[string]int)
		for _, s := range log {
			if _, ok := ids[s.id]; ok {
				t.twice++
				tb.Errorf("%s: %s is there twice", room, s.id)
			}
			ids[s.id] = s
		}
		for _, p := range people {
			t.mine(tb, room, p, ids)
			t.given(tb, room, p, log)
		}
		for _, s := range log {
			var n int
			var name string
			if _, err := fmt.Sscanf(s.text, "%s says %d", &name, &n); err != nil || name != s.account {
				tb.Errorf("%s: %d by %s: nobody said %q", room, s.seq, s.account, s.text)
			}
			switch last := next[name] - 1; {
			case n == last:
				t.twice++
				tb.Errorf("%s: %q is there twice, now as %s", room, s.text, s.id)
			case n < last:
				t.disordered++
				tb.Errorf("%s: %s said %d after %d", room, name, n, last)
			}
			next[name] = n + 1
		}
	}
	for _, p := range people {
		p.mu.Lock()
		for _, odd := range p.odd {
			tb.Errorf("%s: %s", p.name, odd)
		}
		p.mu.Unlock()
	}
	return t
}

// mine compares what p said in a room with its log.
func (t *tally) mine(tb testing.TB, room string, p *person, ids map[string]seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.said {
		if m.Log != room {
			continue
		}
		t.said++
		switch is, ok := ids[m.ID()]; {
		case m.Status().State != client.Stored:
			t.lost++
			tb.Errorf("%s: %s is %v: %v", room, m.ID(), m.Status().State, m.Status().Err)
		case !ok:
			t.lost++
			tb.Errorf("%s: %s was stored as %d and is not there", room, m.ID(), m.Status().Seq)
		case is.seq != m.Status().Seq || is.text != m.Text:
			tb.Errorf("%s: %s is %d %q, was stored as %d %q", room, m.ID(), is.seq, is.text, m.Status().Seq, m.Text)
		}
	}
}

// arrived waits until everybody was given everything in a room that anybody was told is stored.
func arrived(tb testing.TB, room string, people []*person) {
	tb.Helper()
	var last uint64
	for _, p := range people {
		p.mu.Lock()
		for _, m := range p.said {
			if m.Log == room {
				last = max(last, m.Status().Seq)
			}
		}
		p.mu.Unlock()
	}
	var longest time.Duration
	for _, p := range people {
		took := await(tb, fmt.Sprintf("%s to see %d in %s", p.name, last, room), func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			got := p.seen[room]
			return len(got) > 0 && got[len(got)-1].seq >= last
		})
		longest = max(longest, took)
	}
	if longest > time.Second {
		tb.Logf("%s: the last message came %v after it was known to be stored", room, longest.Round(time.Millisecond))
	}
}

// given compares what p was given with the log: everything since it came, once, in order.
func (t *tally) given(tb testing.TB, room string, p *person, log []seen) {
	if len(log) == 0 {
		tb.Errorf("%s: nobody said anything", room)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.seen[room]
	for len(log) > 0 && log[0].seq < got[0].seq {
		log = log[1:]
	}
	for i, s := range got {
		if i >= len(log) || s != log[i] {
			t.disordered++
			tb.Errorf("%s: %s was given %+v in place %d", room, p.name, s, i)
			return
		}
	}
	if len(got) != len(log) {
		t.lost++
		tb.Errorf("%s: %s was given %d messages of %d", room, p.name, len(got), len(log))
	}
}

// readLog returns the messages of a room, read from the last to the first.
func readLog(ctx context.Context, tb testing.TB, reader *person, room string) (log []seen) {
	tb.Helper()
	for page := (client.Page{N: 200}); ; {
		events, more, err := reader.History(ctx, room, page)
		if err != nil {
			tb.Fatalf("history of %s: %v", room, err)
		}
		for _, ev := range slices.Backward(events) {
			switch ev := ev.(type) {
			case client.Said:
				log, page.Before = append(log, seen{ev.Seq, ev.ID(), ev.Text, ev.Account}), ev.Seq
			case client.Joined:
				page.Before = ev.Seq
			}
		}
		if !more || len(events) == 0 {
			slices.Reverse(log)
			return log
		}
	}
}
