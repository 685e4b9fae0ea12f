package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"udpchat/chat/wire/native"
	"udpchat/client"
)

// diskScript mounts a small disk over $0 that only the server sees, leaves little room on it and becomes the server.
const diskScript = `mount -t tmpfs -o size=12m tmpfs "$0" && head -c 8000000 /dev/zero > "$0/ballast" && exec "$@"`

// A server whose disk is full says that it is, acknowledges nothing, and stores everything when there is room again.
func TestFullDiskAcknowledgesNothingAndRecovers(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	s := newServer(t, "--data", filepath.Join(disk, "data"))
	s.wrap = func(cmd *exec.Cmd) *exec.Cmd {
		in := exec.Command("sh", append([]string{"-c", diskScript, disk}, cmd.Args...)...)
		in.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		return in
	}
	if err := s.wrap(exec.Command("true")).Run(); err != nil {
		t.Skipf("no file system of our own here: %v", err)
	}
	s.start()
	people := newPeople(t, 0, 2, s.addr)
	p := people[0]
	ballast := strings.Repeat("much ", 10_000)
	var why error
	for why == nil { // One after the other, until one is not stored.
		n := len(p.said)
		m, err := p.Send(rooms[n%len(rooms)], fmt.Sprintf("%s says %d %s", p.name, n, ballast))
		if err != nil {
			t.Fatal(err)
		}
		p.said = append(p.said, m) // Nobody else looks yet.
		await(t, "the message to be stored or refused", func() bool {
			why = m.Status().Err
			return why != nil || m.Status().State == client.Stored
		})
	}
	if refusal, ok := errors.AsType[native.Error](why); !ok || refusal.Code != native.CodeUnavailable {
		t.Errorf("the client is told: %v", why)
	}
	before := stored(people)
	if err := os.Remove(fmt.Sprintf("/proc/%d/root%s/ballast", s.cmd.Process.Pid, disk)); err != nil {
		t.Fatal(err)
	}
	took := await(t, "something to be stored again", func() bool { return stored(people) > before })
	t.Logf("after %d messages of %d bytes; %v after there is room again: %v", before, len(ballast), took, check(t, people[1], people))
}
