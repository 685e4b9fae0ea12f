package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// IdleConfig says what an idle run does. All fields must be set.
type IdleConfig struct {
	Server      string
	PID         int    // the server's process; its /proc entry must be readable
	Transport   string // tcp or udp
	Protocol    string // one of IdleProtocols
	Connections int
	Settle      time.Duration // how long nothing happens before that: connections come to rest, garbage is collected
	Duration    time.Duration // how long the processor time of the idle server is watched
	Progress    func(format string, args ...any)
}

// Idle is what connections that do nothing cost the server process.
type Idle struct {
	Transport         string  `json:"transport"`
	Protocol          string  `json:"protocol"`
	Connections       int     `json:"connections"`
	RSSBefore         int64   `json:"rss_before_bytes"`
	RSSAfter          int64   `json:"rss_after_bytes"`
	RSSPerConnection  int64   `json:"rss_per_connection_bytes"`
	CPUPercentOfACore float64 `json:"cpu_percent_of_one_core"`
}

// Run opens the connections, each of which joins the room and then keeps quiet, and looks at the server.
func (cfg IdleConfig) Run(ctx context.Context) (Idle, error) {
	out := Idle{Transport: cfg.Transport, Protocol: cfg.Protocol, Connections: cfg.Connections}
	// A first connection pays for what is needed once.
	warm, err := gather(ctx, cfg.Server, cfg.Transport, 1, 0, cfg.Progress)
	if err != nil {
		return out, err
	}
	defer warm.close()
	if out.RSSBefore, err = residentBytes(cfg.PID); err != nil {
		return out, err
	}
	cfg.Progress("opening %d connections over %s", cfg.Connections, cfg.Transport)
	d, err := newDialler(cfg.Server)
	if err != nil {
		return out, err
	}
	c := &crowd{dial: d, ended: make(chan struct{})}
	defer c.close()
	if err := c.openIdle(ctx, cfg); err != nil {
		return out, err
	}
	cfg.Progress("letting them come to rest for %v", cfg.Settle)
	if err := pause(ctx, cfg.Settle); err != nil {
		return out, err
	}
	cfg.Progress("watching for %v", cfg.Duration)
	before, err := processorTime(cfg.PID)
	if err != nil {
		return out, err
	}
	if err := pause(ctx, cfg.Duration); err != nil {
		return out, err
	}
	after, err := processorTime(cfg.PID)
	if err != nil {
		return out, err
	}
	if out.RSSAfter, err = residentBytes(cfg.PID); err != nil {
		return out, err
	}
	if n := c.lost.Load(); n > 0 {
		return out, fmt.Errorf("%w: %d of them", ErrLost, n)
	}
	out.RSSPerConnection = (out.RSSAfter - out.RSSBefore) / int64(cfg.Connections)
	out.CPUPercentOfACore = 100 * (after - before).Seconds() / cfg.Duration.Seconds()
	return out, nil
}

// openIdle opens connections that join a room of their own, so that nobody is told of the others.
func (c *crowd) openIdle(ctx context.Context, cfg IdleConfig) error {
	type result struct {
		m   *member
		err error
	}
	results := make(chan result)
	slots := make(chan struct{}, dialsAtOnce)
	for i := range cfg.Connections {
		go func() { // Owned by the loop below, which takes every result.
			slots <- struct{}{}
			defer func() { <-slots }()
			room, name := fmt.Sprintf("idle%d", i/idlePerRoom), fmt.Sprintf("idle%d", i)
			switch cfg.Protocol {
			case "native":
				m, err := c.dial.openNative(ctx, cfg.Transport, room)
				results <- result{m, err}
				return
			case "lab":
			default:
				m, err := c.openOther(ctx, cfg, i)
				results <- result{m, err}
				return
			}
			conn, err := c.dial.dial(ctx, cfg.Transport)
			if err != nil {
				results <- result{err: err}
				return
			}
			m, err := join(conn, room, name)
			results <- result{m, err}
		}()
	}
	var first error
	for i := range cfg.Connections {
		r := <-results
		if r.err != nil && first == nil {
			first = r.err
		}
		if r.m != nil {
			c.members = append(c.members, r.m)
		}
		if (i+1)%2000 == 0 {
			cfg.Progress("%d of %d connections open", i+1, cfg.Connections)
		}
	}
	return first
}

// idlePerRoom members share a room: as in life, somebody hears of each arrival, but not everybody.
const idlePerRoom = 10

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Process returns the resident set of a process and the processor time it has used, from /proc (Linux only).
func Process(pid int) (resident int64, used time.Duration, err error) {
	if resident, err = residentBytes(pid); err == nil {
		used, err = processorTime(pid)
	}
	return resident, used, err
}

// residentBytes is the resident set of a process, from /proc.
func residentBytes(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("bench: memory of the server (Linux only): %w", err)
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, errors.New("bench: memory of the server: /proc says nothing")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("bench: memory of the server: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// clockTick is the unit of processor time in /proc: 1/100 s on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// processorTime is the user and system time of a process, from /proc.
func processorTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("bench: processor time of the server (Linux only): %w", err)
	}
	// The name in parentheses may hold anything; the 12th and 13th fields after it are user and system time.
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("bench: processor time of the server: /proc says nothing")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("bench: processor time of the server: %w", err)
	}
	return time.Duration(user+system) * clockTick, nil
}

// String is the result for people.
func (i Idle) String() string {
	what := i.Transport
	if i.Protocol != "" {
		what = i.Protocol + " over " + what
	}
	return fmt.Sprintf("%s: %d idle connections: %.1f KiB each (%.1f MiB before, %.1f MiB after), %.1f %% of a core",
		what, i.Connections, float64(i.RSSPerConnection)/1024, float64(i.RSSBefore)/(1<<20), float64(i.RSSAfter)/(1<<20), i.CPUPercentOfACore)
}
