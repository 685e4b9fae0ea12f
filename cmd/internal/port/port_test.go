package port

import (
	"fmt"
	"net"
	"slices"
	"testing"
)

// Both halves of each port can be had, no port is there twice, and the system gives none of them to somebody else.
func TestFreePortsAreFreeAndDifferent(t *testing.T) {
	const n = 50
	ports, err := Free(n)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ports)
	if len(slices.Compact(slices.Clone(ports))) != n || ports[0] < first || ports[n-1] > last {
		t.Errorf("got %v", ports)
	}
	for _, p := range ports[:5] {
		addr := fmt.Sprintf("127.0.0.1:%d", p)
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("TCP: %v", err)
			continue
		}
		tcp.Close()
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			t.Errorf("UDP: %v", err)
			continue
		}
		udp.Close()
	}
}
