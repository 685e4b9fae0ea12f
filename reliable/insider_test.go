package reliable

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// A peer that has the keys and means ill: it may waste its own connection, and no more of our memory than limits.go says.

// insiderHeapMax is what one connection may hold when all its queues are full: 12 MiB of streams, 3 MiB of all else.
const insiderHeapMax = 15 << 20

// An insider makes packets for the machine it attacks, one at a time.
type insider struct {
	*couple
	rng    *rand.Rand
	from   *Machine // whose keys it has
	victim *Machine
	path   Path   // where its packets come from
	number uint64 // of the last
	junk   []byte
}

// segment is a symbol of the ARQ with a data segment.
func (in *insider) segment(stream, number uint32, data []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(stream))
	b = append(b, 0)                   // acknowledges nothing
	b = binary.AppendUvarint(b, 1<<12) // window
	b = append(b, 4)                   // data, the last segment
	b = binary.AppendUvarint(b, uint64(number))
	b = append(b, 0, 0) // timestamp
	if stream != 0 {
		b = append(b, 0) // not the end
	}
	return append(b, data...)
}

// window is a symbol that only says how much may be sent.
func (in *insider) window(stream uint32, window uint16) []byte {
	b := binary.AppendUvarint(nil, uint64(stream))
	b = binary.AppendUvarint(append(b, 0), uint64(window))
	return append(b, 4|2) // asks for ours
}

// send seals the frames and hands them to the victim.
func (in *insider) send(frames []byte) {
	in.number++
	b := wire.AppendPacketHeader(nil, wire.PacketHeader{Dest: in.from.remote, Number: in.number})
	b = in.from.keys.Protect(append(b, frames...), wire.PacketHeaderBytes, in.number)
	in.victim.Handle(time.Now(), Datagram{Path: in.path, Bytes: b})
}

func (in *insider) bytes(most int) []byte {
	n := 1 + in.rng.IntN(most)
	return in.junk[in.rng.IntN(len(in.junk)-n):][:n]
}

// check holds what the victim keeps against its limits.
func (in *insider) check() {
	in.Helper()
	m, h := in.victim, in.victim.Held()
	switch {
	case h.SentPackets > sentPacketsMax, h.RepairGroups > repairGroupsMax+1, h.RepairBytes > repairBytesMax,
		h.DecoderBytes > 256<<10, h.Resets > resetsMax, h.Segments > windowSegments,
		h.Streams[Express] > 2*streamsMax[Express], h.Streams[Bulk] > 2*streamsMax[Bulk],
		len(m.assemblies.open) > assembliesMax, len(m.roam.routes) > routesMax:
		in.Fatalf("it holds %+v, %d assemblies, %d routes", h, len(m.assemblies.open), len(m.roam.routes))
	}
}

// The streams an insider may open, of its own kind.
func (in *insider) stream(l Lane, number int) uint32 {
	return streamID(!in.from.dialled, l, uint32(number))
}

// insiderFloods are what an insider sends, packet i.
var insiderFloods = map[string]func(in *insider, i int) []byte{
	"pings": func(in *insider, i int) []byte { return wire.AppendPing(nil) },
	"segments with a gap before them": func(in *insider, i int) []byte {
		return wire.AppendData(nil, in.segment(0, uint32(1+i), in.junk[:1300]))
	},
	"segments with gaps, of all streams": func(in *insider, i int) []byte {
		id := in.stream(Express, 1+i%streamsMax[Express])
		if i%3 == 0 {
			id = in.stream(Bulk, 1+i%streamsMax[Bulk])
		}
		return wire.AppendData(nil, in.segment(id, uint32(1+in.rng.IntN(1<<11)), in.junk[:1300]))
	},
	"segments far beyond the window": func(in *insider, i int) []byte {
		return wire.AppendData(nil, in.segment(0, in.rng.Uint32(), in.junk[:1300]))
	},
	"segments that are not read": func(in *insider, i int) []byte {
		return wire.AppendSource(nil, uint32(i/8), uint8(i%8), in.segment(0, uint32(i), in.junk[:1300]))
	},
	"the same segment": func(in *insider, i int) []byte { return wire.AppendData(nil, in.segment(0, 5, in.junk[:1300])) },
	"windows that close and open": func(in *insider, i int) []byte {
		return wire.AppendBare(nil, in.window(0, uint16(i%2*1000)))
	},
	"symbols of far groups": func(in *insider, i int) []byte {
		return wire.AppendSource(nil, uint32(i*300), uint8(i%32), in.window(0, 100))
	},
	"repair symbols of groups of which nothing else comes": func(in *insider, i int) []byte {
		return wire.AppendRepair(nil, wire.Repair{Group: uint32(i), K: 32, Index: uint8(i % 16), Symbol: in.junk[:1300]})
	},
	"streams that are opened and reset": func(in *insider, i int) []byte {
		return wire.AppendReset(nil, in.stream(Express, 1+i), CodeNone)
	},
	"streams more than there may be": func(in *insider, i int) []byte {
		return wire.AppendData(nil, in.segment(in.stream(Express, 1+i), 0, []byte("hello")))
	},
	"resets of streams that are over": func(in *insider, i int) []byte {
		return wire.AppendReset(nil, in.stream(Bulk, 1), uint32(i))
	},
	"pieces of which the rest never comes": func(in *insider, i int) []byte {
		in.number += 7
		return wire.AppendPiece(nil, uint8(i%3), wire.PiecesMax, in.junk[:1300])
	},
	"pieces inside of pieces": func(in *insider, i int) []byte {
		return wire.AppendPiece(nil, uint8(i%2), 2, wire.AppendPiece(nil, uint8(i%2), 2, in.junk[:100]))
	},
	"challenges": func(in *insider, i int) []byte {
		return wire.AppendChallenge(nil, wire.Challenge{byte(i), byte(i >> 8), byte(i >> 16)})
	},
	"responses": func(in *insider, i int) []byte {
		return wire.AppendResponse(nil, wire.Challenge{byte(i), byte(i >> 8)})
	},
	"another address each time": func(in *insider, i int) []byte {
		in.path = Path{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 9)}
		return wire.AppendPing(nil)
	},
	"tokens": func(in *insider, i int) []byte { return wire.AppendToken(nil, in.junk[i%1000:][:wire.CookieBytesMax]) },
	"huge gaps in the numbers": func(in *insider, i int) []byte {
		in.number += 1 << 24
		return wire.AppendPing(nil)
	},
	"acknowledgements of anything": func(in *insider, i int) []byte {
		a := wire.Ack{Largest: uint64(in.rng.IntN(int(in.victim.number) + 1)), Lost: uint16(i), Bitmap: in.rng.Uint64()}
		return wire.AppendAck(nil, a)
	},
	"the end of the handshake": func(in *insider, i int) []byte { return wire.AppendCrypto(nil, in.bytes(100)) },
}

