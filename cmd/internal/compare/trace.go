package compare

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"udpchat/reliable/netem"
)

// TraceFormat and TraceVersion stand in the first line of what 'udpchat link --record' writes. Version rises when a key of
// netem.Record changes its meaning or goes away.
const (
	TraceFormat  = "udpchat-link"
	TraceVersion = 1
)

// A TraceHeader is that line; the others are netem.Records.
type TraceHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Profile string `json:"profile"`
	Seed    uint64 `json:"seed"`
}

// LinkFromTrace returns the link that was recorded: each direction repeats what happened to the first client's datagrams.
func LinkFromTrace(path string) (Link, error) {
	in, err := os.Open(path)
	if err != nil {
		return Link{}, err
	}
	defer in.Close() // It was only read.
	link, err := readTrace(in)
	link.Name = "trace-" + filepath.Base(path)
	return link, err
}

func readTrace(in io.Reader) (link Link, err error) {
	lines := json.NewDecoder(bufio.NewReader(in))
	var head TraceHeader
	if err := lines.Decode(&head); err != nil {
		return link, fmt.Errorf("compare: reading a trace: %w", err)
	}
	if head.Format != TraceFormat || head.Version != TraceVersion {
		return link, fmt.Errorf("compare: the trace says it is %q version %d; this program reads %q version %d",
			head.Format, head.Version, TraceFormat, TraceVersion)
	}
	var moments [2][]netem.Moment
	client, span := "", time.Duration(0)
	for {
		var r netem.Record
		if err := lines.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return link, fmt.Errorf("compare: reading a trace: %w", err)
		}
		if client == "" {
			client = r.Client
		}
		if r.Client != client || slices.Contains(r.Changes, netem.Copied.String()) {
			continue
		}
		m, dir, err := momentOf(r)
		if err != nil {
			return link, err
		}
		moments[dir] = append(moments[dir], m)
		span = max(span, m.At)
	}
	if len(moments[netem.Up]) == 0 {
		return link, errors.New("compare: the trace has no datagrams of a client")
	}
	if len(moments[netem.Down]) == 0 {
		moments[netem.Down] = moments[netem.Up] // Somebody only sent: the way back is taken to be alike.
	}
	span += time.Millisecond
	link.Up.Replay = netem.Replay{Moments: moments[netem.Up], Span: span}
	link.Down.Replay = netem.Replay{Moments: moments[netem.Down], Span: span}
	link.Text = fmt.Sprintf("recorded from %s, seed %d: %d and %d datagrams in %v", head.Profile, head.Seed,
		len(moments[netem.Up]), len(moments[netem.Down]), span.Round(time.Second))
	return link, errors.Join(link.Up.Validate(), link.Down.Validate())
}

// traceMsMax is the latest time in a trace: more is no time.
const traceMsMax = 1e9

func momentOf(r netem.Record) (m netem.Moment, dir netem.Direction, err error) {
	switch r.Direction {
	case netem.Up.String():
	case netem.Down.String():
		dir = netem.Down
	default:
		return m, dir, fmt.Errorf("compare: a trace with the direction %q", r.Direction)
	}
	if !(r.AtMs >= 0 && r.AtMs <= traceMsMax) {
		return m, dir, fmt.Errorf("compare: a trace with a datagram at %v ms", r.AtMs)
	}
	m.At = time.Duration(math.Round(r.AtMs * float64(time.Millisecond)))
	if r.DeliverMs == nil {
		m.Lost = true
		return m, dir, nil
	}
	if !(*r.DeliverMs >= r.AtMs && *r.DeliverMs <= traceMsMax) {
		return m, dir, fmt.Errorf("compare: a trace in which a datagram of %v ms is delivered at %v ms", r.AtMs, *r.DeliverMs)
	}
	m.Delay = time.Duration(math.Round(*r.DeliverMs*float64(time.Millisecond))) - m.At
	return m, dir, nil
}
