//go:build unix

package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/reliable"
)

// The machine's clock is set an hour ahead, back, an hour behind and right again, while twenty people say 500 messages a
// second: of the machine a server with its own store runs on, and of one with a server and a cluster.
func TestClockThatIsSetHurtsNobody(t *testing.T) {
	if !*long {
		t.Skip("it builds the standard library anew: 'make crash' does")
	}
	ours := buildSettable(t, "udpchat/cmd/udpchat")
	t.Run("sqlite", func(t *testing.T) {
		s := newServer(t, "--data", t.TempDir())
		s.wrap = func(cmd *exec.Cmd) *exec.Cmd { cmd.Path = ours; return cmd }
		s.start()
		clockIsSet(t, s.addr, 20, 500, func(sig syscall.Signal) { signal(t, s, sig) })
	})
	t.Run("nats", func(t *testing.T) {
		c := newClusterOf(t, buildSettable(t, "github.com/nats-io/nats-server/v2"))
		s := newServer(t, "--data", t.TempDir(), "--nats", strings.Join(c.urls, ","))
		s.wrap = func(cmd *exec.Cmd) *exec.Cmd { cmd.Path = ours; return cmd }
		s.start()
		clockIsSet(t, s.addr, 20, 100, func(sig syscall.Signal) {
			for _, node := range c.nodes {
				if err := node.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
			}
			signal(t, s, sig)
		})
	})
}

// clockIsSet has n people talk while the clock of the server they are connected to is set.
func clockIsSet(t *testing.T, addr string, n int, perSecond float64, set func(syscall.Signal)) {
	people := newPeople(t, 0, n, addr)
	visitor := newVisitor(t, addr)
	stop := everybody(people, perSecond)
	more := func() {
		t.Helper()
		before := make([]int, len(people))
		for i, p := range people {
			before[i] = p.stored()
		}
		for i, p := range people {
			await(t, p.name+" to have something more stored", func() bool { return p.stored() > before[i]+25 })
		}
	}
	more()
	first := visitor.lockOut("locked-0")
	ahead := time.Duration(0)
	for i, sig := range []syscall.Signal{hourAhead, hourBack, hourBack, hourAhead} {
		name := fmt.Sprintf("locked-%d", i+1)
		visitor.lockOut(name)
		set(sig)
		if ahead += time.Hour; sig == hourBack {
			ahead -= 2 * time.Hour
		}
		begin := time.Now()
		await(t, "the server's clock to be set", func() bool { return visitor.ahead() == ahead })
		more()
		visitor.isLocked(name)
		visitor.comesBack()
		t.Logf("%v: everybody has something stored, %v after the clock was set", ahead, time.Since(begin).Round(time.Millisecond))
	}
	more()
	stop()
	t.Logf("%v", check(t, people[0], people))
	for _, p := range people {
		p.timesAreSane(t)
	}
	await(t, "a lock to end when it should", func() bool { return visitor.tryLogIn("locked-0") == nil })
	t.Logf("who was locked out by a wrong password was let in after %v", time.Since(first).Round(time.Second))
}

// timesAreSane checks what p was told of times: that each message was stored when it came, by the server's clock as it was
// set then, that it was not an hour under way, that clocks go back when they are set back and not otherwise, and that p was
// connected all the time.
func (p *person) timesAreSane(t *testing.T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clocks := make(map[time.Duration]int) // How many came by which clock.
	last := make(map[string]shown)
	steps := make(map[string]int)
	for _, s := range p.shown {
		is := s.time.Sub(s.at)
		ahead := is.Round(time.Hour)
		clocks[ahead]++
		if is -= ahead; is < -patience || is > time.Second {
			t.Errorf("%s: %s %d came at %v and was stored at %v", p.name, s.log, s.seq, s.at, s.time)
		}
		if s.took > patience {
			t.Errorf("%s: %s %d was under way for %v", p.name, s.log, s.seq, s.took)
		}
		before, ok := last[s.log]
		if ok && s.time.Sub(before.time).Abs() > 50*time.Minute {
			steps[s.log]++
		}
		last[s.log] = s
	}
	for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
		if clocks[ahead] == 0 {
			t.Errorf("%s was shown nothing by a clock that is %v ahead: %v", p.name, ahead, clocks)
		}
	}
	for _, room := range rooms {
		// In a cluster a message has its time before it has its place: some of that moment change places.
		if steps[room] < 4 || steps[room] > 40 {
			t.Errorf("%s saw the clock jump %d times in %s, want 4", p.name, steps[room], room)
		}
	}
	if p.losses > 0 {
		t.Errorf("%s lost its connection %d times", p.name, p.losses)
	}
}

