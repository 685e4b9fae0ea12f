package reliable

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// What somebody off the path, or on it without the keys, can do to a living connection: nothing.

// A standing is all that a datagram which is not authentic, or not new, must leave as it is.
type standing struct {
	machine Machine // a shallow copy
	sent    []sentItem
	held    Held
	keys    uint64
	next    time.Time
}

func standingOf(m *Machine) standing {
	s := standing{machine: *m, sent: slices.Clone(m.sent), held: m.Held(), keys: m.keys.Generation()}
	c := &s.machine
	c.restAt = time.Time{} // Junk keeps ciphers from being given up, and moves only that.
	s.next, _ = c.NextAt(time.Now())
	c.sent, c.emit, c.now = nil, nil, time.Time{} // Functions cannot be compared.
	c.stats.Drops, c.stats.DatagramsReceived, c.stats.BytesReceived = Drops{}, 0, 0
	return s
}

// conversation has both sides say this and that, in chat and in bulk, while the client moves; pass sees all of it.
func (d *couple) conversation(pass func(f *flying) bool) {
	d.pass = pass
	stream, err := d.client.OpenStream(Bulk)
	if err != nil {
		d.Fatal(err)
	}
	stream.Write(randomBytes(20_000, 1))
	for i := range 6 {
		d.talk(d.client, "a question")
		d.talk(d.server, "an answer that is a bit longer")
		d.server.Write(randomBytes(3000, uint64(i)))
		d.client.Write(randomBytes(3000, uint64(i)))
		d.run(300 * time.Millisecond)
		if i == 3 {
			d.here = otherPort
		}
	}
	stream.Reset(CodeApplication)
	d.run(12 * time.Second) // The ARQ falls asleep.
	d.talk(d.client, "good morning")
	d.run(time.Second)
	d.pass = nil
}

// attack hands bytes to the machine that a datagram was for, and fails the test if that changes anything.
func (d *couple) attack(f *flying, what string, forged []byte) {
	d.Helper()
	m, path := d.client, Path{Remote: serverAddr}
	if f.toServer {
		m, path = d.server, f.path
	}
	before := standingOf(m)
	flying := len(d.onWay)
	m.Handle(time.Now(), Datagram{Path: path, Bytes: forged})
	if after := standingOf(m); !reflect.DeepEqual(before, after) {
		d.Fatalf("%s changed the state of the connection:\n%+v\n%+v", what, before, after)
	}
	if len(d.onWay) != flying {
		d.Fatalf("%s was answered", what)
	}
}

func TestAbuseAnyBitOfAnyHeaderFlippedChangesNothing(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		attacks := 0
		rng := rand.New(rand.NewPCG(1, 1))
		d.conversation(func(f *flying) bool {
			for bit := range wire.PacketHeaderBytes*8 + 16 {
				if bit >= wire.PacketHeaderBytes*8 { // Some of the rest, too.
					bit = rng.IntN(len(f.b) * 8)
				}
				forged := bytes.Clone(f.b)
				forged[bit/8] ^= 1 << (bit % 8)
				d.attack(f, "a flipped bit", forged)
				attacks++
			}
			return true
		})
		if e, s := d.client.Err(), d.server.Err(); e != nil || s != nil || attacks < 10_000 {
			t.Errorf("%v, %v after %d attacks", e, s, attacks)
		}
		t.Logf("%d datagrams with one bit flipped: nothing happened", attacks)
	})
}

func TestAbusePacketsCutAtEveryLengthChangeNothing(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		attacks := 0
		seen := map[int]bool{} // lengths
		d.conversation(func(f *flying) bool {
			if key := 2 * len(f.b); !seen[key] {
				seen[key] = true
				for n := range f.b {
					d.attack(f, "a cut packet", bytes.Clone(f.b[:n]))
					attacks++
				}
				d.attack(f, "a packet with a byte more", append(bytes.Clone(f.b), 0))
			}
			return true
		})
		if e, s := d.client.Err(), d.server.Err(); e != nil || s != nil || attacks < 1000 {
			t.Errorf("%v, %v after %d attacks", e, s, attacks)
		}
		t.Logf("%d cut packets: nothing happened", attacks)
	})
}

// Somebody keeps all packets and sends them again, at once and later, from where they came and from elsewhere.
func TestAbuseReplaysChangeNothing(t *testing.T) {
	inCouple(t, 20*time.Millisecond, Config{}, func(d *couple) {
		var kept []flying
		d.conversation(func(f *flying) bool {
			kept = append(kept, flying{toServer: f.toServer, path: f.path, b: bytes.Clone(f.b)})
			return true
		})
		for i := range kept { // What was on its way to the old address when the client moved arrives at last.
			d.deliver(flying{toServer: kept[i].toServer, path: kept[i].path, b: bytes.Clone(kept[i].b)})
			if !kept[i].toServer {
				d.client.Handle(time.Now(), Datagram{Path: Path{Remote: serverAddr}, Bytes: bytes.Clone(kept[i].b)})
			}
		}
		d.run(time.Second)
		received := [2]ConnStats{d.client.stats, d.server.stats}
		before := [2]standing{standingOf(d.client), standingOf(d.server)}
		rng := rand.New(rand.NewPCG(2, 2))
		replays := 20 * *datagramsFlag
		if *datagramsFlag >= 1_000_000 {
			replays = *datagramsFlag
		}
		for i := range replays {
			f := &kept[rng.IntN(len(kept))]
			m, path := d.client, Path{Remote: serverAddr}
			if f.toServer {
				m, path = d.server, f.path
				if i%3 == 0 {
					path = Path{Remote: relayAddr}
				}
			}
			m.Handle(time.Now(), Datagram{Path: path, Bytes: f.b}) // What is dropped as repeated is not touched.
		}
		after := [2]standing{standingOf(d.client), standingOf(d.server)}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("replays changed the state of a connection:\n%+v\n%+v", before, after)
		}
		if len(d.onWay) > 0 {
			t.Errorf("replays were answered by %d datagrams", len(d.onWay))
		}
		drops := d.client.stats.Drops[DropRepeated] + d.server.stats.Drops[DropRepeated]
		drops -= received[0].Drops[DropRepeated] + received[1].Drops[DropRepeated]
		if drops != uint64(replays) {
			t.Errorf("%d of %d replays were dropped as repeated", drops, replays)
		}
		d.talk(d.client, "still here")
		d.talk(d.server, "so am I")
		t.Logf("%d replays of %d packets: nothing happened", replays, len(kept))
	})
}
