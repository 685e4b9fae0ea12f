package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"udpchat/chat/store/jetstream"
)

// server is the NATS server's program, built by TestMain.
var server string

// buildServer builds the NATS server of the version in go.mod.
func buildServer(dir string) (string, error) {
	path := filepath.Join(dir, "nats-server")
	cmd := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the NATS server: %w\n%s", err, out)
	}
	return path, nil
}

// A cluster is three NATS servers, each a process with a directory of its own.
type cluster struct {
	nodes [3]*node
	urls  []string
}

// A node is one server of a cluster.
type node struct {
	name, config string
	client       int // Its port for clients.
	cmd          *exec.Cmd
	done         chan struct{} // Closed when the process has ended.
}

// patience is how long a cluster may take for anything, on whatever machine.
const patience = 2 * time.Minute

// startCluster starts three servers and waits until they work together. If somebody else takes one of their ports before they
// do, it tries others.
func startCluster(dir string) (c *cluster, err error) {
	for try := range 5 {
		c, err = tryCluster(filepath.Join(dir, fmt.Sprint("try", try)))
		if !errors.Is(err, errEnded) {
			break
		}
		c.stop()
	}
	return c, err
}

// errEnded: a server has ended by itself.
var errEnded = errors.New("a NATS server has ended")

func tryCluster(dir string) (*cluster, error) {
	c := &cluster{}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return c, err
	}
	ports, err := freePorts(6)
	if err != nil {
		return c, err
	}
	var routes []string
	for i := range c.nodes {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[3+i]))
	}
	for i := range c.nodes {
		n := &node{name: fmt.Sprint("n", i), client: ports[i]}
		n.config = filepath.Join(dir, n.name+".conf")
		c.nodes[i], c.urls = n, append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", n.client))
		text := fmt.Sprintf(`server_name: %s
listen: "127.0.0.1:%d"
jetstream { store_dir: %q, sync_interval: always }
cluster { name: test, listen: "127.0.0.1:%d", routes: [%s] }
`, n.name, n.client, filepath.Join(dir, n.name), ports[3+i], strings.Join(routes, ", "))
		if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
			return c, err
		}
		if err := n.start(); err != nil {
			return c, err
		}
	}
	return c, c.await()
}

// freePorts returns ports of the loopback address that were free a moment ago. They are below those that systems give to
// whoever asks for any: there another program could have one of them before its server listens, or while that is down.
func freePorts(n int) ([]int, error) {
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		port := 10_000 + rand.IntN(6_000)
		ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			defer ln.Close()
			ports = append(ports, port)
		} else if tries > 1000 {
			return nil, err
		}
	}
	return ports, nil
}

func (n *node) start() error {
	cmd, done := exec.Command(server, "-c", n.config, "-l", n.config+".log"), make(chan struct{})
	if err := cmd.Start(); err != nil {
		return err
	}
	n.cmd, n.done = cmd, done
	go func() { // Ends with the process.
		_ = cmd.Wait() // It was killed.
		close(done)
	}()
	return nil
}

// ended returns an error if the process has ended.
func (n *node) ended() error {
	select {
	case <-n.done:
		log, _ := os.ReadFile(n.config + ".log") // What it did not write down nobody knows.
		return fmt.Errorf("%w: %s:\n%s", errEnded, n.name, log)
	default:
		return nil
	}
}

// kill ends the process as a crash would.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // An error means that it has ended.
	<-n.done
}

func (c *cluster) stop() {
	for _, n := range c.nodes {
		if n != nil && n.cmd != nil {
			n.kill()
		}
	}
}

// await waits until the servers have elected a leader and see each other.
func (c *cluster) await() error {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := c.ready()
		if err == nil || errors.Is(err, errEnded) || time.Now().After(deadline) {
			return err
		}
	}
}

// ready makes a stream on all servers and takes it away.
func (c *cluster) ready() error {
	for _, n := range c.nodes {
		if err := n.ended(); err != nil {
			return err
		}
	}
	return c.ask(context.Background(), func(ctx context.Context, streams js.JetStream) error {
		if _, err := streams.CreateStream(ctx, js.StreamConfig{Name: "ready", Replicas: 3}); err != nil {
			return err
		}
		return streams.DeleteStream(ctx, "ready")
	})
}

// ask makes requests to the cluster, which may take 10 s: one that nobody answers has to be made once more.
func (c *cluster) ask(ctx context.Context, f func(ctx context.Context, streams js.JetStream) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	nc, err := nats.Connect(strings.Join(c.urls, ","), nats.Timeout(10*time.Second))
	if err != nil {
		return err
	}
	defer nc.Close()
	streams, err := js.New(nc)
	if err != nil {
		return err
	}
	return f(ctx, streams)
}

// asks makes requests until the cluster does as it is told.
func (c *cluster) asks(tb testing.TB, f func(ctx context.Context, streams js.JetStream) error) {
	tb.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := c.ask(context.Background(), f)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal(err)
		}
	}
}

// leader returns which node leads a stream.
func (c *cluster) leader(tb testing.TB, stream string) (leader *node) {
	tb.Helper()
	c.asks(tb, func(ctx context.Context, streams js.JetStream) error {
		s, err := streams.Stream(ctx, stream)
		if err != nil {
			return err
		}
		for _, n := range c.nodes {
			if info := s.CachedInfo().Cluster; info != nil && n.name == info.Leader {
				leader = n
				return nil
			}
		}
		return fmt.Errorf("stream %s has no leader", stream)
	})
	return leader
}

var prefixes atomic.Int64

// storage returns the prefix of streams that nobody else uses, and takes them away after the test.
func (c *cluster) storage(tb testing.TB) string {
	prefix := fmt.Sprintf("test%d", prefixes.Add(1))
	tb.Cleanup(func() {
		c.asks(tb, func(ctx context.Context, streams js.JetStream) error {
			names := streams.StreamNames(ctx)
			for name := range names.Name() {
				if strings.HasPrefix(name, prefix+"_") {
					if err := streams.DeleteStream(ctx, name); err != nil && !errors.Is(err, js.ErrStreamNotFound) {
						return fmt.Errorf("deleting stream %s: %w", name, err)
					}
				}
			}
			return names.Err()
		})
	})
	return prefix
}

// config is for an engine with few streams, which are quickly made.
func (c *cluster) config(prefix string) jetstream.Config {
	return jetstream.Config{Servers: c.urls, Prefix: prefix, Shards: 2}
}
