package labtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// brokenServers are faults by name and the rules that must catch them: all that fail or are not strict, no more and no
// less. Most faults are named by one rule; where two rules are about the same thing both do.
var brokenServers = []struct {
	fault string
	rules string
}{
	{"says a fixed HELO", "helo.echo"},
	{"says 0.0.0.0", "helo.ip"},
	{"says the client's port", "helo.port"},
	{"has no student", "helo.student-id"},
	{"says StudentID first", "helo.fields"},
	{"answers character by character", "helo.one-piece"},
	{"ends the connection for an unknown line", "unknown.survives"},
	{"wrong order of fields", "join.reply.fields"},
	{"blank line after JOINED", "join.reply.end"},
	{"gives its IPv4 address as IPv6", "join.reply.address"},
	{"shouts the room's name", "join.reply.room"},
	{"has words for numbers", "join.reply.ids"},
	{"tells the room before it answers", "join.first"},
	{"does not tell the joiner", "join.notice"},
	{"tells only the joiner", "clients.join-notice"},
	{"tells everybody who joins", "clients.elsewhere"},
	{"does not say who joins", "join.notice clients.join-notice"},
	{"forgets empty rooms", "join.same-ref"},
	{"changes JOIN_ID", "join.again errors.join-id"},
	{"answers with CRLF", "reply.newline"},
	{"writes no space", "reply.space"},
	{"serves one at a time", "clients.simultaneous"},
	{"leaves out the sender", "chat.sender-receives"},
	{"answers only the sender", "chat.members-receive"},
	{"forwards JOIN_ID", "chat.fields"},
	{"names the room in CHAT", "chat.ref rooms.talk"},
	{"calls everybody client", "chat.name"},
	{"squeezes blanks", "chat.text"},
	{"knows only ASCII", "chat.utf8"},
	{"ends texts at a newline", "chat.lines"},
	{"ends CHAT with one newline", "chat.end"},
	{"sends everything twice", "chat.once concurrency.interleaved"},
	{"tells those in no room", "chat.non-members"},
	{"loses one of 50", "chat.all"},
	{"answers LEAVE once", "leave.repeat"},
	{"blank line after LEFT", "leave.reply.end"},
	{"answers LEAVE with another JOIN_ID", "leave.reply.fields"},
	{"ends the connection at LEAVE", "leave.connection-stays leave.rejoin leave.repeat rooms.leave-one"},
	{"sends the leaver its notice", "leave.silent"},
	{"forgets leave notices", "leave.notice-others disconnect.notices-others"},
	{"keeps those who left", "leave.no-more"},
	{"has one JOIN_ID for all", "clients.ids errors.join-id"},
	{"closes silently on DISCONNECT", "disconnect.notices-others"},
	{"does not close on DISCONNECT", "disconnect.closes"},
	{"sends no errors", "errors.unknown-room errors.not-member errors.join-id errors.malformed"},
	{"does not know CRLF", "robust.crlf"},
	{"takes one message of a segment", "robust.two-joins robust.two-chats"},
	{"drops a split message", "robust.split-join robust.split-chat robust.bytewise robust.no-newline"},
	{"says nothing of broken connections", "robust.abrupt-notice"},
	{"gives up at a broken member", "robust.abrupt robust.abrupt-notice"},
	{"crashes on bytes that are no text", "robust.garbage"},
	{"dies of protocol words", "robust.keys"},
	{"keeps running after KILL_SERVICE", "kill.stops kill.closes"},
	{"keeps connections after KILL_SERVICE", "kill.closes"},
}

// quick is a configuration for servers on this machine, whose answers do not take long.
func quick(server, profile string) Config {
	return Config{Server: server, Profile: profile, quietFor: 60 * time.Millisecond, cutStep: 9}
}

// asksMax is how often a rule is asked again whose verdict was not the expected one.
const asksMax = 2

// busyTimeout is how long an answer may take on a machine that does many other things, where few are missing.
const busyTimeout = 10 * time.Second

