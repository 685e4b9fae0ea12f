package proxy

import (
	"testing"
	"time"

	"udpchat/reliable"
)

// Only a peer that has been sent something and has said nothing since is suspect, and only after a while.
func TestSilence(t *testing.T) {
	var s silence
	start := time.Unix(1000, 0)
	for i, c := range []struct {
		at             time.Duration
		sent, received uint64
		want           bool
	}{
		{0, 5, 5, false},                                 // Talking.
		{time.Second, 6, 6, false},                       //
		{time.Hour, 6, 6, false},                         // Idle.
		{time.Hour + time.Second, 7, 6, false},           // Something is sent.
		{time.Hour + 2*time.Second, 9, 6, false},         //
		{time.Hour + 4*time.Second, 9, 6, true},          // Nothing has come.
		{time.Hour + 5*time.Second, 9, 7, false},         // Something has.
		{time.Hour + 6*time.Second, 10, 7, false},        // And again.
		{time.Hour + 9500*time.Millisecond, 11, 7, true}, //
	} {
		now := start.Add(c.at)
		s.look(now, reliable.ConnStats{DatagramsSent: c.sent, DatagramsReceived: c.received})
		if got := s.long(now); got != c.want {
			t.Errorf("step %d: suspect %v", i, got)
		}
	}
}
