package reliable

import (
	"net"
	"syscall"
)

// sendWhole has the system neither cut a socket's datagrams into fragments nor believe what routers say about sizes, which
// anybody can forge: too large ones vanish or are refused, and the search for the right size sees it (RFC 8899, 3). It
// reports whether the system can.
func sendWhole(conn *net.UDPConn, v6 bool) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	err = raw.Control(func(fd uintptr) {
		ok = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_PROBE) == nil
		if v6 { // Such a socket carries both.
			ok = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_MTU_DISCOVER, syscall.IPV6_PMTUDISC_PROBE) == nil
		}
	})
	return ok && err == nil
}
