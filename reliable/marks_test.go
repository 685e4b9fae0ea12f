package reliable

import (
	"testing"
	"time"

	"udpchat/reliable/netem"
)

// remark has every datagram that has a mark leave with another.
func remark(to func(n int) ECN) func(f *flying) bool {
	n := 0
	return func(f *flying) bool {
		if f.ecn != NotECT {
			n++
			f.ecn = to(n)
		}
		return true
	}
}

// chat lets both sides say something so many times.
func (d *couple) chat(times int) {
	for range times {
		d.client.Write([]byte("to the server"))
		d.server.Write([]byte("to the client"))
		d.run(100 * time.Millisecond)
	}
}

// markedSince returns how many marked packets both sides sent during f.
func (d *couple) markedSince(f func()) (sent [2]uint64) {
	c, s := d.client.Stats().MarkedSent, d.server.Stats().MarkedSent
	f()
	return [2]uint64{d.client.Stats().MarkedSent - c, d.server.Stats().MarkedSent - s}
}

func TestMarksAreUsedWhereTheWayBearsThem(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.chat(20)
		for _, m := range []*Machine{d.client, d.server} {
			if s := m.Stats(); !s.Marks || s.MarksFailed != 0 || s.MarkedCE != 0 {
				t.Errorf("%+v", s)
			}
		}
		before := d.client.Stats().DatagramsSent
		if sent := d.markedSince(func() { d.chat(10) }); sent[0] != d.client.Stats().DatagramsSent-before {
			t.Errorf("%d of %d datagrams marked", sent[0], d.client.Stats().DatagramsSent-before)
		}
	})
}

func TestHandshakeHasNoMarks(t *testing.T) {
	inWorld(t, netem.Params{Delay: 50 * time.Millisecond, Marks: netem.MarksDropped}, Config{}, func(w *world) {
		start := time.Now()
		w.connect()
		if took := time.Since(start); took > 155*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestMarksEndWhereTheWayDoesNotBearThem(t *testing.T) {
	for name, to := range map[string]func(n int) ECN{
		"cleared":           func(int) ECN { return NotECT },
		"ECT(1)":            func(int) ECN { return ECT1 },
		"all CE":            func(int) ECN { return CE },
		"cleared later":     func(n int) ECN { return map[bool]ECN{true: ECT0, false: NotECT}[n < 100] },
		"every other clear": func(n int) ECN { return ECN(n % 2 * int(ECT0)) },
	} {
		t.Run(name, func(t *testing.T) {
			inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
				d.pass = remark(to)
				d.chat(5)
				d.client.marks.restart()
				d.server.marks.restart()
				d.chat(100)
				if sent := d.markedSince(func() { d.chat(30) }); sent != [2]uint64{} {
					t.Errorf("%v packets are still marked", sent)
				}
				if s := d.client.Stats(); s.Marks || s.LossSent > 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// A way that drops what is marked costs no more than a moment.
func TestMarksEndWhereTheyAreDropped(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.client.marks.restart()
		d.server.marks.restart()
		d.pass = func(f *flying) bool { return f.ecn == NotECT }
		start := time.Now()
		for range 20 {
			d.talk(d.client, "to the server")
			d.talk(d.server, "to the client")
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("20 questions and answers took %v", took)
		}
		if sent := d.markedSince(func() { d.chat(10) }); sent != [2]uint64{} {
			t.Errorf("%v packets are still marked", sent)
		}
	})
}

// A way may become one that drops what is marked while the addresses stay.
func TestMarksEndWhenTheyAreDroppedFromNowOn(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.chat(20)
		d.pass = func(f *flying) bool { return f.ecn == NotECT }
		start := time.Now()
		d.talk(d.client, "is anybody there?")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestMarksAreTriedAnewOnAnotherWay(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.pass = remark(func(int) ECN { return NotECT })
		d.chat(30)
		if d.client.Stats().Marks || d.server.Stats().Marks {
			t.Fatal("marks that do not come are used")
		}
		d.pass, d.here = nil, otherHost
		d.chat(30)
		if c, s := d.client.Stats(), d.server.Stats(); s.Roams != 1 || !c.Marks || !s.Marks {
			t.Errorf("after %d moves: client %v, server %v", s.Roams, c.Marks, s.Marks)
		}
	})
}

func TestNoECNSendsNoMarks(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{NoECN: true}, func(d *couple) {
		d.chat(20)
		if c, s := d.client.Stats(), d.server.Stats(); c.MarkedSent+s.MarkedSent != 0 {
			t.Errorf("%d and %d", c.MarkedSent, s.MarkedSent)
		}
	})
}

// While a router marks congestion nothing leaves that need not; afterwards it does again.
func TestCongestionMarksStopRedundancy(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		n := 0
		lose := func(f *flying) bool { n++; return n%12 != 0 }
		d.pass = lose
		repairs := func(f func()) uint64 {
			before := d.client.Stats().RepairSent
			f()
			return d.client.Stats().RepairSent - before
		}
		d.chat(100)
		before := repairs(func() { d.chat(50) })
		d.pass = func(f *flying) bool {
			if f.toServer && f.ecn == ECT0 {
				f.ecn = CE
			}
			return lose(f)
		}
		d.chat(10)
		during := repairs(func() { d.chat(50) })
		d.pass = lose
		d.chat(10)
		after := repairs(func() { d.chat(50) })
		if before < 50 || during > 5 || after < 50 || d.client.Stats().MarkedCE < 50 {
			t.Errorf("50 messages had %d copies, during congestion %d, and %d after that; %d marks", before, during, after, d.client.Stats().MarkedCE)
		}
	})
}
