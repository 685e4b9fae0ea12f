//go:build unix

package crash

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A cluster is three NATS servers, each a process with a directory of its own.
type cluster struct {
	tb    testing.TB
	bin   string
	nodes [3]*exec.Cmd
	args  [3][]string
	urls  []string // For clients.
	looks []string // Where each says how it is.
}

// newCluster starts three NATS servers that are set as ours want them, and waits until they work together.
func newCluster(tb testing.TB) *cluster {
	tb.Helper()
	return newClusterOf(tb, natsServer)
}

// newClusterOf is newCluster with another program.
func newClusterOf(tb testing.TB, bin string) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, bin: bin}
	dir, ports := tb.TempDir(), freePorts(tb, 9)
	var routes []string
	for i := range c.nodes {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
		c.urls = append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", ports[3+i]))
		c.looks = append(c.looks, fmt.Sprintf("http://127.0.0.1:%d/healthz", ports[6+i]))
	}
	for i := range c.nodes {
		path := filepath.Join(dir, fmt.Sprint("n", i))
		text := fmt.Sprintf(`server_name: n%d
listen: "127.0.0.1:%d"
http: "127.0.0.1:%d"
jetstream { store_dir: %q, sync_interval: always }
cluster { name: test, listen: "127.0.0.1:%d", routes: [%s] }
`, i, ports[3+i], ports[6+i], path, ports[i], strings.Join(routes, ", "))
		if err := os.WriteFile(path+".conf", []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		c.args[i] = []string{"-c", path + ".conf", "-l", path + ".log"}
		c.start(i)
		tb.Cleanup(func() { c.kill(i) })
	}
	await(tb, "the NATS servers to work together", func() bool { return c.healthy(0, 1, 2) })
	return c
}

func (c *cluster) start(i int) {
	c.tb.Helper()
	c.nodes[i] = exec.Command(c.bin, c.args[i]...)
	if err := c.nodes[i].Start(); err != nil {
		c.tb.Fatal(err)
	}
}

// kill ends one as a crash would.
func (c *cluster) kill(i int) {
	if c.nodes[i] == nil {
		return
	}
	_ = c.nodes[i].Process.Kill() // It has ended already, then.
	_ = c.nodes[i].Wait()         // It was killed.
	c.nodes[i] = nil
}

// healthy reports whether these say that they are up to date.
func (c *cluster) healthy(nodes ...int) bool {
	hc := http.Client{Timeout: time.Second}
	for _, i := range nodes {
		resp, err := hc.Get(c.looks[i])
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // Only the status matters.
		if resp.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

// newNode returns a server of ours on the cluster, with the key in the data directory given.
func (c *cluster) newNode(key []byte) *server {
	c.tb.Helper()
	dir := c.tb.TempDir()
	if key != nil {
		if err := os.WriteFile(filepath.Join(dir, "server.key"), key, 0o600); err != nil {
			c.tb.Fatal(err)
		}
	}
	s := newServer(c.tb, "--data", dir, "--nats", strings.Join(c.urls, ","))
	s.data = dir
	s.start()
	return s
}

// Visitors of two servers see and hear one another. Then people of one room are on both, one of which is killed for good; its people go on at the other. Then the NATS
// servers are killed and stopped, one after the other.
func TestTwoServersOnOneClusterAreOneChat(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.newNode(nil)
	key, err := os.ReadFile(filepath.Join(a.data, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	b := c.newNode(key)
	bob := visitorsMeet(t, a, b)
	people := append(newPeople(t, 0, 4, b.addr, a.addr), newPeople(t, 4, 4, a.addr, b.addr)...)
	stop := everybody(people, 60)
	again := func(what string) {
		t.Helper()
		for _, p := range people {
			before := p.stored()
			await(t, p.name+" to have something stored "+what, func() bool { return p.stored() > before })
		}
		t.Logf("everybody has something stored %s", what)
	}
	again("at the start")
	begin := time.Now()
	a.kill()
	again("after a server was killed")
	t.Logf("it took %v", time.Since(begin).Round(time.Millisecond))
	ends := []int{chance(t).IntN(3)}
	if *long {
		ends = []int{0, 1, 2}
	}
	for _, i := range ends {
		begin := time.Now()
		c.kill(i)
		again(fmt.Sprintf("after NATS server %d was killed", i))
		t.Logf("it took %v", time.Since(begin).Round(time.Millisecond))
		c.start(i)
		await(t, "the NATS servers to work together again", func() bool { return c.healthy(0, 1, 2) })
	}
	if *long {
		for i := range c.nodes {
			begin := time.Now()
			if err := c.nodes[i].Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			again(fmt.Sprintf("after NATS server %d was stopped", i))
			t.Logf("it took %v", time.Since(begin).Round(time.Millisecond))
			if err := c.nodes[i].Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			await(t, "the NATS servers to work together again", func() bool { return c.healthy(0, 1, 2) })
		}
	}
	stop()
	t.Logf("%v", check(t, people[0], people))
	if *long {
		bob.sees("bob,dora") // The people of the server that was killed are gone, after a while.
	}
}

// Two servers are killed again and again, one, the other or both, and NATS servers with them, while people of one room are on
// both and go from one to the other.
func TestServersOfAClusterAreKilledAgainAndAgain(t *testing.T) {
	if !*long {
		t.Skip("'make crash' does: every NATS server takes its time to come back")
	}
	random := chance(t)
	c := newCluster(t)
	a := c.newNode(nil)
	key, err := os.ReadFile(filepath.Join(a.data, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	servers := []*server{a, c.newNode(key)}
	addrs := []string{servers[0].addr, servers[1].addr}
	people := append(newPeople(t, 0, 6, addrs...), newPeople(t, 6, 6, addrs[1], addrs[0])...)
	stop := everybody(people, 100)
	var longest time.Duration
	rounds := max(*kills/5, 3)
	for i := range rounds {
		time.Sleep(time.Duration(100+random.IntN(1500)) * time.Millisecond) // The moment of the kill.
		before := make([]int, len(people))
		for i, p := range people {
			before[i] = p.stored()
		}
		which := 1 + random.IntN(3) // A bit for each.
		node := random.IntN(3)
		for i, s := range servers {
			if which>>i&1 == 1 {
				s.kill()
			}
		}
		if i%4 == 3 {
			c.kill(node)
			c.start(node)
			await(t, "the NATS servers to work together again", func() bool { return c.healthy(0, 1, 2) })
		}
		begin := time.Now()
		for i, s := range servers {
			if which>>i&1 == 1 {
				s.start()
			}
		}
		for i, p := range people {
			await(t, p.name+" to have something stored again", func() bool { return p.stored() > before[i]+5 })
		}
		longest = max(longest, time.Since(begin))
	}
	stop()
	t.Logf("%d rounds: %v; until everybody had five more messages stored it took %v at most", rounds, check(t, people[0], people),
		longest.Round(time.Millisecond))
}