// patient is a configuration for asking again: that of quick, for such a machine.
func patient(cfg Config) Config {
	cfg.Timeout, cfg.quietFor = busyTimeout, time.Second
	return cfg
}

// caught returns the rules that failed or were not strict.
func caught(r *Report) []string {
	var ids []string
	for _, result := range r.Results {
		if result.Verdict == Fail || result.Verdict == NonStrict {
			ids = append(ids, result.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// caughtAgain returns the rules that failed, but for those that were not expected and pass when they are asked again: the
// machine may have been busy. They are asked of a server like the one of cfg, which is gone by then.
func caughtAgain(t *testing.T, cfg Config, r *Report, server func() string, expected ...string) []string {
	t.Helper()
	got := caught(r)
	cfg = patient(cfg)
	for range asksMax {
		cfg.Only = slices.DeleteFunc(slices.Clone(got), func(id string) bool { return slices.Contains(expected, id) })
		if len(cfg.Only) == 0 {
			break
		}
		logFindings(t, "again", r, cfg.Only)
		cfg.Server = server()
		var err error
		if r, err = Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		again := caught(r)
		got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(cfg.Only, id) && !slices.Contains(again, id) })
	}
	return got
}

// logFindings logs what was found of some rules.
func logFindings(t *testing.T, why string, r *Report, ids []string) {
	t.Helper()
	for _, id := range ids {
		for _, result := range r.Results {
			if result.ID == id {
				t.Logf("%s: %s, %s %s: %+v", why, id, result.Verdict, result.Note, result.Finding)
			}
		}
	}
}

// atOnce runs f for all items, some at a time: most of a run is waiting.
func atOnce[T any](items []T, f func(T)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, 32)
	for _, item := range items {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			f(item)
		})
	}
	wg.Wait()
}

// Every fault is caught by the rules that name it and by no other; and a server without faults passes all. Most of the
// runs are made at once, on machines that may be busy with other things. A verdict that was not expected is asked for
// again, with more patience: it counts if it stays the same.
func TestEveryFaultIsCaughtByTheRuleThatNamesIt(t *testing.T) {
	t.Parallel()
	cases := append(brokenServers, struct{ fault, rules string }{"", ""})
	var mu sync.Mutex
	doubtful := make(map[string][]string) // The rules that surprised, by fault.
	play := func(fault, rules string, only []string) (surprises []string, report *Report) {
		cfg := quick(newLabServer(t, true, fault).addr(), AsSpecified)
		if cfg.Only = only; len(only) > 0 {
			cfg = patient(cfg)
		}
		report, err := Run(context.Background(), cfg)
		if err != nil {
			return []string{err.Error()}, nil
		}
		got, want := caught(report), strings.Fields(rules)
		for _, id := range slices.Concat(got, want) {
			if slices.Contains(got, id) != slices.Contains(want, id) && (len(only) == 0 || slices.Contains(only, id)) {
				surprises = append(surprises, id)
			}
		}
		return surprises, report
	}
	atOnce(cases, func(tt struct{ fault, rules string }) {
		if surprises, _ := play(tt.fault, tt.rules, nil); len(surprises) > 0 {
			mu.Lock()
			defer mu.Unlock()
			doubtful[tt.fault] = surprises
		}
	})
	for _, tt := range cases {
		if len(doubtful[tt.fault]) == 0 {
			continue
		}
		surprises := doubtful[tt.fault]
		var report *Report
		for range asksMax {
			t.Logf("again: %q, %v", tt.fault, surprises)
			// If nobody answered the last time, all of them.
			only := slices.DeleteFunc(slices.Clone(surprises), func(id string) bool { return checkName(id) != nil })
			if surprises, report = play(tt.fault, tt.rules, only); len(surprises) == 0 {
				break
			}
		}
		if len(surprises) == 0 {
			continue
		}
		t.Errorf("%q: %v: not as expected; want it to be caught by %q", tt.fault, surprises, tt.rules)
		if report == nil {
			continue
		}
		var b strings.Builder
		report.WriteFailures(&b)
		t.Log(b.String())
	}
}
