//go:build !linux

package reliable

import (
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// batches says whether the system can send and receive many datagrams with one call.
const batches = false

// askForECN has the kernel tell the marks of datagrams. It reports whether it will.
func askForECN(*net.UDPConn, bool) bool { return false }

// appendECN appends what marks a datagram.
func appendECN(b []byte, _ ECN, _ bool) []byte { return b }

// canCut reports whether the system cuts several datagrams out of one message.
func canCut(*net.UDPConn) bool { return false }

// appendCut appends what makes the system cut datagrams of so many bytes out of a message.
func appendCut(b []byte, _ int) []byte { return b }

// askForJoined has the system join datagrams of one peer to one message, if it can.
func askForJoined(*net.UDPConn) {}

// parseControl returns what the kernel told: the local address, invalid if it did not, the mark, and the length of the
// datagrams that it has joined, 0 for none.
func parseControl(b []byte, v6 bool) (local netip.Addr, ecn ECN, size int) {
	var ip net.IP
	if v6 {
		var cm ipv6.ControlMessage
		if len(b) > 0 && cm.Parse(b) == nil {
			ip = cm.Dst
		}
	} else {
		var cm ipv4.ControlMessage
		if len(b) > 0 && cm.Parse(b) == nil {
			ip = cm.Dst
		}
	}
	if a, ok := netip.AddrFromSlice(ip); ok {
		return a.Unmap(), NotECT, 0
	}
	return netip.Addr{}, NotECT, 0
}
