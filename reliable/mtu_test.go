package reliable

import (
	"bytes"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// A sizer lets datagrams through that are not too large for the way in their direction; 0: any.
type sizer struct{ up, down int }

func (s *sizer) pass(f *flying) bool {
	limit := s.down
	if f.toServer {
		limit = s.up
	}
	return limit == 0 || len(f.b) <= limit
}

// flow has both sides write for so long, 10 KB every 10 ms if there is room, and returns the longest silence at the
// client and at the server.
func (d *couple) flow(span time.Duration) (silence [2]time.Duration) {
	d.Helper()
	start, last := time.Now(), [2]time.Time{time.Now(), time.Now()}
	for time.Since(start) < span {
		for _, m := range []*Machine{d.client, d.server} {
			m.Write(make([]byte, 10<<10))
		}
		before := [2]int{d.got[0].Len(), d.got[1].Len()}
		d.run(10 * time.Millisecond)
		for i := range last {
			if d.got[i].Len() > before[i] {
				last[i] = time.Now()
			}
			silence[i] = max(silence[i], time.Since(last[i]))
		}
		d.got[0].Reset()
		d.got[1].Reset()
	}
	return silence
}

func TestMTUSearchFindsWhatTheWayCarries(t *testing.T) {
	for _, limit := range thinned([]int{1400, 0, 1472, 1471, 1452, 1413, 1300, 1279, 1200}, 2) {
		inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
			s := &sizer{up: limit}
			d.pass = s.pass
			d.flow(5 * time.Second)
			want := wire.DatagramBytesMax
			for _, size := range mtuSizes {
				if limit > 0 && size <= limit {
					want = size
				}
			}
			if c, s := d.client.Stats(), d.server.Stats(); c.MTU != want || s.MTU != wire.DatagramBytesMax || c.BlackHoles+s.BlackHoles > 0 {
				t.Errorf("a way for %d bytes: %d up, want %d, %d down; %d and %d black holes", limit, c.MTU, want, s.MTU, c.BlackHoles, s.BlackHoles)
			} else if c.MTUProbes > 20 {
				t.Errorf("a way for %d bytes: %d probes", limit, c.MTUProbes)
			}
		})
	}
}

func TestSmallTalkLooksForNoLargerDatagrams(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		for range 50 {
			d.talk(d.client, "small")
			d.talk(d.server, "talk")
		}
		if n := d.client.Stats().MTUProbes + d.server.Stats().MTUProbes; n != 0 {
			t.Errorf("%d probes", n)
		}
	})
}

func TestMTUMaxSwitchesTheSearchOff(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{MTUMax: 1}, func(d *couple) {
		d.flow(2 * time.Second)
		if s := d.client.Stats(); s.MTUProbes != 0 || s.MTU != wire.DatagramBytesBase {
			t.Errorf("%d probes, %d bytes", s.MTUProbes, s.MTU)
		}
	})
}

// Large datagrams stop to arrive in the middle of a transfer.
func TestBlackHoleIsSurvivedWithinThreeSeconds(t *testing.T) {
	for name, test := range map[string]sizer{
		"both ways": {1250, 1250}, "up": {1300, 0}, "down": {0, 1400}, "below the base": {1150, 1000}, "very small": {548, 548},
	} {
		for _, delay := range thinned([]time.Duration{100 * time.Millisecond, 20 * time.Millisecond, time.Millisecond}, 1) {
			for seed := range uint64(1) {
				t.Run(name+"/"+delay.String(), func(t *testing.T) {
					inCouple(t, delay, Config{}, func(d *couple) {
						s := &sizer{}
						d.pass = s.pass
						d.flow(3*time.Second + time.Duration(seed)*7*time.Millisecond)
						if got := d.client.Stats().MTU; got != wire.DatagramBytesMax {
							t.Fatalf("%d bytes before the black hole", got)
						}
						*s = test
						silence := d.flow(6 * time.Second)
						for i, got := range silence {
							if got > 3*time.Second {
								t.Errorf("nothing arrived for %v", got)
							}
							if i == 0 && seed == 0 {
								t.Logf("longest silence %v down, %v up; %+v", silence[0], silence[1], d.client.Stats().MTU)
							}
						}
						for i, m := range []*Machine{d.client, d.server} {
							limit := []int{test.up, test.down}[i]
							if st := m.Stats(); limit > 0 && (st.MTU > limit || st.BlackHoles == 0) || limit == 0 && st.BlackHoles > 0 {
								t.Errorf("%d bytes are sent where %d arrive; %d black holes", st.MTU, limit, st.BlackHoles)
							}
						}
						*s = sizer{}
						d.run(time.Minute)
						d.flow(time.Second)
						if c, s := d.client.Stats().MTU, d.server.Stats().MTU; c != wire.DatagramBytesMax || s != wire.DatagramBytesMax {
							t.Errorf("%d and %d bytes a minute after it vanished", c, s)
						}
					})
				})
			}
		}
	}
}

