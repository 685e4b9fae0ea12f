package labtest

import (
	"net"

	"golang.org/x/sys/unix"
)

// dataSegments returns how many segments with data a TCP connection has received, as the kernel counts them: what one
// read returns depends on who was faster.
func dataSegments(conn net.Conn) (n int, ok bool) {
	tcp, isTCP := conn.(*net.TCPConn)
	if !isTCP {
		return 0, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return 0, false
	}
	return int(info.Data_segs_in), true
}
