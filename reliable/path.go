package reliable

import "net/netip"

// A Path is one way between two endpoints: an address on either side. The zero value names none.
type Path struct {
	Remote netip.AddrPort // the peer's, as we see it
	Local  netip.Addr     // ours; invalid or unspecified where the system does not tell
}

// A Datagram is what a Machine takes from the network and gives to it.
type Datagram struct {
	Path  Path
	ECN   ECN
	Bytes []byte // valid only during the call that hands it over
}

// ECN is the congestion mark in a datagram's IP header (RFC 3168, 5).
type ECN uint8

// The marks.
const (
	NotECT ECN = iota // the sender, or the way here, knows nothing of marks
	ECT1
	ECT0
	CE // a router on the way has a queue that is too long
)
