//go:build unix

package crash

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

var figures = flag.Bool("figures", false, "measure a server on a cluster of three NATS servers on this machine")

// What a server on a cluster takes, with everything on one machine: how long until a message is stored, how many a second,
// how it starts again, and what comes of one room with many members. 'make bench-nats' runs it.
func TestFiguresOfACluster(t *testing.T) {
	if !*figures {
		t.Skip("it measures: 'make bench-nats'")
	}
	c := newCluster(t)
	urls := strings.Join(c.urls, ",")
	for _, args := range []string{
		"bench store --nats " + urls, // First: the cluster has to be empty.
		"bench fanout --transport tcp --nats " + urls,
		"bench fanout --transport udp --nats " + urls,
		"bench fanout --transport tcp --durability synced", // To compare, like all that follow.
		"bench fanout --transport tcp --durability memory",
		"bench store --durability synced",
	} {
		loadBefore := loadAverage()
		ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
		cmd := exec.CommandContext(ctx, program, strings.Fields(args)...)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // So that it stops its server.
		cmd.WaitDelay = 10 * time.Second
		cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		cancel()
		if err != nil {
			t.Errorf("%s: %v", args, err)
		}
		t.Logf("udpchat %s\n%sload average %s, then %s", args, out, loadBefore, loadAverage())
	}
}

// loadAverage is how much the machine has to do, as Linux puts it, beside what is measured.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:2], " ")
}
