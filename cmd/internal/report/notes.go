package report

import (
	"fmt"
	"slices"
	"strings"

	"udpchat/cmd/internal/compare"
	"udpchat/cmd/internal/compare/wirelane"
)

// Notes are what to know before believing the figures, a line each: how the instrument did, what was left out, and how to
// repeat it.
func Notes(f *compare.File) []string {
	h := &f.Header
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	add("* best; – too few messages to say (p99 wants 1,000, p99.9 10,000); never: so many did not arrive.")
	add("bytes/byte: bytes in IP packets, both ways, handshake included, for one byte delivered. lost: packets the link dropped.")
	if slices.ContainsFunc(f.Summary, func(s compare.Summary) bool { return !s.Beside.Missing() }) {
		add("beside: Mbit/s of the file over kernel CUBIC on the same link; its share of both files, half being fair.")
	}
	if oneSided(f) {
		add("chat: one end only listens, and nobody repeats an acknowledgement that is lost, which is hard on TCP's tail and differs much from one set of runs to the next; --workload talk has both ends chat.")
	}
	var secret, open []string
	for _, t := range h.Transports {
		if t.Encrypted {
			secret = append(secret, t.Name)
		} else {
			open = append(open, t.Name)
		}
	}
	if len(secret) > 0 && len(open) > 0 {
		add("encrypted: %s; not: %s.", strings.Join(secret, ", "), strings.Join(open, ", "))
	}
	if text := approximate(f); text != "" {
		add("%s", text)
	}
	for _, s := range h.Skipped {
		add("%s does not run %s: %s.", s.Transport, s.Workload, s.Why)
	}
	for i := range f.Runs {
		if r := &f.Runs[i]; r.Error != "" {
			add("not whole: %s, %s over %s, run %d (seed %d): %s", r.Transport, r.Workload, r.Profile, r.Run, r.Seed, firstLine(r.Error))
		}
	}
	if h.Interrupted {
		add("INTERRUPTED: not all runs that were wanted are here.")
	}
	for _, c := range h.Calibration {
		add("calibration, %v.", c)
	}
	if h.TCPCheck != nil {
		add("calibration, %v.", h.TCPCheck)
	}
	if text := wireTiming(f); text != "" {
		add("%s", text)
	}
	for _, text := range kernelNotes(f) {
		add("%s", text)
	}
	if h.Recorded != "" && slices.ContainsFunc(f.Summary, func(s compare.Summary) bool { return s.Lane == compare.LaneRecorded }) {
		add("lane recorded: not measured now, but %s.", h.Recorded)
	}
	if text := losses(h.LinkLoss); text != "" {
		add("calibration, links (asked → measured): %s.", text)
	}
	add("seed %d, %d runs each; revision %s, %s, %s, %d cores.", h.Seed, h.RunsEach, h.Revision, h.Go, h.System, h.Cores)
	add("repeat: %s", h.Command)
	return lines
}

// wireTiming says whether the machine kept up with the wire lane, empty without one.
func wireTiming(f *compare.File) string {
	var sum wirelane.Timing
	for i := range f.Runs {
		if r := &f.Runs[i]; r.Timing != nil && r.Lane == compare.LaneWire {
			sum.Add(*r.Timing)
		}
	}
	if sum.Packets == 0 {
		return ""
	}
	return fmt.Sprintf("wire lane: %d of %d packets were written over 2 ms late, the worst %.1f ms.", sum.Late, sum.Packets, sum.MaxMs)
}

