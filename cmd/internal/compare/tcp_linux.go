package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// congestionControl chooses a socket's congestion control.
func congestionControl(name string) Control {
	return func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) {
			set = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, name)
		})
		if errors.Is(set, fs.ErrNotExist) {
			return errors.New(noCongestionControl(name))
		}
		return errors.Join(err, set)
	}
}

// describeTCP returns what is in force on a connection.
func describeTCP(conn net.Conn) (string, error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return "", fmt.Errorf("a %T is not the kernel's TCP", conn)
	}
	multipath, err := tcp.MultipathTCP()
	if err != nil {
		return "", fmt.Errorf("multipath TCP: %w", err)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return "", err
	}
	var congestion string
	var noDelay int
	var failed error
	err = raw.Control(func(fd uintptr) {
		var err error
		congestion, failed = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
		noDelay, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
		failed = errors.Join(failed, err)
	})
	if err := errors.Join(err, failed); err != nil {
		return "", fmt.Errorf("options of a socket: %w", err)
	}
	note := "congestion control " + congestion
	if noDelay == 0 {
		note += ", with Nagle's algorithm"
	}
	if multipath {
		note += ", multipath"
	}
	return note, nil
}
