package wirelane

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"udpchat/reliable/netem"
)

// A cable carries IP packets between two TUN devices through a link per direction. One goroutine on a thread of its own
// does it all, so that no packet waits for a scheduler or a lock: it sleeps in ppoll until a device has something or
// something is due.
type cable struct {
	start time.Time
	done  chan struct{}

	mu     sync.Mutex // Held while packets move, not while the cable sleeps.
	cut    bool
	err    error
	sides  [2]*strand // By netem.Direction.
	timing lateness
}

// strand is one direction.
type strand struct {
	in, out int // Descriptors.
	link    *netem.Link
	side    Side
	tcp     tcpSplit
}

// lay connects two devices, which the cable owns from now on.
func lay(near, far int, profile netem.Profile, seed uint64) *cable {
	c := &cable{start: time.Now(), done: make(chan struct{})}
	c.sides[netem.Up] = newStrand(near, far, netem.NewLink(profile.Up, seed, netem.Up))
	c.sides[netem.Down] = newStrand(far, near, netem.NewLink(profile.Down, seed, netem.Down))
	go c.run() // Owns the descriptors; ends after cut is set.
	return c
}

func newStrand(in, out int, link *netem.Link) *strand {
	s := &strand{in: in, out: out, link: link}
	link.Record(func(v netem.Verdict) {
		if v.Fate != netem.Kept && len(s.side.Drops) < dropsMax {
			s.side.Drops = append(s.side.Drops, Drop{AtMs: milliseconds(v.At), Bytes: v.Size, Reason: v.Fate.String()})
		}
	})
	return s
}

// close takes the cable away and returns what happened on it.
func (c *cable) close() (Wire, error) {
	c.mu.Lock()
	c.cut = true
	c.mu.Unlock()
	<-c.done
	w := c.wire()
	return w, errors.Join(c.err, unix.Close(c.sides[0].in), unix.Close(c.sides[0].out))
}

// wire returns what happened so far.
func (c *cable) wire() Wire {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Wire{Up: c.sides[netem.Up].report(), Down: c.sides[netem.Down].report(), Timing: c.timing.timing()}
}

// dropped is how many packets both links have dropped.
func (c *cable) dropped() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	up, down := c.sides[netem.Up].link.Counts(), c.sides[netem.Down].link.Counts()
	return up.Dropped() + down.Dropped()
}

func (s *strand) report() Side {
	side, counts := s.side, s.link.Counts()
	side.Drops = append([]Drop(nil), side.Drops...)
	side.Packets, side.Bytes = counts.Pushed, counts.PushedBytes
	side.PacketsArrived, side.BytesArrived = counts.Delivered, counts.DeliveredBytes
	for _, fate := range netem.Fates() {
		if n := counts.DroppedFor[fate]; n > 0 {
			if side.Dropped == nil {
				side.Dropped = make(map[string]uint64)
			}
			side.Dropped[fate.String()] = n
		}
	}
	side.TCP = s.tcp.report()
	return side
}

func (c *cable) run() {
	defer close(c.done)
	runtime.LockOSThread() // Never unlocked: the thread's timer slack is not as others want it.
	beOnTime()
	buf := make([]byte, packetBytesMax)
	for {
		wait, ok := c.move(buf)
		if !ok {
			return
		}
		asleep := time.Now()
		err := c.sleep(wait)
		c.mu.Lock()
		if err != nil {
			c.err = fmt.Errorf("wirelane: waiting for packets: %w", err)
			c.cut = true
		}
		c.timing.woke(time.Since(asleep) - wait)
		c.mu.Unlock()
	}
}

// beOnTime asks the kernel to run the caller's thread as soon as it wakes up. Anybody may ask for both of these; where the
// kernel refuses, Timing tells what it did instead.
func beOnTime() {
	// By default it may wake a sleeper 50 µs late to save power.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	// The shorter the slice a thread asks for, the sooner it gets it (Linux 6.12; it ran for milliseconds before).
	if attr, err := unix.SchedGetAttr(0, 0); err == nil && attr.Policy == unix.SCHED_NORMAL { // Not if somebody gave us better.
		attr.Runtime = uint64(sliceMin)
		_ = unix.SchedSetAttr(0, attr, 0)
	}
}

// sliceMin is the shortest slice of processor time one can ask for.
const sliceMin = 100 * time.Microsecond

// sleep waits for a packet or until wait is over.
func (c *cable) sleep(wait time.Duration) error {
	fds := []unix.PollFd{
		{Fd: int32(c.sides[0].in), Events: unix.POLLIN},
		{Fd: int32(c.sides[1].in), Events: unix.POLLIN},
	}
	timeout := unix.NsecToTimespec(int64(wait))
	_, err := unix.Ppoll(fds, &timeout, nil)
	if errors.Is(err, unix.EINTR) {
		return nil // A signal of the runtime: look around and sleep again.
	}
	return err
}

// move takes packets in, writes those that are due, and returns how long there is nothing to do; ok is false at the end.
func (c *cable) move(buf []byte) (wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return 0, false
	}
	full := false
	for _, s := range c.sides {
		full = s.take(c.start, buf) || full
	}
	wait = waitMax
	for _, s := range c.sides {
		s.give(c.start, &c.timing)
		if at, some := s.link.NextAt(); some {
			wait = min(wait, max(0, at-time.Since(c.start)))
		}
	}
	if full {
		wait = 0
	}
	return wait, true
}

// take pushes what the device has, up to a limit; full says that there may be more.
func (s *strand) take(start time.Time, buf []byte) (full bool) {
	for range readsAtOnce {
		n, err := unix.Read(s.in, buf)
		if err != nil || n <= 0 {
			return false // EAGAIN; anything else shows as silence, and in the run's result.
		}
		// Router solicitations and their like must not shift the link's schedule.
		if n < ipv4HeaderMin || buf[0]>>4 != 4 {
			s.side.OtherPackets++
			continue
		}
		s.tcp.note(buf[:n])
		s.link.PushIP(time.Since(start), buf[:n])
	}
	return true
}

// give writes what is due.
func (s *strand) give(start time.Time, timing *lateness) {
	for {
		now := time.Since(start)
		p, ok := s.link.PopPacket(now)
		if !ok {
			return
		}
		// A damaged header is refused by the kernel; on a real wire that packet would be lost as well.
		if _, err := unix.Write(s.out, p.Data); err != nil {
			s.side.WriteErrors++
		}
		timing.note(time.Since(start) - p.At)
	}
}
