package compare

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"udpchat/cmd/internal/origin"
)

// A File is a comparison as --json writes it and --from reads it: one JSON object with a header, every run with all its
// samples (a line each), and the summary, which follows from the runs.
type File struct {
	Header  Header    `json:"header"`
	Runs    []Result  `json:"runs"`
	Summary []Summary `json:"summary"`
}

// Format and Version name what a File is. Version rises when a key changes its meaning or goes away.
const (
	Format  = "udpchat-compare"
	Version = 1
)

// A Header is what the reader must know to judge the runs, and to repeat them.
type Header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Created string `json:"created"` // RFC 3339, to the second
	Command string `json:"command"` // does the same again

	Revision string `json:"revision"` // of this program; "+dirty" behind it: with changes
	Go       string `json:"go"`
	System   string `json:"system"` // operating system, architecture, kernel release
	Cores    int    `json:"cores"`

	Seed       uint64     `json:"seed"` // run r has the seed Seed+r
	RunsEach   int        `json:"runs_each"`
	Transports []Info     `json:"transports"`
	Workloads  []NameText `json:"workloads"`
	Profiles   []NameText `json:"profiles"`
	Skipped    []Skipped  `json:"skipped"`
	// Interrupted: not all runs that were wanted are here.
	Interrupted bool `json:"interrupted"`

	Calibration []Calibration `json:"calibration"`
	LinkLoss    []LossCheck   `json:"link_loss"`
	TCPCheck    *TCPCheck     `json:"tcp_check,omitempty"` // if there were enough runs in the wire lane, see wantsTCPCheck
	Recorded    string        `json:"recorded,omitempty"`  // where figures of the lane "recorded" come from
}

// NameText is a name and a line about it.
type NameText struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// NewFile sums up a matrix and its results.
func NewFile(m Matrix, skipped []Skipped, results []Result, interrupted bool, now time.Time) *File {
	f := &File{
		Header: Header{
			Format: Format, Version: Version, Created: now.UTC().Format(time.RFC3339), Command: m.Repeat,
			Revision: revision(), Go: runtime.Version(), System: system(), Cores: runtime.GOMAXPROCS(0),
			Seed: m.Seed, RunsEach: m.Runs, Skipped: append([]Skipped{}, skipped...), Interrupted: interrupted,
		},
		Runs: results, Summary: Summarise(results),
	}
	for _, name := range m.Transports {
		if t, err := TransportNamed(name); err == nil {
			f.Header.Transports = append(f.Header.Transports, t.Info())
		}
	}
	for _, name := range m.Workloads {
		if w, err := WorkloadNamed(name); err == nil {
			f.Header.Workloads = append(f.Header.Workloads, NameText{w.Name, w.Text})
		}
	}
	for _, link := range m.Links {
		f.Header.Profiles = append(f.Header.Profiles, NameText{link.Name, link.Text})
	}
	f.Header.Calibration, f.Header.LinkLoss = Calibrate(results, m.Links)
	f.Header.TCPCheck = tcpCheckIn(results)
	return f
}

// Broken reports whether the instrument found itself to be wrong.
func (f *File) Broken() bool {
	for _, c := range f.Header.Calibration {
		if !c.OK {
			return true
		}
	}
	for _, c := range f.Header.LinkLoss {
		if !c.OK {
			return true
		}
	}
	return f.Header.TCPCheck != nil && f.Header.TCPCheck.Broken()
}

