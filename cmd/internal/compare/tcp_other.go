//go:build !linux

package compare

import (
	"errors"
	"net"
	"syscall"
)

var errNoTCP = errors.New("choosing TCP's congestion control needs Linux")

// congestionControl refuses: without it nobody knows what was measured.
func congestionControl(string) Control {
	return func(string, string, syscall.RawConn) error { return errNoTCP }
}

func describeTCP(net.Conn) (string, error) { return "", errNoTCP }
