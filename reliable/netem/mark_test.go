package netem

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// pushMarked pushes datagrams of 972 bytes, one every 4 ms into a line that takes 8 ms for each, and counts the marks of
// those that come out.
func pushMarked(p Params, ecn ECN, n int) (came [4]int, c Counts, last time.Duration) {
	p.Rate = 1_000_000
	l := NewLink(p, 1, Up)
	for i := range n {
		l.PushMarked(time.Duration(i)*4*time.Millisecond, make([]byte, 1000-headerBytes), 0, ecn)
	}
	for packet, ok := l.PopPacket(time.Hour); ok; packet, ok = l.PopPacket(time.Hour) {
		came[packet.ECN]++
		last = packet.At
	}
	return came, l.Counts(), last
}

func TestBottleneckMarksAboveTheThresholdWhatMayBeMarked(t *testing.T) {
	// The wait grows by 4 ms a packet: of 10 packets with waits of 8, 12, … 44 ms those above 20 ms are marked.
	p := Params{Queue: 100 * time.Millisecond, Mark: 20 * time.Millisecond}
	came, c, _ := pushMarked(p, ECT0, 10)
	if came[ECT0] != 4 || came[CE] != 6 || c.Marked != 6 {
		t.Errorf("came %v, counted %d", came, c.Marked)
	}
	if came, c, _ := pushMarked(p, NotECT, 10); came[NotECT] != 10 || c.Marked != 0 {
		t.Errorf("not ECT: came %v, counted %d", came, c.Marked)
	}
	// A full queue drops in any case.
	if came, c, _ := pushMarked(p, ECT0, 100); c.DroppedFor[DroppedQueue] == 0 || came[CE]+came[ECT0]+int(c.Dropped()) != 100 {
		t.Errorf("came %v of 100, %d dropped", came, c.Dropped())
	}
}

func TestMarkingChangesNothingElse(t *testing.T) {
	p := Params{Loss: 0.1, Duplicate: 0.1, Jitter: 5 * time.Millisecond, Delay: 20 * time.Millisecond, Queue: 50 * time.Millisecond}
	marking := p
	marking.Mark = time.Millisecond
	_, plain, at := pushMarked(p, ECT0, 500)
	_, marked, markedAt := pushMarked(marking, ECT0, 500)
	if marked.Marked == 0 || marked.Kept != plain.Kept || at != markedAt {
		t.Errorf("kept %d of 500 until %v, with marks %d until %v", plain.Kept, at, marked.Kept, markedAt)
	}
}

func TestWayTreatsMarks(t *testing.T) {
	for name, c := range map[string]struct {
		marks Marks
		want  map[ECN]ECN // 255: dropped
	}{
		"pass":      {MarksPass, map[ECN]ECN{NotECT: NotECT, ECT0: ECT0, ECT1: ECT1, CE: CE}},
		"cleared":   {MarksCleared, map[ECN]ECN{NotECT: NotECT, ECT0: NotECT, ECT1: NotECT, CE: NotECT}},
		"congested": {MarksCongested, map[ECN]ECN{NotECT: NotECT, ECT0: CE, ECT1: CE, CE: CE}},
		"turned":    {MarksTurned, map[ECN]ECN{NotECT: NotECT, ECT0: ECT1, ECT1: ECT0, CE: CE}},
		"dropped":   {MarksDropped, map[ECN]ECN{NotECT: NotECT, ECT0: 255, ECT1: 255, CE: 255}},
	} {
		for sent, want := range c.want {
			l := NewLink(Params{Marks: c.marks, Duplicate: 1}, 1, Up)
			l.PushMarked(0, []byte("x"), 0, sent)
			p, ok := l.PopPacket(0)
			if ok != (want != 255) || ok && p.ECN != want {
				t.Errorf("%s: %d became %d, %v, want %d", name, sent, p.ECN, ok, want)
			}
			if again, ok := l.PopPacket(0); ok && again.ECN != want {
				t.Errorf("%s: the copy of %d became %d, want %d", name, sent, again.ECN, want)
			}
		}
	}
}

func TestSocketsCarryMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		defer n.Close()
		from, to := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2")
		a, err := n.ListenPacket(from)
		if err != nil {
			t.Fatal(err)
		}
		b, err := n.ListenPacket(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []ECN{ECT0, NotECT, CE} {
			a.WriteMarked([]byte("x"), to, want)
			if _, who, ecn, err := b.ReadMarked(make([]byte, 9)); err != nil || ecn != want || who != from {
				t.Errorf("mark %d from %v, %v, want %d", ecn, who, err, want)
			}
		}
	})
}
