package compare

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
)

// LaneCommand is the argument with which the program starts itself to run specs on virtual time: it must call ServeVirtual
// then.
const LaneCommand = "compare-lane"

// Virtual time is testing/synctest's, which wants a *testing.T, which only package testing makes, once in a process. So
// the runs happen in child processes: one run at a time each, as many children as there are cores. A run that hangs costs
// its child and nothing else.

// virtualRunner runs specs in child processes.
type virtualRunner struct {
	children chan *child // idle ones; nil: not started yet
}

// NewVirtualRunner returns a runner of the virtual lane. It starts this program again, with LaneCommand.
func NewVirtualRunner() Runner {
	r := &virtualRunner{children: make(chan *child, runtime.GOMAXPROCS(0))}
	for range cap(r.children) {
		r.children <- nil
	}
	return r
}

func (r *virtualRunner) Parallel() int { return cap(r.children) }

func (r *virtualRunner) Run(ctx context.Context, spec Spec) Result {
	ctx, cancel := context.WithTimeout(ctx, runWallMax)
	defer cancel()
	var c *child
	select {
	case c = <-r.children:
	case <-ctx.Done():
		return unplayed(spec, ctx.Err())
	}
	if c == nil {
		var err error
		if c, err = startChild(); err != nil {
			r.children <- nil
			return unplayed(spec, err)
		}
	}
	res, err := c.run(ctx, spec)
	if err != nil {
		r.children <- nil
		return unplayed(spec, err)
	}
	r.children <- c
	return res
}

// Close ends the children. No run may be under way.
func (r *virtualRunner) Close() error {
	var err error
	for range cap(r.children) {
		if c := <-r.children; c != nil {
			err = errors.Join(err, c.end())
		}
	}
	return err
}

// A child is a process that runs specs.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err tail
}

func startChild() (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("compare: finding this program: %w", err)
	}
	c := &child{cmd: exec.Command(program, LaneCommand)}
	c.cmd.Stderr = &c.err
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		c.in, err = c.cmd.StdinPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("compare: starting a process for virtual time: %w", err)
	}
	c.out = bufio.NewReaderSize(out, 1<<16)
	return c, nil
}

// run has the child run a spec. After an error the child is gone.
func (c *child) run(ctx context.Context, spec Spec) (Result, error) {
	type answer struct {
		res Result
		err error
	}
	answers := make(chan answer, 1)
	// Owns the child's pipes until it has answered; ends at the latest when the child is killed.
	go func() {
		var a answer
		b, err := json.Marshal(spec)
		if err == nil {
			_, err = c.in.Write(append(b, '\n'))
		}
		var line []byte
		if err == nil {
			line, err = c.out.ReadBytes('\n')
		}
		if err == nil {
			err = json.Unmarshal(line, &a.res)
		}
		a.err = err
		answers <- a
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			c.kill() // Until it has gone, what it complained about may be missing.
			return a.res, fmt.Errorf("the process of this run died: %s (%w)", c.err.text(), a.err)
		}
		return a.res, nil
	case <-ctx.Done():
		c.kill()
		<-answers
		return Result{}, fmt.Errorf("cut off: %w", context.Cause(ctx))
	}
}

// kill ends the child at once.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // It may have ended.
	_ = c.cmd.Wait()         // Killed is no news.
}

// end lets the child end by itself.
func (c *child) end() error {
	_ = c.in.Close() // The child sees the end of its input.
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("compare: a process for virtual time: %w\n%s", err, c.err.text())
	}
	return nil
}

// A tail keeps the first bytes of what a child complains about: a panic says first what it is.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytesMax = 2000

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[:min(len(b), tailBytesMax-len(t.b))]...)
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}

// ServeVirtual reads specs from in, a line of JSON each, runs each in a bubble of virtual time and writes its result to
// out, until in ends. It ends the process.
func ServeVirtual(in io.Reader, out io.Writer) {
	// Ctrl-C on a terminal reaches all its processes, but it is the parent that decides: it has figures to write, and we end
	// with our input.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stdout = null // Package testing prints its verdict there.
	}
	os.Args = os.Args[:1] // Its flags are not ours.
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "lane", F: func(t *testing.T) { serve(t, in, out) }}}, nil, nil)
}

func serve(t *testing.T, in io.Reader, out io.Writer) {
	specs := json.NewDecoder(in)
	results := json.NewEncoder(out)
	for {
		var spec Spec
		if err := specs.Decode(&spec); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		var res Result
		synctest.Test(t, func(t *testing.T) { res = runVirtual(t.Context(), spec) })
		if err := results.Encode(res); err != nil {
			t.Fatal(err)
		}
	}
}

// runVirtual runs a spec; it must be called in a bubble.
func runVirtual(ctx context.Context, spec Spec) Result {
	t, err := TransportNamed(spec.Transport)
	if err != nil {
		return unplayed(spec, err)
	}
	spec.Link = spec.Link.checked()
	spec.Link.Up.Grain, spec.Link.Down.Grain = grain, grain
	one := func(spec Spec) Result {
		if m, ok := t.(machinist); ok && t.Info().Repeatable {
			return playMachines(m, spec)
		}
		if _, ok := t.(kcpTransport); ok {
			defer runKCPSched()() // This process has no other sessions.
		}
		return Play(ctx, t, newMemoryField(spec.Link, spec.Seed), spec)
	}
	res := playAll(spec, one)
	res.WallMs = 0 // It was virtual.
	return res
}
