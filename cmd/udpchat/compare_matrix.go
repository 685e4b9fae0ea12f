package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
)

// Limits of what may be asked for: more is a slip of the finger.
const (
	compareRunsMax     = 1000
	compareMessagesMax = 100_000
)

// compareShapeNames are the flags that describe a link by hand; each also comes with up- and down- before it.
var compareShapeNames = []string{"delay", "jitter", "loss", "burst", "rate", "queue", "reorder", "dup", "corrupt"}

// shapeFlags adds the flags that describe a link by hand.
func shapeFlags(cmd *cobra.Command, s *compare.Shape, prefix, which string) {
	flags := cmd.Flags()
	for _, f := range []struct {
		to          *string
		name, usage string
	}{
		{&s.Delay, "delay", "propagation `time` of a link by hand, one way, like 50ms"},
		{&s.Jitter, "jitter", "`time` by which the delay varies"},
		{&s.Loss, "loss", "`share` of the packets that is lost, like 10%"},
		{&s.Burst, "burst", "losses come in bursts that last this `time` on average"},
		{&s.Rate, "rate", "`bits` per second of the bottleneck, like 1mbit"},
		{&s.Queue, "queue", "`time` that a full queue takes to drain; default one bandwidth-delay product"},
		{&s.Reorder, "reorder", "`share` of the packets that come 20 ms late"},
		{&s.Duplicate, "dup", "`share` of the packets that come twice"},
		{&s.Corrupt, "corrupt", "`share` of the packets with a wrong byte"},
	} {
		flags.StringVar(f.to, prefix+f.name, "", f.usage+which)
		if prefix != "" {
			flags.Lookup(prefix + f.name).Hidden = true // --help is long enough; the text above tells of them.
		}
	}
}

// matrix turns flags into what is to be run.
func (f *compareFlags) matrix(cmd *cobra.Command) (compare.Matrix, error) {
	m := compare.Matrix{
		Transports: f.transports, Workloads: f.workloads, Runs: f.runs, Messages: f.messages, Seed: f.seed, Extras: f.htmlFile != "",
		Repeat: strings.Join(append([]string{cmd.CommandPath()}, changedFlags(cmd)...), " "),
	}
	if f.htmlFile != "" {
		m.Repeat += " --html " + shellWord(filepath.Base(f.htmlFile)) // Its pictures want runs of their own.
	}
	switch {
	case f.runs < 1 || f.runs > compareRunsMax:
		return m, fmt.Errorf("--runs %d: want 1 to %d", f.runs, compareRunsMax)
	case f.messages < 0 || f.messages > compareMessagesMax:
		return m, fmt.Errorf("--messages %d: want 0 to %d", f.messages, compareMessagesMax)
	}
	switch f.lane {
	case "auto":
	case string(compare.LaneVirtual), string(compare.LaneRealTime), string(compare.LaneWire):
		m.Lane = compare.Lane(f.lane)
	default:
		return m, fmt.Errorf("--lane %s: want auto, virtual, realtime or wire", f.lane)
	}
	profiles := f.profiles
	if f.quick {
		if len(m.Transports) == 0 {
			m.Transports = compareQuick
		}
		if len(profiles) == 0 {
			profiles = compareProfilesQuick
		}
		if m.Lane == "" {
			m.Lane = compare.LaneVirtual
		}
	}
	if len(m.Transports) == 0 {
		for _, t := range compare.Transports() {
			m.Transports = append(m.Transports, t.Info().Name)
		}
	}
	if len(m.Workloads) == 0 {
		m.Workloads = []string{"chat"}
	}
	var err error
	if m.Links, err = f.links(profiles); err != nil {
		return m, err
	}
	for _, name := range m.Transports {
		if _, err := compare.TransportNamed(name); err != nil {
			return m, fmt.Errorf("--transport: %w", err)
		}
	}
	for _, name := range m.Workloads {
		if _, err := compare.WorkloadNamed(name); err != nil {
			return m, fmt.Errorf("--workload: %w", err)
		}
	}
	for flag, names := range map[string][]string{"transport": m.Transports, "workload": m.Workloads, "profile": profiles} {
		if again := repeated(names); again != "" {
			return m, fmt.Errorf("--%s %s is there twice", flag, again)
		}
	}
	return m, nil
}

// links returns the links by name, by hand and by trace; without any the usual ones.
func (f *compareFlags) links(profiles []string) ([]compare.Link, error) {
	var links []compare.Link
	if !f.both.Empty() || !f.up.Empty() || !f.down.Empty() {
		link, err := f.handmade()
		if err != nil {
			return nil, err
		}
		links = append(links, link)
	}
	if f.trace != "" {
		link, err := compare.LinkFromTrace(f.trace)
		if err != nil {
			return nil, advise(fmt.Errorf("--trace: %w", err), "It wants what 'udpchat link --record FILE' wrote.")
		}
		links = append(links, link)
	}
	if len(profiles) == 0 && len(links) == 0 {
		profiles = compareProfiles
	}
	for _, name := range profiles {
		link, err := compare.LinkNamed(name)
		if err != nil {
			return nil, fmt.Errorf("--profile: %w", err)
		}
		links = append(links, link)
	}
	return links, nil
}

// handmade is a link described by flags.
func (f *compareFlags) handmade() (compare.Link, error) {
	up, down := f.up.Over(f.both), f.down.Over(f.both)
	link := compare.Link{Name: "by-hand", Text: up.Text()}
	if up != down {
		link.Text = "up: " + cmp.Or(up.Text(), "perfect") + "; down: " + cmp.Or(down.Text(), "perfect")
	}
	var err1, err2 error
	link.Up, err1 = f.up.Params("up-", f.both)
	link.Down, err2 = f.down.Params("down-", f.both)
	return link, cmp.Or(err1, err2) // The other one is often the same.
}

// compareRepeatable are the flags that decide what is measured, in the order of --help.
func compareRepeatable() []string {
	names := []string{"quick", "transport", "workload", "profile", "lane", "runs", "messages", "seed", "trace"}
	for _, prefix := range []string{"", "up-", "down-"} {
		for _, name := range compareShapeNames {
			names = append(names, prefix+name)
		}
	}
	return names
}

// changedFlags are those that were given, as one would type them.
func changedFlags(cmd *cobra.Command) []string {
	var all []string
	for _, name := range compareRepeatable() {
		flag := cmd.Flags().Lookup(name)
		list, isList := flag.Value.(interface{ GetSlice() []string })
		switch {
		case !flag.Changed:
		case isList:
			for _, v := range list.GetSlice() {
				all = append(all, "--"+name, shellWord(v))
			}
		case flag.Value.Type() == "bool":
			all = append(all, "--"+name)
		default:
			all = append(all, "--"+name, shellWord(flag.Value.String()))
		}
	}
	return all
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n'\"\\$`*?[]()<>|&;#~!") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func repeated(names []string) string {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}
