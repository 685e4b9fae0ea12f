package server

import (
	"net/netip"
	"testing"
	"time"
)

func TestNetworkOfAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.77":        "192.0.2.0/24",
		"::ffff:192.0.2.77": "192.0.2.0/24",
		"2001:db8:1:2ff::1": "2001:db8:1:200::/56",
		"fe80::1%eth0":      "fe80::/56",
		"127.0.0.1":         "",
		"127.8.8.8":         "",
		"::ffff:127.0.0.1":  "",
		"::1":               "",
	} {
		got, limited := network(netip.MustParseAddr(addr))
		if limited != (want != "") || limited && got.String() != want {
			t.Errorf("network(%s) = %v, %v; want %q", addr, got, limited, want)
		}
	}
	if _, limited := network(netip.Addr{}); limited {
		t.Error("what has no IP address has no network")
	}
}

// Very many sources must not take a million entries, nor the allowance of those that are remembered.
func TestGateRemembersBoundedNumberOfNetworks(t *testing.T) {
	g := newGate(Config{AcceptPerSecond: 1, AcceptBurst: 2})
	now := time.Unix(1_700_000_000, 0)
	friend := netip.MustParsePrefix("192.0.2.0/24")
	if !g.admit(now, friend) {
		t.Fatal("friend refused")
	}
	admitted := 0
	for i := range 100_000 {
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10 + byte(i>>16), byte(i >> 8), byte(i), 0}), 24)
		if g.admit(now, from) {
			admitted++
		}
	}
	if len(g.networks) != networksMax {
		t.Errorf("%d networks remembered, want %d", len(g.networks), networksMax)
	}
	if want := networksMax - 1 + 2; admitted != want {
		t.Errorf("%d strangers admitted, want %d: those remembered, and two of all others", admitted, want)
	}
	if !g.admit(now, friend) || g.admit(now, friend) {
		t.Error("friend's allowance was changed by strangers")
	}
	// Those that came once have their allowance back after a second, the friend not yet.
	now = now.Add(sweepIntervalFull)
	g.admit(now, netip.MustParsePrefix("198.51.100.0/24"))
	if len(g.networks) != 2 {
		t.Errorf("%d networks remembered after a second, want the friend and the newcomer", len(g.networks))
	}
	now = now.Add(sweepInterval)
	g.sweep(now)
	if len(g.networks) != 0 {
		t.Errorf("%d networks remembered after a minute, want none", len(g.networks))
	}
}

func TestGateWithoutLimitRemembersNothing(t *testing.T) {
	g := newGate(Config{AcceptPerSecond: -1, AcceptBurst: 1})
	for range 1000 {
		if !g.admit(time.Unix(0, 0), netip.MustParsePrefix("192.0.2.0/24")) {
			t.Fatal("refused")
		}
	}
	if len(g.networks) != 0 {
		t.Error("remembers networks")
	}
}
