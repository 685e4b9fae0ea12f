package reliable

import (
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// What the kernel tells of a datagram beside its bytes, and is told, are control messages (RFC 3542). ECN in them
// is Linux's own affair.

// askForLocal has the kernel tell the local addresses of datagrams. It reports whether it will.
func askForLocal(conn *net.UDPConn, v6 bool) bool {
	if v6 {
		return ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true) == nil
	}
	return ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true) == nil
}

// appendLocal appends what makes a datagram leave from the address, if it is valid. An IPv4 datagram takes IPv4 control
// messages on either kind of socket.
func appendLocal(b []byte, from netip.Addr) []byte {
	switch {
	case !from.IsValid():
		return b
	case from.Is4():
		return append(b, (&ipv4.ControlMessage{Src: from.AsSlice()}).Marshal()...)
	}
	return append(b, (&ipv6.ControlMessage{Src: from.AsSlice()}).Marshal()...)
}