// Write writes f.
func (f *File) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	header, err := json.MarshalIndent(f.Header, "  ", "  ")
	if err != nil {
		return fmt.Errorf("compare: writing the figures: %w", err)
	}
	fmt.Fprintf(b, "{\n  \"header\": %s,\n  \"runs\": [", header)
	for i := range f.Runs {
		line, err := json.Marshal(&f.Runs[i])
		if err != nil {
			return fmt.Errorf("compare: writing the figures: %w", err)
		}
		fmt.Fprintf(b, "%s\n    %s", comma(i), line)
	}
	fmt.Fprint(b, "\n  ],\n  \"summary\": [")
	for i := range f.Summary {
		line, err := json.Marshal(&f.Summary[i])
		if err != nil {
			return fmt.Errorf("compare: writing the figures: %w", err)
		}
		fmt.Fprintf(b, "%s\n    %s", comma(i), line)
	}
	fmt.Fprint(b, "\n  ]\n}\n")
	if err := b.Flush(); err != nil { // It remembers the first error.
		return fmt.Errorf("compare: writing the figures: %w", err)
	}
	return nil
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// ReadFile reads what Write wrote.
func ReadFile(r io.Reader) (*File, error) {
	f, err := readRuns(r)
	if err == nil {
		f.Summary = Summarise(f.Runs)
	}
	return f, err
}

// readRuns is ReadFile without the summary.
func readRuns(r io.Reader) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, fileBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("compare: reading the figures: %w", err)
	}
	if len(b) > fileBytesMax {
		return nil, fmt.Errorf("compare: the file has more than %d bytes", fileBytesMax)
	}
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("compare: this is no file that --json wrote: %w", err)
	}
	if f.Header.Format != Format || f.Header.Version != Version {
		return nil, fmt.Errorf("compare: the file says it is %q version %d; this program reads %q version %d",
			f.Header.Format, f.Header.Version, Format, Version)
	}
	for i := range f.Runs {
		if r := &f.Runs[i]; len(r.LatencyMs) != len(r.PlannedMs) || len(r.LatencyMs) != r.Sent {
			return nil, fmt.Errorf("compare: run %d of the file has %d messages, %d latencies and %d times", i, r.Sent, len(r.LatencyMs), len(r.PlannedMs))
		}
	}
	return &f, nil
}

// revision is the program's, from what the Go command wrote into it.
func revision() string {
	commit, changed := origin.Revision()
	switch {
	case commit == "":
		return "unknown"
	case changed:
		return commit + "+dirty"
	}
	return commit
}

// system names the machine: on Linux with the release of its kernel.
func system() string {
	s := runtime.GOOS + "/" + runtime.GOARCH
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		s += ", kernel " + strings.TrimSpace(string(b))
	}
	return s
}

// Merge returns a file with what is in f and in o, whose runs must be of other workloads or links. A nil f is empty.
func (f *File) Merge(o *File) *File {
	if f == nil {
		return o
	}
	h := f.Header
	for _, t := range o.Header.Transports {
		if !slices.ContainsFunc(h.Transports, func(i Info) bool { return i.Name == t.Name }) {
			h.Transports = append(h.Transports, t)
		}
	}
	h.Workloads = unite(h.Workloads, o.Header.Workloads)
	h.Profiles = unite(h.Profiles, o.Header.Profiles)
	h.Skipped = append(h.Skipped, o.Header.Skipped...)
	for _, c := range o.Header.Calibration {
		if !slices.ContainsFunc(h.Calibration, func(have Calibration) bool { return have.Lane == c.Lane && have.OK == c.OK }) {
			h.Calibration = append(h.Calibration, c)
		}
	}
	for _, c := range o.Header.LinkLoss {
		if !slices.ContainsFunc(h.LinkLoss, func(have LossCheck) bool { return have.Profile == c.Profile && have.OK == c.OK }) {
			h.LinkLoss = append(h.LinkLoss, c)
		}
	}
	if h.TCPCheck == nil {
		h.TCPCheck = o.Header.TCPCheck
	}
	h.Interrupted = h.Interrupted || o.Header.Interrupted
	runs := slices.Concat(f.Runs, o.Runs)
	return &File{Header: h, Runs: runs, Summary: Summarise(runs)}
}

func unite(a, b []NameText) []NameText {
	for _, n := range b {
		if !slices.Contains(a, n) {
			a = append(a, n)
		}
	}
	return a
}
