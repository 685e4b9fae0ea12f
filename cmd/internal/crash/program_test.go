package crash

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/cmd/internal/port"
)

var (
	kills = flag.Int("kills", 3, "how often the server is killed")
	stop  = flag.Duration("stop", 4*time.Second, "how long the server is stopped (SIGSTOP)")
	seed  = flag.Uint64("seed", 0, "what chance begins with; 0: the time")
	long  = flag.Bool("long", false, "everything 'make crash' does")
)

// patience is how long anything may take before the test fails; far more than it does, since machines may be busy.
const patience = 2 * time.Minute

// The programs, built by TestMain.
var program, natsServer string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "crash")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for path, pkg := range map[*string]string{&program: "udpchat/cmd/udpchat", &natsServer: "github.com/nats-io/nats-server/v2"} {
			*path = filepath.Join(dir, filepath.Base(strings.TrimSuffix(pkg, "/v2")))
			if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", *path, pkg).CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "building %s: %v\n%s", pkg, err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

// A server is our server's process, which can be started again on the same port with the same data.
type server struct {
	tb   testing.TB
	addr string
	args []string
	home string                    // Where it finds nothing of the user's.
	data string                    // Its data directory, if the test has to know.
	wrap func(*exec.Cmd) *exec.Cmd // Has it run somewhere else; nil: here.

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // Closed when the process has ended.
	log  strings.Builder
}

// newServer returns a server on a free port. It does not run yet. Its last lines are shown if the test fails.
func newServer(tb testing.TB, args ...string) *server {
	tb.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", freePorts(tb, 1)[0])
	s := &server{tb: tb, addr: addr, home: tb.TempDir()}
	s.args = append([]string{"serve", "--listen", addr}, args...)
	tb.Cleanup(func() {
		s.kill()
		if tb.Failed() {
			lines := strings.Split(s.log.String(), "\n")
			tb.Logf("server %s said at the end:\n%s", addr, strings.Join(lines[max(0, len(lines)-30):], "\n"))
		}
	})
	return s
}

// start starts the process and waits until it listens. It returns how long that took.
func (s *server) start() time.Duration {
	s.tb.Helper()
	begin := time.Now()
	cmd := exec.Command(program, s.args...)
	if s.wrap != nil {
		cmd = s.wrap(cmd)
	}
	cmd.Env = []string{"HOME=" + s.home, "PATH=" + os.Getenv("PATH")}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	listening, done := make(chan struct{}), make(chan struct{})
	go func() { // Ends with the process.
		told := sync.OnceFunc(func() { close(listening) })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.mu.Lock()
			fmt.Fprintln(&s.log, lines.Text())
			s.mu.Unlock()
			if strings.HasPrefix(lines.Text(), "listening on") {
				told()
			}
		}
		_ = cmd.Wait() // It was killed.
		close(done)
	}()
	s.cmd, s.done = cmd, done
	select {
	case <-listening:
	case <-done:
		s.tb.Fatalf("the server ended instead of listening: %s", s.log.String())
	case <-time.After(patience):
		s.tb.Fatal("the server does not listen")
	}
	return time.Since(begin)
}

// kill ends the process as a crash would.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.tb.Errorf("kill: %v", err)
	}
	<-s.done
	s.cmd = nil
}

// freePorts returns ports of the loopback address on which a server can be started again and again.
func freePorts(tb testing.TB, n int) []int {
	tb.Helper()
	ports, err := port.Free(n)
	if err != nil {
		tb.Fatal(err)
	}
	return ports
}
