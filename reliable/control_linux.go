package reliable

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// batches says whether the system can send and receive many datagrams with one call.
const batches = true

// ecnBits are those of the traffic class that are the mark.
const ecnBits = 3

// askForECN has the kernel tell the marks of datagrams. It reports whether it will.
func askForECN(conn *net.UDPConn, v6 bool) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	err = raw.Control(func(fd uintptr) {
		// An IPv6 socket may carry IPv4, and tells that one's mark separately.
		ok = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVTOS, 1) == nil
		if v6 {
			ok = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVTCLASS, 1) == nil
		}
	})
	return ok && err == nil
}

// appendECN appends what marks a datagram.
func appendECN(b []byte, ecn ECN, v4 bool) []byte {
	if ecn == NotECT {
		return b
	}
	level, typ := int32(syscall.IPPROTO_IPV6), int32(syscall.IPV6_TCLASS)
	if v4 {
		level, typ = syscall.IPPROTO_IP, syscall.IP_TOS
	}
	return appendControl(b, level, typ, binary.NativeEndian.AppendUint32(nil, uint32(ecn)))
}

// UDP's own level, and what it is told there (linux/udp.h; the syscall package does not know it).
const (
	udpLevel   = syscall.IPPROTO_UDP
	udpSegment = 103
	udpGRO     = 104
)

// canCut reports whether the system cuts several datagrams out of one message (Linux 4.18 and later).
func canCut(conn *net.UDPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	err = raw.Control(func(fd uintptr) {
		_, err := syscall.GetsockoptInt(int(fd), udpLevel, udpSegment)
		ok = err == nil
	})
	return ok && err == nil
}

// askForJoined has the system join datagrams of one peer to one message, if it can (Linux 5.0 and later).
func askForJoined(conn *net.UDPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), udpLevel, udpGRO, 1) // Where it cannot, datagrams come one by one.
		})
	}
}

// appendCut appends what makes the system cut datagrams of so many bytes out of a message.
func appendCut(b []byte, size int) []byte {
	return appendControl(b, udpLevel, udpSegment, binary.NativeEndian.AppendUint16(nil, uint16(size)))
}

// The header of a control message: its length, whose size is the machine's, level and type. Messages begin at
// multiples of that size.
const (
	wordBytes          = int(unsafe.Sizeof(uintptr(0)))
	controlHeaderBytes = wordBytes + 8
)

func appendControl(b []byte, level, typ int32, data []byte) []byte {
	n := controlHeaderBytes + len(data)
	if wordBytes == 8 {
		b = binary.NativeEndian.AppendUint64(b, uint64(n))
	} else {
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
	}
	b = binary.NativeEndian.AppendUint32(b, uint32(level))
	b = binary.NativeEndian.AppendUint32(b, uint32(typ))
	b = append(b, data...)
	return append(b, make([]byte, -n&(wordBytes-1))...)
}

// parseControl returns what the kernel told: the local address, invalid if it did not, the mark, and the length of the
// datagrams that it has joined, 0 for none.
func parseControl(b []byte, _ bool) (local netip.Addr, ecn ECN, size int) {
	for len(b) >= controlHeaderBytes {
		n := int(binary.NativeEndian.Uint32(b))
		if wordBytes == 8 {
			n = int(binary.NativeEndian.Uint64(b))
		}
		if n < controlHeaderBytes || n > len(b) {
			return local, ecn, size // Cut: there was more than we asked for.
		}
		level := int(binary.NativeEndian.Uint32(b[wordBytes:]))
		typ := int(binary.NativeEndian.Uint32(b[wordBytes+4:]))
		data := b[controlHeaderBytes:n]
		switch {
		case level == syscall.IPPROTO_IP && typ == syscall.IP_PKTINFO && len(data) >= syscall.SizeofInet4Pktinfo:
			local = netip.AddrFrom4([4]byte(data[8:12])) // Interface, address of ours to answer from, destination.
		case level == syscall.IPPROTO_IPV6 && typ == syscall.IPV6_PKTINFO && len(data) >= syscall.SizeofInet6Pktinfo:
			local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
		case level == syscall.IPPROTO_IP && typ == syscall.IP_TOS && len(data) >= 1:
			ecn = ECN(data[0] & ecnBits)
		case level == syscall.IPPROTO_IPV6 && typ == syscall.IPV6_TCLASS && len(data) >= 4:
			ecn = ECN(binary.NativeEndian.Uint32(data) & ecnBits)
		case level == udpLevel && typ == udpGRO && len(data) >= 4:
			size = int(binary.NativeEndian.Uint32(data))
		}
		b = b[min(len(b), n+-n&(wordBytes-1)):]
	}
	return local, ecn, size
}
