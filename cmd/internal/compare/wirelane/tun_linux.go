package wirelane

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// device is the name of the TUN device in either namespace.
const device = "wire0"

// openTUN makes the device in the caller's namespace, gives it its address, and returns its descriptor, which does not
// block: a read takes one IP packet, a write gives one.
func openTUN(local, remote netip.Addr) (fd int, err error) {
	fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, explainTUN(err)
	}
	if err := setUpTUN(fd, local, remote); err != nil {
		_ = unix.Close(fd) // Nothing was written.
		return -1, err
	}
	return fd, nil
}

// explainTUN says in one line why there is no TUN device.
func explainTUN(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("no /dev/net/tun (load the kernel's tun module, or give the container that device): %w", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("/dev/net/tun is not open to this user (most systems have it at mode 0666): %w", err)
	}
	return fmt.Errorf("opening /dev/net/tun: %w", err)
}

func setUpTUN(fd int, local, remote netip.Addr) error {
	ifr, err := unix.NewIfreq(device)
	if err != nil {
		return fmt.Errorf("device %s: %w", device, err)
	}
	// No packet information in front of packets. And no IFF_VNET_HDR: with it the kernel would hand over segments of 64 KB
	// without checksums, which no wire carries.
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return fmt.Errorf("making a TUN device (where user namespaces give no rights, see sysctl "+
			"kernel.apparmor_restrict_unprivileged_userns): %w", err)
	}
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("configuring %s: %w", device, err)
	}
	defer unix.Close(control)
	for _, step := range []struct {
		name    string
		request uint
		set     func(*unix.Ifreq) error
	}{
		{"MTU", unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(mtu); return nil }},
		{"address", unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(local.AsSlice()) }},
		{"peer", unix.SIOCSIFDSTADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(remote.AsSlice()) }},
		{"flags", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		r, err := unix.NewIfreq(device)
		if err == nil {
			err = step.set(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(control, step.request, r)
		}
		if err != nil {
			return fmt.Errorf("configuring %s: %s: %w", device, step.name, err)
		}
	}
	if err := setQueue(device, deviceQueuePackets); err != nil {
		return fmt.Errorf("configuring %s: queue: %w", device, err)
	}
	return nil
}

// overflows returns how many packets the caller's namespace wanted to send and its device's queue had no room for.
func overflows() (uint64, error) {
	b, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return 0, fmt.Errorf("counters of %s: %w", device, err)
	}
	for line := range strings.Lines(string(b)) {
		name, counters, _ := strings.Cut(line, ":")
		// Eight counters of what was received, then bytes, packets, errors and drops of what was sent.
		if fields := strings.Fields(counters); strings.TrimSpace(name) == device && len(fields) > 11 {
			return strconv.ParseUint(fields[11], 10, 64)
		}
	}
	return 0, fmt.Errorf("counters of %s: it is not in /proc/net/dev", device)
}
