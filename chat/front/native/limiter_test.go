package native

import (
	"net/netip"
	"testing"
	"time"
)

func TestBucketSaysHowLongToWait(t *testing.T) {
	now := time.Unix(1000, 0)
	p := pace{rate: 10, burst: 3}
	var b bucket
	for range 3 {
		if wait := b.take(now, p, 1); wait != 0 {
			t.Fatalf("within the burst: wait %v", wait)
		}
	}
	wait := b.take(now, p, 1)
	if wait != 100*time.Millisecond {
		t.Fatalf("beyond the burst: wait %v, want 100 ms", wait)
	}
	if again := b.take(now.Add(wait/2), p, 1); again != wait/2 {
		t.Errorf("half way: wait %v, want the other half", again)
	}
	if again := b.take(now.Add(wait), p, 1); again != 0 {
		t.Errorf("after waiting: wait %v", again)
	}
	if again := b.take(now, pace{rate: -1}, 1); again != 0 {
		t.Errorf("without limit: wait %v", again)
	}
}

// Strangers cannot make the limiter grow, nor hinder those who were there before.
func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLimiter[int](pace{rate: 1, burst: 2})
	l.take(now, -1, 1)
	for key := range 3 * limitedMax {
		l.take(now, key, 1)
	}
	if n := len(l.buckets); n != limitedMax {
		t.Errorf("got %d buckets, want %d", n, limitedMax)
	}
	if wait := l.take(now, -1, 1); wait != 0 {
		t.Errorf("the first one waits %v because of strangers", wait)
	}
	if wait := l.take(now, 3*limitedMax, 1); wait == 0 {
		t.Error("one without a bucket of its own was not limited")
	}
	if wait := l.take(now.Add(10*time.Second), 3*limitedMax, 1); wait != 0 || len(l.buckets) != 1 {
		t.Errorf("when all are full again: wait %v, %d buckets", wait, len(l.buckets))
	}
}

func TestNetworks(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.0/24", "2001:db8:1:2ff::1": "2001:db8:1:200::/56",
		"fe80::1%eth0": "fe80::/56", "127.0.0.1": "", "::1": "",
	} {
		p, limited := network(netip.MustParseAddr(addr))
		if limited != (want != "") || limited && p.String() != want {
			t.Errorf("%s: got %v, %v; want %q", addr, p, limited, want)
		}
	}
	if _, limited := network(netip.Addr{}); limited {
		t.Error("no address: limited")
	}
}
