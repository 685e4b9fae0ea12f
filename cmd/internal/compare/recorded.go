package compare

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // The figures.
	"errors"
	"fmt"
)

// recordedFile is what 'make compare-record' wrote: figures of the kernel's TCP from a machine with a wire lane, for
// machines without one.
//
//go:embed recorded/tcp.json.gz
var recordedFile []byte

// RecordedRunner gives figures that ship with the program. It runs nothing.
type RecordedRunner struct {
	header Header
	runs   map[recordedKey]*Result
}

type recordedKey struct {
	transport, profile, workload string
	run                          int
}

// NewRecordedRunner reads the figures.
func NewRecordedRunner() (*RecordedRunner, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(recordedFile))
	if err != nil {
		return nil, fmt.Errorf("compare: recorded figures: %w", err)
	}
	f, err := readRuns(unzipped)
	if err != nil {
		return nil, fmt.Errorf("compare: recorded figures: %w", err)
	}
	r := &RecordedRunner{header: f.Header, runs: make(map[recordedKey]*Result)}
	for i := range f.Runs {
		run := &f.Runs[i]
		run.Lane = LaneRecorded
		r.runs[recordedKey{run.Transport, run.Profile, run.Workload, run.Run}] = run
	}
	return r, nil
}

// String says where the figures come from, and how the instrument did then.
func (r *RecordedRunner) String() string {
	h := &r.header
	text := fmt.Sprintf("recorded %s on %s, %d cores, by '%s', seeds from %d", h.Created, h.System, h.Cores, h.Command, h.Seed)
	for _, c := range h.Calibration {
		text += fmt.Sprintf("; calibration then, %v", c)
	}
	if h.TCPCheck != nil {
		text += fmt.Sprintf("; %v", h.TCPCheck)
	}
	return text
}

// Has reports whether there are figures for a run. A link by another name than a profile's has none.
func (r *RecordedRunner) Has(spec Spec) bool { return r.find(spec) != nil }

func (r *RecordedRunner) find(spec Spec) *Result {
	return r.runs[recordedKey{spec.Transport, spec.Link.Name, spec.Workload, spec.Run}]
}

var errNotRecorded = errors.New("not among the recorded figures")

// Run returns what was recorded. Its seed is that of the recording.
func (r *RecordedRunner) Run(_ context.Context, spec Spec) Result {
	if run := r.find(spec); run != nil {
		return *run
	}
	res := newResult(spec)
	res.Error = errNotRecorded.Error()
	return res
}

// Parallel is 1: it takes no time.
func (r *RecordedRunner) Parallel() int { return 1 }

// Close does nothing.
func (r *RecordedRunner) Close() error { return nil }
