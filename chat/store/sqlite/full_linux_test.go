package sqlite_test

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

	"udpchat/chat"
	"udpchat/chat/store/sqlite"
)

const envFullDisk = "SQLITE_TEST_FULL_DISK"

const envReadOnly = "SQLITE_TEST_READ_ONLY"

// A store whose file was made read-only, for root too, is not opened: a server on it would let nobody in.
func TestReadOnlyStoreIsNotOpened(t *testing.T) {
	if os.Getenv(envReadOnly) == "" {
		withOwnMounts(t, envReadOnly)
		return
	}
	dir := filepath.Join(os.Getenv(envReadOnly), "data")
	e := open(t, dir, sqlite.Config{})
	if _, err := e.Append(t.Context(), "kitchen", "ann-1", nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(dir, "udpchat.db")
	if err := syscall.Mount(db, db, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("no rights to mount: %v", err)
	}
	defer syscall.Unmount(db, syscall.MNT_DETACH)
	if err := syscall.Mount("", db, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatalf("no rights to mount: %v", err)
	}
	if _, err := sqlite.Open(dir, sqlite.Config{}); !errors.Is(err, chat.ErrUnwritable) {
		t.Errorf("Open: %v, want ErrUnwritable", err)
	}
}

// TestFullDiskRefusesAndRecovers is TestFullStoreRefusesAndRecovers on a disk of 8 MiB that is really full: a process with
// a view of the file system of its own mounts one in memory.
func TestFullDiskRefusesAndRecovers(t *testing.T) {
	if os.Getenv(envFullDisk) != "" {
		onFullDisk(t)
		return
	}
	withOwnMounts(t, envFullDisk)
}

// withOwnMounts runs the test again, in a process that may mount what it likes, with a directory in a variable.
func withOwnMounts(t *testing.T, env string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EINVAL),
		errors.Is(err, errors.ErrUnsupported), strings.Contains(string(out), "no rights to mount"):
		t.Skipf("no file system of our own here: %v %s", err, out)
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
}

func onFullDisk(t *testing.T) {
	disk := os.Getenv(envFullDisk)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Fatalf("no rights to mount: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(disk, "data")
	e := open(t, dir, sqlite.Config{})
	n, err := fillUp(t, e)
	if !errors.Is(err, chat.ErrFull) {
		t.Fatalf("after %d messages: %v, want ErrFull", n, err)
	}
	t.Logf("after %d messages: %v", n, err)
	if err := e.Health(); err != nil && !errors.Is(err, chat.ErrFull) { // Something small may still fit.
		t.Errorf("Health: %v", err)
	}
	if got := all(t, e, "kitchen"); len(got) != n {
		t.Errorf("%d messages are there, %d were stored", len(got), n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := e.Health(); err != nil {
		t.Errorf("Health with space again: %v", err)
	}
	m, err := e.Append(context.Background(), "kitchen", fmt.Sprint("ann-", n), nil)
	if err != nil || m.Seq != uint64(n+1) {
		t.Errorf("Append with space again: %d, %v, want %d", m.Seq, err, n+1)
	}
	if err := e.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := all(t, open(t, dir, sqlite.Config{}), "kitchen"); len(got) != n+1 {
		t.Errorf("%d messages after all, want %d", len(got), n+1)
	}
}