// kernelNotes says what the kernel had in force, a line for each transport and setting.
func kernelNotes(f *compare.File) []string {
	var lines []string
	for i := range f.Runs {
		r := &f.Runs[i]
		if line := r.Transport + ": " + r.Note + "."; r.Note != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// approximate says which figures repeat only statistically.
func approximate(f *compare.File) string {
	var names []string
	for _, t := range f.Header.Transports {
		if !t.Repeatable {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("same link, but figures repeat only statistically: %s; the others are the same every time on virtual time.", strings.Join(names, ", "))
}

// oneSided reports whether the kernel's TCP is compared by messages that go one way only.
func oneSided(f *compare.File) bool {
	return slices.ContainsFunc(f.Summary, func(s compare.Summary) bool {
		t, err := compare.TransportNamed(s.Transport)
		return err == nil && t.Info().Kernel && s.Workload == "chat" && s.Dropped > 0
	})
}

func losses(checks []compare.LossCheck) string {
	var parts []string
	for _, c := range checks {
		part := fmt.Sprintf("%s %.1f → %.2f %%", c.Profile, float64(c.Asked), float64(c.Measured))
		if !c.OK {
			part += " BROKEN"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Verdict says in a line who did how well on the worst links, and whether that was shown.
func Verdict(f *compare.File) string {
	const ours = "udpchat"
	for _, workload := range f.Header.Workloads {
		if workload.Name == "file" || workload.Name == "file-beside-tcp" {
			continue
		}
		wins, ties, loses, all := 0, 0, 0, 0
		var gain, loss float64 // by how many times
		var won, lost string
		for _, p := range f.Header.Profiles {
			mine := compare.Find(f.Summary, ours, p.Name, workload.Name)
			best := bestRival(f, ours, p.Name, workload.Name)
			if mine == nil || best == nil || mine.P99.Missing() {
				continue
			}
			all++
			text := fmt.Sprintf("over %s: %s ms against %s ms of %s", p.Name, number(mine.P99), number(best.P99), best.Transport)
			switch ratio := float64(best.P99 / mine.P99); {
			case !mine.CI99.Differ(best.CI99):
				ties++
			case mine.P99 < best.P99:
				wins++
				if ratio > gain {
					gain, won = ratio, "; most "+text
				}
			default:
				loses++
				if 1/ratio > loss {
					loss, lost = 1/ratio, ", most "+text
				}
			}
		}
		if all == 0 {
			continue
		}
		return fmt.Sprintf("By p99 of %s, %s is better than the best of the others on %d of %d links%s; no difference is shown on %d; it is worse on %d%s.",
			workload.Name, ours, wins, all, won, ties, loses, lost)
	}
	return "No verdict: it takes our transport, another one, and 1,000 messages of each."
}

// Price says in a line what our transport costs in bytes on the link where it costs most, beside the one with which nothing
// is lost and that costs least. Empty: there is nothing to compare with.
func Price(f *compare.File) string {
	const ours = "udpchat"
	text, worst := "", 0.0
	for i := range f.Summary {
		mine := &f.Summary[i]
		shown := slices.ContainsFunc(f.Header.Profiles, func(p compare.NameText) bool { return p.Name == mine.Profile })
		if mine.Transport != ours || mine.WirePerUseful.Missing() || !shown {
			continue
		}
		var least *compare.Summary
		for j := range f.Summary {
			o := &f.Summary[j]
			if !strings.HasPrefix(o.Transport, ours) && o.Profile == mine.Profile && o.Workload == mine.Workload && o.Undelivered() == 0 &&
				!o.WirePerUseful.Missing() && (least == nil || o.WirePerUseful < least.WirePerUseful) {
				least = o
			}
		}
		if least == nil {
			continue
		}
		if ratio := float64(mine.WirePerUseful / least.WirePerUseful); ratio > worst {
			worst = ratio
			text = fmt.Sprintf("The price: up to %.1f times the bytes on the wire, %s for each byte delivered against %s of %s, with %s over %s.",
				ratio, decimals(mine.WirePerUseful, 2), decimals(least.WirePerUseful, 2), least.Transport, mine.Workload, mine.Profile)
		}
	}
	return text
}

// bestRival is the transport with the smallest p99 that is not ours and loses nothing.
func bestRival(f *compare.File, ours, profile, workload string) *compare.Summary {
	var best *compare.Summary
	for i := range f.Summary {
		s := &f.Summary[i]
		if strings.HasPrefix(s.Transport, ours) || s.Profile != profile || s.Workload != workload || s.P99.Missing() || s.Undelivered() > 0 {
			continue
		}
		if best == nil || s.P99 < best.P99 {
			best = s
		}
	}
	return best
}
