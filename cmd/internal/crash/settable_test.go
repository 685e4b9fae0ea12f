//go:build unix

package crash

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Signals to a program that was built by buildSettable: its clock is set so far from where it is.
var (
	hourAhead = syscall.Signal(40)
	hourBack  = syscall.Signal(41)
)

// settableTime is added to package time, whose Now adds setBy, and settableSignal to package os/signal: every program that
// takes signals takes ours as well.
const (
	settableTime = `package time

import "sync/atomic"

var setBy atomic.Int64 // Seconds.

func SetBy(d Duration) { setBy.Add(int64(d / Second)) }
`
	// The last file of its package: its init needs what the others have done in theirs.
	settableSignal = `package signal

import (
	"os"
	"syscall"
	"time"
)

func init() {
	c := make(chan os.Signal, 16)
	Notify(c, syscall.Signal(40), syscall.Signal(41))
	go func() {
		for s := range c {
			if s == syscall.Signal(40) {
				time.SetBy(time.Hour)
			} else {
				time.SetBy(-time.Hour)
			}
		}
	}()
}
`
)

// buildSettable builds a program whose clock can be set by a signal while it runs, as an administrator sets that of the
// machine: the time of day jumps, the clock that only ever goes forward does not. The program's own sources are what they
// are; the standard library is built anew with a few lines more, which takes minutes the first time.
func buildSettable(tb testing.TB, pkg string) string {
	tb.Helper()
	dir := tb.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		tb.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	const now, read = "func Now() Time {\n", "\tsec, nsec, mono := runtimeNow()\n"
	b, err := os.ReadFile(filepath.Join(src, "time", "time.go"))
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.Replace(string(b), now+read, now+read+"\tsec += setBy.Load()\n", 1)
	if text == string(b) {
		tb.Fatal("this Go's time.Now is another one than this test knows")
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(src, "time", "time.go"):          write("time.go", text),
		filepath.Join(src, "time", "settable.go"):      write("settable.go", settableTime),
		filepath.Join(src, "os/signal/zz_settable.go"): write("signal.go", settableSignal),
	}})
	if err != nil {
		tb.Fatal(err)
	}
	program := filepath.Join(dir, "settable")
	begin := time.Now()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-overlay", write("overlay.json", string(overlay)), "-o", program, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	tb.Logf("%s with a clock that can be set was built in %v", pkg, time.Since(begin).Round(time.Second))
	return program
}