// A visitor comes and goes, by password and by token.
type visitor struct {
	tb   testing.TB
	addr string
	dir  string
	n    int
}

func newVisitor(tb testing.TB, addr string) *visitor {
	tb.Helper()
	v := &visitor{tb: tb, addr: addr, dir: tb.TempDir()}
	c, state := v.back(client.Config{Account: "visitor", Password: v.password("visitor"), Register: true})
	v.leave(c, state)
	return v
}

func (v *visitor) password(name string) string { return "open sesame of " + name }

// dial connects with what cfg says, and nobody's other state.
func (v *visitor) dial(cfg client.Config) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(v.tb.Context(), patience)
	defer cancel()
	cfg.Server, cfg.VerifyServer = v.addr, func(reliable.Key) error { return nil }
	return client.Dial(ctx, cfg)
}

// back connects as the device of the visitor's state: by its token, once it has one.
func (v *visitor) back(cfg client.Config) (*client.Client, *client.FileState) {
	v.tb.Helper()
	state, err := client.OpenState(filepath.Join(v.dir, "state"))
	if err != nil {
		v.tb.Fatal(err)
	}
	cfg.State = state
	c, err := v.dial(cfg)
	if err != nil {
		v.tb.Fatalf("visitor: %v", err)
	}
	return c, state
}

func (v *visitor) leave(c *client.Client, state *client.FileState) {
	v.tb.Helper()
	if err := errors.Join(c.Close(), state.Close()); err != nil {
		v.tb.Error(err)
	}
}

// ahead is how far the server's clock is ahead of ours.
func (v *visitor) ahead() time.Duration {
	v.tb.Helper()
	c, state := v.back(client.Config{})
	defer v.leave(c, state)
	return c.Link().Ahead.Round(time.Minute)
}

// comesBack logs in by token, says something, and sends and fetches a file.
func (v *visitor) comesBack() {
	v.tb.Helper()
	c, state := v.back(client.Config{})
	defer v.leave(c, state)
	ctx, cancel := context.WithTimeout(v.tb.Context(), patience)
	defer cancel()
	v.n++
	path := filepath.Join(v.dir, fmt.Sprint("file", v.n))
	if err := os.WriteFile(path, []byte(strings.Repeat(path, 10_000)), 0o600); err != nil {
		v.tb.Fatal(err)
	}
	if _, err := c.Join(ctx, "files", 0); err != nil {
		v.tb.Fatal(err)
	}
	f, err := c.Upload(ctx, path, nil)
	if err != nil {
		v.tb.Fatalf("upload: %v", err)
	}
	m, err := c.Announce("files", f)
	if err == nil {
		err = m.Wait(ctx)
	}
	if err == nil {
		err = c.Download(ctx, "files", m.Status().Seq, path+".back", nil)
	}
	if err != nil {
		v.tb.Errorf("file: %v", err)
	}
}

// tryLogIn logs in by password and goes again.
func (v *visitor) tryLogIn(name string) error {
	v.tb.Helper()
	c, err := v.dial(client.Config{Account: name, Password: v.password(name)})
	if err != nil {
		return err
	}
	return c.Close()
}

// lockOut makes an account and locks it. It returns when it did.
func (v *visitor) lockOut(name string) time.Time {
	v.tb.Helper()
	c, err := v.dial(client.Config{Account: name, Password: v.password(name), Register: true})
	if err != nil {
		v.tb.Fatal(err)
	}
	if err := c.Close(); err != nil {
		v.tb.Error(err)
	}
	for range 3 {
		if _, err := v.dial(client.Config{Account: name, Password: "wrong"}); err == nil {
			v.tb.Fatal("logged in with a wrong password")
		}
	}
	return time.Now()
}

// isLocked checks that an account is, for no longer than it should be.
func (v *visitor) isLocked(name string) {
	v.tb.Helper()
	err := v.tryLogIn(name)
	refusal, ok := errors.AsType[native.Error](err)
	if wait := refusal.RetryAfter.Duration(); !ok || refusal.Code != native.CodeLocked || wait <= 0 || wait > time.Minute {
		v.tb.Errorf("%s: %v, wait %v", name, err, refusal.RetryAfter.Duration())
	}
}