// Everything that was cut for large datagrams arrives through small ones, byte for byte.
func TestBytesCrossABlackHoleInPieces(t *testing.T) {
	for _, limit := range []int{1200, 548} {
		inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
			s := &sizer{}
			d.pass = s.pass
			data := randomBytes(2<<20, 5)
			d.client.Write(data[:0])
			rest := data
			for i := 0; len(rest) > 0; i++ {
				if i == 8 {
					s.up = limit
				}
				rest = rest[d.client.Write(rest):]
				d.run(5 * time.Millisecond)
				if c, s := d.client.Err(), d.server.Err(); c != nil || s != nil || i > 5000 {
					d.Fatalf("%d bytes left: %v, %v; %+v", len(rest), c, s, d.client.mtu)
				}
			}
			d.until(func() bool { return d.got[1].Len() == len(data) })
			if !bytes.Equal(d.got[1].Bytes(), data) {
				t.Error("other bytes came out than went in")
			}
			if st := d.client.Stats(); st.Pieces == 0 || st.BlackHoles == 0 {
				t.Errorf("%d pieces, %d black holes", st.Pieces, st.BlackHoles)
			}
			if n := len(d.server.assemblies.open); n > assembliesMax {
				t.Errorf("%d packets wait for pieces", n)
			}
		})
	}
}

// Loss, however heavy and however bursty, is no black hole.
func TestLossIsNoBlackHole(t *testing.T) {
	span := 20 * time.Second
	if raceDetector {
		span /= 4
	}
	for name, lost := range map[string]func(n int) bool{
		"a third": func(n int) bool { return n*7919%100 < 33 },
		"bursts":  func(n int) bool { return n/60%4 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
				n := 0
				d.pass = func(*flying) bool { n++; return !lost(n) }
				d.flow(span)
				c, s := d.client.Stats(), d.server.Stats()
				if c.BlackHoles+s.BlackHoles > 0 || c.MTU < wire.DatagramBytesBase || s.MTU < wire.DatagramBytesBase {
					t.Errorf("%d and %d black holes, %d and %d bytes", c.BlackHoles, s.BlackHoles, c.MTU, s.MTU)
				}
				t.Logf("%d and %d bytes, %d and %d probes", c.MTU, s.MTU, c.MTUProbes, s.MTUProbes)
			})
		})
	}
}

// A dead way is no black hole either.
func TestOutageIsNoBlackHole(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		d.flow(3 * time.Second)
		d.pass = func(*flying) bool { return false }
		d.run(8 * time.Second)
		d.pass = nil
		d.flow(3 * time.Second)
		if c, s := d.client.Stats(), d.server.Stats(); c.BlackHoles+s.BlackHoles > 0 || c.MTU != wire.DatagramBytesMax {
			t.Errorf("%d and %d black holes, %d bytes", c.BlackHoles, s.BlackHoles, c.MTU)
		}
	})
}

// A piece whose sisters never come costs little, and pieces in pieces are a broken peer.
func TestPiecesAreBounded(t *testing.T) {
	inCouple(t, time.Millisecond, Config{}, func(d *couple) {
		send := func(frames []byte) {
			d.client.number++
			b := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: d.client.remote, Number: d.client.number, Phase: d.client.keys.Phase(time.Now())})
			b = d.client.keys.Protect(append(b, frames...), wire.PacketHeaderBytes, d.client.number)
			d.server.Handle(time.Now(), Datagram{Path: Path{Remote: d.here}, Bytes: b})
		}
		for range 100 {
			send(wire.AppendPiece(nil, 0, 3, make([]byte, 1000)))
			if n := len(d.server.assemblies.open); n > assembliesMax {
				t.Fatalf("%d packets wait for pieces", n)
			}
			d.client.number += 2
		}
		if d.server.Err() != nil {
			t.Fatal(d.server.Err())
		}
		whole := wire.AppendPiece(nil, 0, 2, []byte{byte(wire.FramePing)})
		send(wire.AppendPiece(nil, 0, 2, whole[:3]))
		send(wire.AppendPiece(nil, 1, 2, whole[3:]))
		if d.server.Err() == nil {
			t.Error("a piece inside of pieces was taken")
		}
	})
}

// After an outage large datagrams leave far apart. A few of them are enough when the small ones between them arrive.
func TestFewLargeDatagramsShowABlackHole(t *testing.T) {
	for name, test := range map[string]struct {
		large int
		lost  func(small int) bool
		want  bool
	}{
		"small ones arrive":            {4, func(int) bool { return false }, true},
		"one in ten is lost":           {4, func(i int) bool { return i%10 == 0 }, true},
		"half of the small are lost":   {5, func(i int) bool { return i%2 == 0 }, false},
		"three are too few":            {3, func(int) bool { return false }, false},
		"many, and half of the others": {9, func(i int) bool { return i%2 == 0 }, true},
	} {
		now := time.Now()
		u := mtu{size: wire.DatagramBytesMax, hole: &blackHole{}}
		number, got := uint64(1), false
		for range test.large {
			u.judgeSize(&sentItem{number: number, at: now, bytes: 1400})
			for i := range 10 {
				number++
				now = now.Add(100 * time.Millisecond)
				small := &sentItem{number: number, at: now, bytes: 40, arrived: !test.lost(i)}
				u.judgeSize(small)
				got = small.arrived && u.hole.acknowledged(number) || got
			}
			number++
		}
		if got != test.want {
			t.Errorf("%s: a black hole: %v, want %v", name, got, test.want)
		}
	}
}
