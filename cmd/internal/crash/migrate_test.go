//go:build unix

package crash

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"udpchat/client"
)

// What a server has stored is copied into a cluster after a crash. Everybody goes on there with the same devices: nothing that was
// read is new again, nothing that was not is old, and who leaves has left.
func TestServerMovesToACluster(t *testing.T) {
	t.Parallel()
	data, port := t.TempDir(), freePorts(t, 1)[0]
	old := newServer(t, "--data", data)
	old.start()
	ann, bob := newVisitor(t, old.addr), &visitor{tb: t, addr: old.addr, dir: t.TempDir()}
	in, state := bob.back(client.Config{Account: "bob", Password: bob.password("bob"), Register: true})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	enter(t, in, "kitchen")
	ann.comesBack() // With a file.
	out, outState := ann.back(client.Config{})
	for i := range 40 { // In the cluster some of these get the numbers that others have here.
		enter(t, out, fmt.Sprint("hall ", i))
	}
	enter(t, out, "kitchen")
	for i := range 3 {
		seq := say(t, out, "kitchen", fmt.Sprint("kitchen ", i))
		if i == 1 {
			read(t, in, "kitchen", seq)
		}
	}
	bob.leave(in, state)
	say(t, out, "dm/bob/visitor", "direct 0")
	in, state = bob.back(client.Config{})
	read(t, in, "dm/bob/visitor", history(t, in, "dm/bob/visitor", 0)[0].Seq)
	bob.leave(in, state)
	say(t, out, "dm/bob/visitor", "direct 1")
	ann.leave(out, outState)
	old.kill()

	nats := exec.Command(natsServer, "-js", "-sd", t.TempDir(), "-a", "127.0.0.1", "-p", fmt.Sprint(port))
	if err := nats.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nats.Process.Kill() // If it has ended already that is as good.
		_ = nats.Wait()         // It was killed.
	})
	to := []string{"--data", data, "--nats-replicas", "1"}
	url := fmt.Sprintf("nats://127.0.0.1:%d", port)
	for range 2 { // The second time there is nothing to do.
		if text, err := exec.CommandContext(ctx, program, append([]string{"migrate", "--to", url}, to...)...).CombinedOutput(); err != nil {
			t.Fatalf("migrate: %v: %s", err, text)
		}
	}
	moved := newServer(t, append(to, "--nats", url)...)
	moved.start()
	ann.addr, bob.addr = moved.addr, moved.addr
	in, state = bob.back(client.Config{})
	defer bob.leave(in, state)
	all, err := in.Conversations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{"kitchen": "[kitchen 2]", "dm/bob/visitor": "[direct 1]"}
	for _, c := range all {
		want, ok := wants[c.Log]
		if !ok {
			continue
		}
		delete(wants, c.Log)
		var unread []string
		for _, s := range history(t, in, c.Log, c.Mark) {
			unread = append(unread, s.Text)
		}
		if got := fmt.Sprint(unread); got != want {
			t.Errorf("in %s, read up to %d of %d, there is %s to read, want %s", c.Log, c.Mark, c.Head, got, want)
		}
	}
	if len(wants) > 0 {
		t.Errorf("without %v in the list of conversations", wants)
	}
	out, outState = ann.back(client.Config{})
	say(t, out, "kitchen", "kitchen 3")
	if got := history(t, in, "kitchen", 0); len(got) != 4 || got[0].Text != "kitchen 0" || got[3].Text != "kitchen 3" || !got[0].Time.Before(got[3].Time) {
		t.Errorf("in the end the room has %v", got)
	}
	path := filepath.Join(ann.dir, "moved")
	files, _, err := out.History(ctx, "files", client.Page{N: 10})
	for _, ev := range files {
		if f, ok := ev.(client.Said); ok && f.File != nil && err == nil {
			err = out.Download(ctx, "files", f.Seq, path, nil)
		}
	}
	if _, statErr := os.Stat(path); err != nil || statErr != nil {
		t.Errorf("the file: %v, %v", err, statErr)
	}
	if err := out.Leave(ctx, "kitchen"); err != nil {
		t.Error(err)
	}
	ann.leave(out, outState)
	people, err := in.Who(ctx, "kitchen")
	if err != nil || len(people) != 1 {
		t.Errorf("in the end there are %v, %v", people, err)
	}
	if err := ann.tryLogIn("visitor"); err != nil {
		t.Errorf("by password: %v", err)
	}
}

func enter(t *testing.T, c *client.Client, room string) {
	t.Helper()
	if _, err := c.Join(t.Context(), room, 0); err != nil {
		t.Fatal(err)
	}
}

func say(t *testing.T, c *client.Client, log, text string) (seq uint64) {
	t.Helper()
	m, err := c.Say(t.Context(), log, text)
	if err != nil {
		t.Fatal(err)
	}
	return m.Status().Seq
}

// read has everything up to a number be read, and waits until the server knows.
func read(t *testing.T, c *client.Client, log string, seq uint64) {
	t.Helper()
	c.Read(log, seq)
	await(t, "the server to know what was read", func() bool {
		all, err := c.Conversations(t.Context())
		i := slices.IndexFunc(all, func(one client.Conversation) bool { return one.Log == log })
		return err == nil && i >= 0 && all[i].Mark == seq
	})
}

// history returns what was said in a log after a number.
func history(t *testing.T, c *client.Client, log string, after uint64) (said []client.Said) {
	t.Helper()
	events, _, err := c.History(t.Context(), log, client.Page{N: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		if s, ok := ev.(client.Said); ok && s.Seq > after {
			said = append(said, s)
		}
	}
	return said
}