// anything is frames that make sense alone.
func (in *insider) anything(i int) (b []byte) {
	for range 1 + in.rng.IntN(4) {
		n := in.rng.Uint32()
		id := in.stream(Lane(n%2), 1+in.rng.IntN(8))
		switch in.rng.IntN(11) {
		case 0:
			b = wire.AppendSource(b, uint32(i)+n%8, uint8(n%32), in.segment(id, n%300, in.bytes(200)))
		case 1:
			b = wire.AppendRepair(b, wire.Repair{Group: uint32(i) + n%8, K: uint8(2 + n%31), Index: uint8(n % 16), Asks: n%2 == 0, Symbol: in.bytes(200)})
		case 2:
			b = wire.AppendAck(b, wire.Ack{Largest: in.victim.number - min(in.victim.number, uint64(n%70)), Bitmap: in.rng.Uint64()})
		case 3:
			b = wire.AppendReset(b, id, n)
		case 4:
			b = wire.AppendBare(b, in.window(0, uint16(n)))
		case 5:
			b = wire.AppendData(b, in.segment(0, n%400, in.bytes(200)))
		case 6:
			b = wire.AppendChallenge(b, wire.Challenge{byte(n)})
		case 7:
			b = wire.AppendResponse(b, wire.Challenge{byte(n)})
		case 8:
			b = wire.AppendToken(b, in.bytes(60))
		default:
			b = wire.AppendPing(b)
		}
	}
	return b
}

// Each flood goes to a server and to a client that read nothing and have something to say.
func TestAbuseByAnInsiderStaysWithinTheLimits(t *testing.T) {
	packets := max(*datagramsFlag/5, 1000)
	cfg := Config{Streams: streamsMax[Express]}
	for name, flood := range insiderFloods {
		for _, attacked := range []string{"server", "client"} {
			t.Run(name+", to the "+attacked, func(t *testing.T) {
				inCouple(t, 10*time.Millisecond, cfg, func(d *couple) { d.attackFromInside(attacked, packets, 1, flood) })
			})
		}
	}
	for seed := range uint64(50) { // Most end soon.
		for _, attacked := range []string{"server", "client"} {
			inCouple(t, 10*time.Millisecond, cfg, func(d *couple) { d.attackFromInside(attacked, packets, seed, (*insider).anything) })
		}
	}
}

func (d *couple) attackFromInside(attacked string, packets int, seed uint64, flood func(in *insider, i int) []byte) {
	d.Helper()
	in := &insider{couple: d, rng: rand.New(rand.NewPCG(seed, 0)), junk: randomBytes(64<<10, 1), number: 1 << 20}
	in.from, in.victim, in.path = d.client, d.server, Path{Remote: clientAddr}
	if attacked == "client" {
		in.from, in.victim, in.path = d.server, d.client, Path{Remote: serverAddr}
	}
	in.victim.Write(in.junk)
	sent, before := in.victim.stats.BytesSent, in.victim.stats.BytesReceived
	heap := liveBytes()
	handled := 0
	for i := range packets {
		if in.victim.Err() != nil {
			break // It has noticed what it has to do with.
		}
		in.send(flood(in, i))
		handled++
		if i%8 == 0 {
			in.victim.Advance(time.Now())
			d.onWay = nil // The insider does not listen.
			in.check()
			time.Sleep(time.Millisecond)
		}
	}
	grown := liveBytes() - heap
	if grown > insiderHeapMax {
		d.Errorf("seed %d: %d KB more after %d packets", seed, grown>>10, handled)
	}
	if handled < packets {
		return
	}
	out, back := in.victim.stats.BytesSent-sent, in.victim.stats.BytesReceived-before
	d.Logf("%d packets: heap %+d KB, %d bytes for %d, err %v, held %+v", handled, grown>>10, out, back, in.victim.Err(), in.victim.Held())
}
