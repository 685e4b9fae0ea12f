package compare

import (
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

// fields are the flags of a shape, in the order of its text, without the -- and what stands before them for one direction.
func (s *Shape) fields() []shapeField {
	return []shapeField{
		{"delay", "delay", &s.Delay}, {"jitter", "jitter", &s.Jitter}, {"loss", "loss", &s.Loss}, {"burst", "in bursts of", &s.Burst},
		{"rate", "rate", &s.Rate}, {"queue", "queue", &s.Queue}, {"reorder", "reorder", &s.Reorder}, {"dup", "dup", &s.Duplicate},
		{"corrupt", "corrupt", &s.Corrupt},
	}
}

type shapeField struct {
	flag, words string
	value       *string
}

// Over returns s with what it leaves empty taken from base.
func (s Shape) Over(base Shape) Shape {
	of := base.fields()
	for i, f := range s.fields() {
		if *f.value == "" {
			*f.value = *of[i].value
		}
	}
	return s
}

// Text is the shape in words.
func (s Shape) Text() string {
	var parts []string
	for _, f := range s.fields() {
		if *f.value != "" {
			parts = append(parts, f.words+" "+*f.value)
		}
	}
	return strings.Join(parts, " ")
}

// reorderBy is how late a reordered packet is on a link by hand.
const reorderBy = 20 * time.Millisecond

// Params returns what s and base describe as netem has it; s is for one direction, whose flags begin with prefix, and base for
// both. The error names the flag.
func (s Shape) Params(prefix string, base Shape) (netem.Params, error) {
	flags := map[string]string{}
	for _, f := range s.fields() {
		flags[f.flag] = "--" + f.flag
		if *f.value != "" {
			flags[f.flag] = "--" + prefix + f.flag
		}
	}
	s = s.Over(base)
	var p netem.Params
	var problem error
	times := func(flag, text string, to *time.Duration) {
		if text == "" || problem != nil {
			return
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > time.Hour {
			problem = fmt.Errorf("%s %s: want a time like 50ms, up to 1h", flags[flag], text)
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
			problem = fmt.Errorf("%s %s: want a share from 0%% to 100%%, like 10%% or 0.1", flags[flag], text)
		}
		*to = f / 100
	}
	times("delay", s.Delay, &p.Delay)
	times("jitter", s.Jitter, &p.Jitter)
	times("queue", s.Queue, &p.Queue)
	times("burst", s.Burst, &p.Burst.Mean)
	shares("loss", s.Loss, &p.Loss)
	shares("reorder", s.Reorder, &p.Reorder)
	shares("dup", s.Duplicate, &p.Duplicate)
	shares("corrupt", s.Corrupt, &p.Corrupt)
	if problem == nil && s.Rate != "" {
		p.Rate, problem = ParseRate(flags["rate"], s.Rate)
	}
	if problem != nil {
		return p, problem
	}
	switch {
	case s.Burst != "" && s.Loss == "":
		return p, fmt.Errorf("%s says how long bursts of loss last: it wants --loss too", flags["burst"])
	case s.Burst != "" && p.Loss == 1:
		return p, fmt.Errorf("%s %s: a burst that loses everything never ends; want %s below 100%%", flags["burst"], s.Burst, flags["loss"])
	case s.Burst != "" && p.Burst.Mean < netem.BurstMeanMin:
		return p, fmt.Errorf("%s %s: want a time of at least %v", flags["burst"], s.Burst, netem.BurstMeanMin)
	case s.Queue != "" && s.Rate == "":
		return p, fmt.Errorf("%s says how long the bottleneck's queue is: it wants --rate too", flags["queue"])
	case s.Queue != "" && p.Queue == 0:
		return p, fmt.Errorf("%s %s: want more than 0; without it the queue is one bandwidth-delay product", flags["queue"], s.Queue)
	case s.Burst != "":
		p.Burst.Share, p.Loss = p.Loss, 0
	}
	if p.Reorder > 0 {
		p.ReorderBy = reorderBy
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	return p, nil
}

// ParseRate reads a rate like 1mbit, 256kbit or 9600 (bits per second). The error names the flag it was given with.
func ParseRate(flag, text string) (int64, error) {
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
		return 0, fmt.Errorf("%s %s: want bits per second from 1kbit to 1000gbit, like 1mbit", flag, text)
	}
	return int64(f * factor), nil
}
