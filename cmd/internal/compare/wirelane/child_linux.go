package wirelane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

const (
	// childEnv tells this program that it was started to do a job; replyFD is where it answers. stdin brings the order and
	// then nothing more until the parent is gone.
	childEnv = "UDPCHAT_WIRELANE_CHILD"
	replyFD  = 3

	// nothing is the job of a run that only wants to know whether it can start.
	nothing = "nothing"
)

// Main does the job this process was started for, if it was, and then ends the process. Otherwise it returns at once. Call
// it before anything else.
func Main(jobs map[string]Job) {
	if os.Getenv(childEnv) == "" {
		return
	}
	out := json.NewEncoder(os.NewFile(replyFD, "reply"))
	if err := child(jobs, os.Stdin, out); err != nil {
		if err := out.Encode(reply{Error: err.Error()}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(0)
}

func child(jobs map[string]Job, in io.Reader, out *json.Encoder) error {
	decoder := json.NewDecoder(in)
	var o order
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("wirelane: reading the order: %w", err)
	}
	job := jobs[o.Job]
	if o.Job == nothing {
		job = func(context.Context, *World, json.RawMessage) (any, error) { return nil, nil }
	}
	if job == nil {
		return fmt.Errorf("wirelane: no job %q", o.Job)
	}
	go func() { // Ends with the process: the parent holds its end open for as long as it lives.
		var more json.RawMessage
		_ = decoder.Decode(&more) // Nothing else was to come.
		os.Exit(1)
	}()
	var mu sync.Mutex
	w, err := newWorld(o, func(v any) error {
		raw, err := marshal(v)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		return out.Encode(reply{Note: raw})
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.Limit)
	defer cancel()
	result, err := job(ctx, w, o.Args)
	wire, wireErr := w.close()
	if err := errors.Join(err, wireErr); err != nil {
		return err
	}
	raw, err := marshal(result)
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return out.Encode(reply{Result: raw, Wire: &wire})
}
