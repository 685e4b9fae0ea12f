package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"udpchat/reliable/netem"
)

// A Link is both directions by name.
type Link struct {
	Name     string
	Text     string
	Up, Down netem.Params
}

// SharedName is the link that is made for two.
const SharedName = "shared"

// ownLinks are links that netem has no profile for.
func ownLinks() []Link {
	const mbit = 1_000_000
	still := netem.Params{Delay: 50 * time.Millisecond}
	// The lossy profiles without the loss, to compare with.
	links := []Link{{Name: "lossy-0", Text: "50 ms, nothing lost", Up: still, Down: still}}
	// A line for files: what is lost is not lost by its queue.
	for _, percent := range []int{0, 1, 5, 10} {
		p := netem.Params{Delay: 50 * time.Millisecond, Loss: float64(percent) / 100, Rate: 20 * mbit, Queue: 100 * time.Millisecond}
		links = append(links, Link{
			Name: fmt.Sprintf("bulk-%d", percent), Text: fmt.Sprintf("50 ms, 20 Mbit/s, queue 100 ms, %d %% loss", percent), Up: p, Down: p,
		})
	}
	// A line that a file fills, and a queue that it makes long: what chat feels of it.
	up := netem.Params{Delay: 50 * time.Millisecond, Rate: 1 * mbit, Queue: time.Second}
	down := netem.Params{Delay: 50 * time.Millisecond, Rate: 20 * mbit, Queue: 100 * time.Millisecond}
	links = append(links, Link{Name: "upload", Text: "50 ms, 1 Mbit/s up with a queue of 1 s, 20 Mbit/s down", Up: up, Down: down})
	// A line for two to share.
	line := netem.Params{Delay: 50 * time.Millisecond, Rate: 10 * mbit, Queue: 100 * time.Millisecond}
	return append(links, Link{Name: SharedName, Text: "10 Mbit/s, 50 ms, a queue of 100 ms, nothing else lost", Up: line, Down: line})
}

// LinkNamed returns the named profile of netem as a link, or one of our own. The error lists the names.
func LinkNamed(name string) (Link, error) {
	var names []string
	for _, l := range ownLinks() {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	p, err := netem.ProfileNamed(name)
	if err != nil {
		return Link{}, fmt.Errorf("%w, %s", err, strings.Join(names, ", "))
	}
	return Link{Name: p.Name, Text: p.Text, Up: p.Up, Down: p.Down}, nil
}

// Profile returns the link as netem has it.
func (l Link) Profile() netem.Profile {
	return netem.Profile{Name: l.Name, Text: l.Text, Up: l.Up, Down: l.Down}
}

// checked returns the link for sockets without a kernel between them: what the link corrupts or cuts off is lost there,
// as the UDP checksum would have it.
func (l Link) checked() Link {
	for _, p := range []*netem.Params{&l.Up, &l.Down} {
		p.Loss = 1 - (1-p.Loss)*(1-p.Corrupt)*(1-p.Truncate)
		p.Corrupt, p.Truncate = 0, 0
	}
	return l
}

// Shape is a link as the command line has it, one direction. Empty fields are as the other direction's, or as a perfect
// link has them.
type Shape struct {
	Delay, Loss, Burst, Rate, Queue, Jitter, Reorder, Duplicate, Corrupt string
}

// Empty reports whether nothing is set.
func (s Shape) Empty() bool { return s == Shape{} }

// Over returns s with what it leaves empty taken from base.
func (s Shape) Over(base Shape) Shape {
	fields := func(s *Shape) []*string {
		return []*string{&s.Delay, &s.Loss, &s.Burst, &s.Rate, &s.Queue, &s.Jitter, &s.Reorder, &s.Duplicate, &s.Corrupt}
	}
	of := fields(&base)
	for i, f := range fields(&s) {
		if *f == "" {
			*f = *of[i]
		}
	}
	return s
}

// Text is the shape in words.
func (s Shape) Text() string {
	var parts []string
	for _, f := range []struct{ name, value string }{
		{"delay", s.Delay}, {"jitter", s.Jitter}, {"loss", s.Loss}, {"in bursts of", s.Burst}, {"rate", s.Rate}, {"queue", s.Queue},
		{"reorder", s.Reorder}, {"dup", s.Duplicate}, {"corrupt", s.Corrupt},
	} {
		if f.value != "" {
			parts = append(parts, f.name+" "+f.value)
		}
	}
	return strings.Join(parts, " ")
}

// reorderBy is how late a reordered packet is on a link by hand.
const reorderBy = 20 * time.Millisecond

// Params returns the shape as netem has it. The error names the flag.
func (s Shape) Params() (netem.Params, error) {
	var p netem.Params
	var mean time.Duration
	var problem error
	times := func(flag, text string, to *time.Duration) {
		if text == "" || problem != nil {
			return
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > time.Hour {
			problem = fmt.Errorf("--%s %s: want a time like 50ms, up to 1h", flag, text)
		}
		*to = d
	}
	shares := func(flag, text string, to *float64) {
		if text == "" || problem != nil {
			return
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
		if !strings.HasSuffix(text, "%") {
			f *= 100
		}
		if err != nil || !(f >= 0 && f <= 100) {
			problem = fmt.Errorf("--%s %s: want a share from 0%% to 100%%, like 10%% or 0.1", flag, text)
		}
		*to = f / 100
	}
	times("delay", s.Delay, &p.Delay)
	times("jitter", s.Jitter, &p.Jitter)
	times("queue", s.Queue, &p.Queue)
	times("burst", s.Burst, &mean)
	shares("loss", s.Loss, &p.Loss)
	shares("reorder", s.Reorder, &p.Reorder)
	shares("dup", s.Duplicate, &p.Duplicate)
	shares("corrupt", s.Corrupt, &p.Corrupt)
	if problem == nil && s.Rate != "" {
		p.Rate, problem = ParseRate(s.Rate)
	}
	if problem != nil {
		return p, problem
	}
	if s.Burst != "" {
		if s.Loss == "" {
			return p, errors.New("--burst says how long bursts of loss last: it wants --loss too")
		}
		p.Burst, p.Loss = netem.Burst{Share: p.Loss, Mean: mean}, 0
	}
	if p.Reorder > 0 {
		p.ReorderBy = reorderBy
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	return p, nil
}

// ParseRate reads a rate like 1mbit, 256kbit or 9600 (bits per second).
func ParseRate(text string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	factor := 1.0
	for _, unit := range []struct {
		suffix string
		factor float64
	}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}} {
		if rest, ok := strings.CutSuffix(lower, unit.suffix); ok {
			lower, factor = strings.TrimSpace(rest), unit.factor
			break
		}
	}
	f, err := strconv.ParseFloat(lower, 64)
	if err != nil || !(f*factor >= 1000 && f*factor <= 1e12) {
		return 0, fmt.Errorf("--rate %s: want bits per second from 1kbit up, like 1mbit", text)
	}
	return int64(f * factor), nil
}
