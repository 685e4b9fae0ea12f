package jetstream_test

import (
	"context"
	"fmt"
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
	dir   string
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

// startCluster starts three servers and waits until they work together.
func startCluster(dir string) (*cluster, error) {
	c := &cluster{dir: dir}
	ports, err := freePorts(6)
	if err != nil {
		return nil, err
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
			return nil, err
		}
		if err := n.start(); err != nil {
			return nil, err
		}
	}
	return c, c.await()
}

// freePorts returns ports of the loopback address that were free a moment ago.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (n *node) start() error {
	n.cmd, n.done = exec.Command(server, "-c", n.config, "-l", n.config+".log"), make(chan struct{})
	if err := n.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, done chan struct{}) { // Ends with the process.
		_ = cmd.Wait() // It was killed.
		close(done)
	}(n.cmd, n.done)
	return nil
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
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := c.ready()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ready makes a stream on all servers and takes it away.
func (c *cluster) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	nc, err := nats.Connect(strings.Join(c.urls, ","))
	if err != nil {
		return err
	}
	defer nc.Close()
	streams, err := js.New(nc)
	if err != nil {
		return err
	}
	if _, err := streams.CreateStream(ctx, js.StreamConfig{Name: "ready", Replicas: 3}); err != nil {
		return err
	}
	return streams.DeleteStream(ctx, "ready")
}

// leader returns which node leads a stream.
func (c *cluster) leader(tb testing.TB, stream string) *node {
	tb.Helper()
	nc, err := nats.Connect(strings.Join(c.urls, ","))
	if err != nil {
		tb.Fatal(err)
	}
	defer nc.Close()
	streams, err := js.New(nc)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := streams.Stream(tb.Context(), stream)
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range c.nodes {
		if n.name == s.CachedInfo().Cluster.Leader {
			return n
		}
	}
	tb.Fatalf("stream %s has no leader", stream)
	return nil
}

var prefixes atomic.Int64

// storage returns the prefix of streams that nobody else uses, and takes them away after the test.
func (c *cluster) storage(tb testing.TB) string {
	prefix := fmt.Sprintf("test%d", prefixes.Add(1))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		nc, err := nats.Connect(strings.Join(c.urls, ","))
		if err != nil {
			tb.Fatal(err)
		}
		defer nc.Close()
		streams, err := js.New(nc)
		if err != nil {
			tb.Fatal(err)
		}
		for name := range streams.StreamNames(ctx).Name() {
			if strings.HasPrefix(name, prefix+"_") {
				if err := streams.DeleteStream(ctx, name); err != nil {
					tb.Errorf("deleting stream %s: %v", name, err)
				}
			}
		}
	})
	return prefix
}

// config is for an engine with few streams, which are quickly made.
func (c *cluster) config(prefix string) jetstream.Config {
	return jetstream.Config{Servers: c.urls, Prefix: prefix, Shards: 2}
}
