package crash

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"udpchat/client"
)

// backWithin is how long after a server is started again everybody must be served: from the moment the process is started,
// which reads its store first, until the last of all clients, half of them over UDP, has been told that something it said
// is stored. 'make crash' fails beyond it; other runs only say so, since they share the machine with all other tests.
const backWithin = 2 * time.Second

// A journey is how one client came back to a server that was killed, by what the client has shown to its program.
type journey struct {
	lost   time.Time // The connection: Offline.
	tried  time.Time // When the last attempt began; zero: at lost, at once.
	online time.Time // Logged in.
	stored time.Time // The first message acknowledged over that connection.
}

// note takes an event of the client. Guarded by the person's mu.
func (j *journey) note(now time.Time, ev client.Event) {
	switch ev := ev.(type) {
	case client.Offline:
		*j = journey{lost: now}
	case client.Retry:
		j.tried = now.Add(ev.In)
	case client.Online:
		j.online = now
	case client.Outgoing:
		if ev.Status.State == client.Stored && !j.online.IsZero() && j.stored.IsZero() {
			j.stored = now
		}
	}
}

// A comeback is what the way of one client back to a server was spent on, in order. What happened while the server did
// not run, and would have had to wait for it in any case, counts as its start.
type comeback struct {
	start   time.Duration // From the start of the process until it listens.
	notice  time.Duration // Until the client knows that its connection is gone.
	pause   time.Duration // Until it tries again.
	connect time.Duration // Until it is connected and logged in.
	ack     time.Duration // Until it is told that the first message is stored.
}

// from says where the time since the start of the server went that listened at that time.
func (j journey) from(start, listening time.Time) comeback {
	c := comeback{start: listening.Sub(start)}
	at := listening
	spend := func(until time.Time) (d time.Duration) {
		if until.After(at) {
			d, at = until.Sub(at), until
		}
		return d
	}
	c.notice = spend(j.lost)
	c.pause = spend(j.tried)
	c.connect = spend(j.online)
	c.ack = spend(j.stored)
	return c
}

func byTotal(a, b comeback) int { return int(a.total() - b.total()) }

func (c comeback) total() time.Duration { return c.start + c.notice + c.pause + c.connect + c.ack }

// A table collects comebacks of many restarts.
type table struct {
	tb    testing.TB
	kills int
	first []comeback            // Of the first client after each restart.
	last  []comeback            // Of the last.
	all   map[string][]comeback // Of every client, by its transport.
}

// add waits until everybody who lost the server that was killed has something stored again, and notes what that took.
func (t *table) add(people []*person, killed, start, listening time.Time) {
	t.tb.Helper()
	if t.all == nil {
		t.all = make(map[string][]comeback)
	}
	var round []comeback
	for _, p := range people {
		await(t.tb, p.name+" to have something stored again", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			// On a busy machine somebody may have been looking for the server when it was killed.
			return (p.way.lost.After(killed) || p.way.online.After(killed)) && !p.way.stored.IsZero()
		})
		p.mu.Lock()
		c := p.way.from(start, listening)
		p.mu.Unlock()
		round = append(round, c)
		t.all[p.transport] = append(t.all[p.transport], c)
	}
	t.kills++
	t.first = append(t.first, slices.MinFunc(round, byTotal))
	t.last = append(t.last, slices.MaxFunc(round, byTotal))
}

// report judges the longest, and returns a line for the first and the last of each restart, and for the clients of each transport: median, 90th
// percentile and longest of the whole and of each part.
func (t *table) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d restarts; from the start of the process, ms: median/90th percentile/longest of the whole = start + notice + pause + connect + acknowledgement\n", t.kills)
	line := func(name string, all []comeback) {
		fmt.Fprintf(&b, "  %-20s %s", name, spread(all, comeback.total))
		for i, part := range []func(comeback) time.Duration{
			func(c comeback) time.Duration { return c.start }, func(c comeback) time.Duration { return c.notice },
			func(c comeback) time.Duration { return c.pause }, func(c comeback) time.Duration { return c.connect },
			func(c comeback) time.Duration { return c.ack },
		} {
			fmt.Fprintf(&b, " %s %s", []string{"=", "+", "+", "+", "+"}[i], spread(all, part))
		}
		b.WriteByte('\n')
	}
	longest := slices.MaxFunc(t.last, byTotal).total()
	if longest > backWithin && *long {
		t.tb.Errorf("the last client was served %v after a start, want within %v", longest, backWithin)
	}
	fmt.Fprintf(&b, "  serving everybody again within %v: %v (%v at the longest)\n", backWithin, longest <= backWithin, longest.Round(time.Millisecond))
	line("the first client", t.first)
	line("the last of all", t.last)
	for _, transport := range []string{client.UDP, client.TCP} {
		line("each over "+transport, t.all[transport])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// spread is median, 90th percentile and longest of one part, in ms.
func spread(all []comeback, part func(comeback) time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	ds := make([]time.Duration, len(all))
	for i, c := range all {
		ds[i] = part(c)
	}
	slices.Sort(ds)
	return fmt.Sprintf("%d/%d/%d", ds[len(ds)/2].Milliseconds(), ds[len(ds)*9/10].Milliseconds(), ds[len(ds)-1].Milliseconds())
}
