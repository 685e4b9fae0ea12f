package wirelane

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"
)

// Lane starts runs, as many at a time as the machine can take in real time. Safe for concurrent use.
type Lane struct {
	slots int64
	free  *semaphore.Weighted
}

// New returns a lane for this machine.
func New() *Lane {
	slots := int64(runtime.NumCPU() * runsPerCore)
	return &Lane{slots: slots, free: semaphore.NewWeighted(slots)}
}

// Slots is how many runs of weight 1 go on at once.
func (l *Lane) Slots() int { return int(l.slots) }

// Check runs nothing. Its error says in one line why no run can start here.
func (l *Lane) Check(ctx context.Context) (Wire, error) {
	return l.Run(ctx, Order{Job: nothing, Limit: startWithin}, nil)
}

// Run waits for its turn, does what o says in a process of its own and stores the job's result in result, which may be nil.
// It returns when the process is gone.
func (l *Lane) Run(ctx context.Context, o Order, result any) (Wire, error) {
	weight := min(max(int64(o.Weight), 1), l.slots)
	if err := l.free.Acquire(ctx, weight); err != nil {
		return Wire{}, fmt.Errorf("wirelane: waiting for a turn: %w", err)
	}
	defer l.free.Release(weight)
	args, err := json.Marshal(o.Args)
	if err != nil {
		return Wire{}, fmt.Errorf("wirelane: job %s: %w", o.Job, err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limit+startWithin)
	defer cancel()
	// The kernel kills the child when the thread that started it ends, so that thread must live as long.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	last, err := start(ctx, order{o.Job, args, o.Profile, o.Seed, o.Limit}, o.Note)
	switch {
	case err != nil:
		return Wire{}, err
	case last.Error != "":
		return Wire{}, errors.New(last.Error)
	case result == nil:
		return *last.Wire, nil
	}
	if err := json.Unmarshal(last.Result, result); err != nil {
		return Wire{}, fmt.Errorf("wirelane: result of job %s: %w", o.Job, err)
	}
	return *last.Wire, nil
}

// start runs the child and returns its last reply.
func start(ctx context.Context, o order, note func(json.RawMessage)) (reply, error) {
	answers, answer, err := os.Pipe()
	if err != nil {
		return reply{}, fmt.Errorf("wirelane: %w", err)
	}
	defer answers.Close()
	stderr := &tail{max: stderrBytesMax}
	cmd := command(ctx, answer)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	answer.Close() // Only the child's copy counts: its end is how we notice the child's.
	if err != nil {
		return reply{}, explain(err)
	}
	defer in.Close()
	sent := json.NewEncoder(in).Encode(o)
	last, readErr := read(answers, note)
	in.Close()
	ended := cmd.Wait()
	switch {
	case last.Error != "" || readErr == nil && last.Wire != nil:
		return last, nil // How it exited adds nothing.
	case ctx.Err() != nil:
		return reply{}, fmt.Errorf("wirelane: job %s: cut off: %w", o.Job, ctx.Err())
	}
	return reply{}, fmt.Errorf("wirelane: job %s: no result: %w\n%s", o.Job, errors.Join(sent, readErr, ended), stderr)
}

// command is this program again, alone in new namespaces, where it has the rights of root.
func command(ctx context.Context, answer *os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.ExtraFiles = []*os.File{answer} // Becomes replyFD.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		GidMappingsEnableSetgroups: false,
		Pdeathsig:                  syscall.SIGKILL,
		// A session of its own: Ctrl-C on a terminal is for the parent to hear, which has results to write.
		Setsid: true,
	}
	cmd.WaitDelay = time.Second // It was killed; only a pipe can still hold Wait up.
	return cmd
}

// read hands on notes until the last reply comes, or the child ends.
func read(answers *os.File, note func(json.RawMessage)) (reply, error) {
	lines := bufio.NewScanner(answers)
	lines.Buffer(nil, replyBytesMax)
	for lines.Scan() {
		var r reply
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return reply{}, fmt.Errorf("reply: %w", err)
		}
		if r.Note == nil {
			return r, nil
		}
		if note != nil {
			note(r.Note)
		}
	}
	return reply{}, lines.Err()
}

// explain says in one line what a machine lacks on which the child did not start.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("wirelane: user namespaces are not allowed here (see sysctl kernel.unprivileged_userns_clone, "+
			"kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile): %w", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return fmt.Errorf("wirelane: no more user namespaces (see sysctl user.max_user_namespaces): %w", err)
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return fmt.Errorf("wirelane: this kernel has no user or network namespaces: %w", err)
	}
	return fmt.Errorf("wirelane: starting a run: %w", err)
}

// tail keeps the end of what is written to it.
type tail struct {
	max int
	buf bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.buf.Write(b)
	if extra := t.buf.Len() - t.max; extra > 0 {
		t.buf.Next(extra)
	}
	return len(b), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.buf.String()) }
