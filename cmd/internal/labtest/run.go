package labtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Result is one rule and what became of it.
type Result struct {
	Rule
	Outcome
	Command    string  `json:"command,omitempty"` // Plays only this rule again; for those that were not passed.
	Transcript []Entry `json:"transcript,omitempty"`
}

// A run is what one test of one server knows while it goes on. It belongs to one goroutine at a time.
type run struct {
	cfg     Config
	net     *network
	tag     string    // In all names, different in every run.
	began   time.Time //
	endBy   time.Time // When the run is over.
	waits   int       // Timeouts spent.
	report  *Report
	results map[string]Result

	kept        *client // client1 of the scenario, if that broke off at its DISCONNECT; nil: it did not.
	heloMissing bool    // HELO has not been answered, so it cannot tell whether the server lives.
	suspect     bool    // The server may not live any more: look before the next act.
	lastSent    string  // The last message of the last act that sent something,
	lastAct     act     // and that act.
	lost        string  // Why nothing is played any more; empty: all is well.
}

// Run plays the rules against the server. The error says why it could not be tested: *UnreachableError if nobody
// answered. A server that fails every rule is no error. If ctx ends, the report has what was found so far, and err is
// that of ctx.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Profile == All || cfg.Transport == All {
		return nil, fmt.Errorf("labtest: %q is for lists: a run has one profile and one transport", All)
	}
	network, err := openNetwork(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer network.close()
	now := time.Now()
	r := &run{
		cfg: cfg, net: network, tag: tag(), began: now, endBy: now.Add(runMax), results: make(map[string]Result),
		report: &Report{
			Server: cfg.Server, Transport: cfg.Transport, Profile: cfg.Profile, Dialect: cfg.Dialect, Only: cfg.Only, Skip: cfg.Skip,
			LossPercent: cfg.LossPercent, Began: now,
		},
	}
	if err := r.greet(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if r.kept != nil {
			r.kept.shut()
		}
	}()
	for i, a := range catalogue() {
		if a.rules = slices.DeleteFunc(slices.Clone(a.rules), func(rule Rule) bool { return !cfg.wants(rule) }); len(a.rules) > 0 {
			r.playOrSkip(ctx, a, i)
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.report.DurationMS = milliseconds(time.Since(now))
	r.report.Grade = grade(r.report.Results)
	return r.report, ctx.Err()
}

// tag is three letters and digits that make names of this run different from those of others.
func tag() string {
	const letters = "bcdfghjkmnpqrstvwxz23456789"
	b := make([]byte, 4)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return string(b)
}

// greet looks whether anybody is there. Over TCP and reliable UDP the first rule would notice; but a server that cannot
// be reached at all has no grade.
func (r *run) greet(ctx context.Context) error {
	p := r.player(ctx, act{rules: []Rule{{ID: "first contact"}}}, 0)
	var answered bool
	var dialErr error
	p.perform(func(p *player) {
		var c *client
		if c, dialErr = p.tryConnect("first", r.net.server); dialErr != nil {
			return
		}
		if r.net.transport != Plain {
			answered = true
			return
		}
		if c.helo(p.unique("first")) != nil {
			answered = true
			return
		}
		_, answered = p.tryJoin(c, p.room("first"))
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case dialErr != nil:
		return &UnreachableError{Server: r.cfg.Server, Transport: r.cfg.Transport, Err: dialErr}
	case !answered:
		return &UnreachableError{Server: r.cfg.Server, Transport: r.cfg.Transport, Err: errors.New("neither HELO nor JOIN_CHATROOM was answered")}
	}
	return nil
}

// player makes a player for an act.
func (r *run) player(ctx context.Context, a act, number int) *player {
	return &player{
		ctx: ctx, cfg: r.cfg, net: r.net, run: r, act: a, number: number,
		transcript: &transcript{began: r.began}, outcomes: make(map[string]*Outcome),
		endBy: time.Now().Add(max(30*time.Second, actMax*r.cfg.Timeout)),
	}
}

// perform runs play on a goroutine of its own, which the player's methods may end, waits for it, and closes all sockets.
func (p *player) perform(play func(*player)) {
	done := make(chan struct{})
	// Owns the player until it ends, by itself or by stop; every wait in it has a limit.
	go func() {
		defer close(done)
		play(p)
		p.over = true
	}()
	<-done
	p.hangUp()
}

// playOrSkip plays an act, or says why not.
func (r *run) playOrSkip(ctx context.Context, a act, number int) {
	switch why, excused := r.obstacle(a); {
	case r.lost != "":
		for _, rule := range a.rules {
			r.add(Result{Rule: rule, Outcome: Outcome{Verdict: Skipped, Note: r.lost, Excused: r.excuses(rule)}})
		}
		return
	case time.Now().After(r.endBy):
		r.skip(a, "the run took longer than it may", false)
		return
	case why != "":
		r.skip(a, why, excused)
		return
	}
	begun := time.Now()
	p := r.player(ctx, a, number+1)
	if r.suspect && !r.recovered(p) {
		r.playOrSkip(ctx, a, number) // To say so.
		return
	}
	p.perform(a.play)
	if p.gone && p.transcript.last() == "" && a.risk < deadly {
		// It was gone before this rule said anything. Perhaps somebody starts it again.
		if !r.recovered(p) {
			r.playOrSkip(ctx, a, number)
			return
		}
		p = r.player(ctx, a, number+1)
		p.perform(a.play)
	}
	duration := milliseconds(time.Since(begun))
	failed := false
	for _, rule := range a.rules {
		o := p.outcomes[rule.ID]
		if o == nil {
			o = &Outcome{Verdict: Pass}
			if !p.over {
				o = &Outcome{Verdict: Skipped, Note: "the rule before it could not be played to its end"}
			}
		}
		o.Duration = duration
		failed = failed || o.Verdict == Fail
		entries := p.transcript.all()
		if o.entries > 0 {
			entries = entries[:min(o.entries, len(entries))]
		}
		r.add(Result{Rule: rule, Outcome: *o, Transcript: entries})
	}
	if last := p.transcript.last(); last != "" {
		r.lastSent, r.lastAct = last, a
	}
	r.suspect = r.suspect || p.gone || failed && a.risk > harmless && a.risk < deadly // It may be dying just now.
}

// obstacle says which rule has to be passed first and was not.
func (r *run) obstacle(a act) (why string, excused bool) {
	for _, rule := range a.rules {
		for _, need := range rule.needs {
			if n, played := r.results[need]; played && (n.Verdict == Fail || n.Verdict == Skipped && !n.Excused) {
				return fmt.Sprintf("it needs %s, which was not passed", need), false
			}
		}
		if strings.HasPrefix(rule.ID, "udp.loss") && r.cfg.LossPercent == 0 {
			return "--loss is 0", true
		}
	}
	return "", false
}

// excuses reports whether a rule that is skipped because the server is lost costs nothing: what was lost by trying how
// much it bears must not spoil other groups.
func (r *run) excuses(rule Rule) bool {
	died := r.report.Died
	return died != nil && died.risk > harmless && died.group != rule.Group
}

// recovered waits a moment for a server that seems to be gone, and reports whether it answers again. If not, nothing
// more is played.
func (r *run) recovered(p *player) bool {
	q := r.player(p.ctx, p.act, p.number)
	ok := false
	q.perform(func(q *player) {
		for end := time.Now().Add(restartWait); ; q.sleep(restartWait / 10) {
			q.gone = false
			if ok = q.probe(); ok || time.Now().After(end) {
				return
			}
		}
	})
	r.suspect = false
	if ok {
		return true
	}
	how := "it accepts connections but does not answer"
	if q.gone {
		how = "nobody listens at its address any more"
	}
	r.report.Died = &Death{How: how, Message: r.lastSent}
	if len(r.lastAct.rules) > 0 {
		first := r.lastAct.rules[0]
		r.report.Died.Rule, r.report.Died.group, r.report.Died.risk = first.ID, first.Group, r.lastAct.risk
	}
	r.lost = fmt.Sprintf("the server ended in %s: %s", r.report.Died.Rule, how)
	return false
}

// skip notes that an act was not played.
func (r *run) skip(a act, why string, excused bool) {
	for _, rule := range a.rules {
		r.add(Result{Rule: rule, Outcome: Outcome{Verdict: Skipped, Note: why, Excused: excused}})
	}
}

func (r *run) add(result Result) {
	if result.Verdict != Pass {
		result.Command = r.report.Command(result.ID)
	}
	r.results[result.ID] = result
	r.report.Results = append(r.report.Results, result)
	if result.ID == ruleHelo && result.Verdict != Pass {
		r.heloMissing = true
	}
	if r.cfg.Progress != nil {
		r.cfg.Progress(result)
	}
}
