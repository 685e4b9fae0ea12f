package wirelane

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// World is where a job runs: two ends of a wire. The process itself is at the near end, the client's: every socket it makes
// is there, but for those made inside [World.AtFar].
type World struct {
	far    *place
	cable  *cable
	kernel Kernel
	note   func(any) error
}

// newWorld makes the far end and the wire. The process must be alone in its network namespace.
func newWorld(o order, note func(any) error) (*World, error) {
	if err := o.Profile.Up.Validate(); err != nil {
		return nil, fmt.Errorf("wirelane: up: %w", err)
	}
	if err := o.Profile.Down.Validate(); err != nil {
		return nil, fmt.Errorf("wirelane: down: %w", err)
	}
	w := &World{kernel: Kernel{Release: release(), CongestionControl: congestionControls()}, note: note}
	w.kernel.Notes = quiet()
	near, err := openTUN(nearAddr, farAddr)
	if err != nil {
		return nil, fmt.Errorf("wirelane: near end: %w", err)
	}
	if w.far, err = newPlace(); err != nil {
		return nil, fmt.Errorf("wirelane: far end: %w", err)
	}
	far := -1
	err = w.far.do(func() (err error) {
		quiet() // The near end has told.
		far, err = openTUN(farAddr, nearAddr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("wirelane: far end: %w", err)
	}
	w.cable = lay(near, far, o.Profile, o.Seed)
	return w, nil
}

// Near returns the address of the near end, the client's.
func (w *World) Near() netip.Addr { return nearAddr }

// Far returns the address of the far end, the server's.
func (w *World) Far() netip.Addr { return farAddr }

// AtFar runs f at the far end, one call at a time, and returns its error. Sockets made in it, by f itself and not by
// goroutines it starts, stay there; use them anywhere.
func (w *World) AtFar(f func() error) error { return w.far.do(f) }

// Began returns when the wire was laid: time 0 of its links.
func (w *World) Began() time.Time { return w.cable.start }

// Wire returns what has happened on the wire so far.
func (w *World) Wire() Wire {
	wire := w.cable.wire()
	wire.Kernel = w.kernel
	return wire
}

// Dropped is how many packets the links have dropped so far.
func (w *World) Dropped() uint64 { return w.cable.dropped() }

// Note tells whoever waits for the run how it goes; v must survive JSON.
func (w *World) Note(v any) error { return w.note(v) }

// close takes the wire away.
func (w *World) close() (Wire, error) {
	var down uint64
	runtime.LockOSThread() // So that the near end's counters are read on one thread.
	up, upErr := overflows()
	runtime.UnlockOSThread()
	downErr := w.far.do(func() (err error) {
		down, err = overflows()
		return err
	})
	wire, err := w.cable.close()
	w.far.close()
	wire.Kernel = w.kernel
	wire.Up.Overflows, wire.Down.Overflows = up, down
	return wire, errors.Join(err, upErr, downErr)
}

// marshal makes v ready to travel between the processes.
func marshal(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("wirelane: %w", err)
	}
	return b, nil
}

// release is the kernel's version, empty if it does not tell.
func release() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// congestionControls lists what the kernel offers in this namespace, nil if it does not tell.
func congestionControls() []string {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_available_congestion_control")
	if err != nil {
		return nil
	}
	return strings.Fields(string(b))
}
