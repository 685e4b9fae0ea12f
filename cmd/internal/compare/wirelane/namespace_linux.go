package wirelane

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// A place is a thread that lives in a network namespace of its own and runs functions there. Sockets stay in the namespace
// they were made in, whoever uses them later.
type place struct {
	work chan func()
	gone chan struct{}
}

// newPlace makes a network namespace. The process needs the right to: inside a user namespace it has it.
func newPlace() (*place, error) {
	p := &place{work: make(chan func()), gone: make(chan struct{})}
	made := make(chan error)
	go func() { // Owns its thread for good; ends with close.
		defer close(p.gone)
		// Never unlocked: the thread would take other goroutines into the namespace. It ends with the goroutine instead.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		made <- err
		if err != nil {
			return
		}
		for f := range p.work {
			f()
		}
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	return p, nil
}

// do runs f in the namespace and waits for it. Goroutines that f starts are outside.
func (p *place) do(f func() error) error {
	done := make(chan error, 1)
	p.work <- func() { done <- f() }
	return <-done
}

// close lets the thread go; the namespace lives on while sockets of it do.
func (p *place) close() {
	close(p.work)
	<-p.gone
}

// quiet makes the settings of the caller's namespace that keep runs apart and the wire free of chatter. It returns what
// could not be set, for people: a read-only /proc is common in containers, and fresh namespaces do without.
func quiet() (notes []string) {
	for _, s := range []struct{ path, value, why string }{
		{"ipv4/tcp_no_metrics_save", "1", "TCP may remember its peer within this run"},
		{"ipv6/conf/all/disable_ipv6", "1", "IPv6 chatter is dropped by the wire"},
		{"ipv6/conf/default/disable_ipv6", "1", "IPv6 chatter is dropped by the wire"},
	} {
		err := os.WriteFile(filepath.Join("/proc/sys/net", s.path), []byte(s.value), 0)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s not set (%v): %s", s.path, err, s.why))
		}
	}
	return notes
}
