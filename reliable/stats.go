package reliable

import (
	"time"

	"udpchat/reliable/internal/wire"
)

// A Drop is a reason to drop a datagram, or a part of one.
type Drop uint8

// The reasons.
const (
	DropNotOurs     Drop = iota // no datagram of this layer, and nobody wants plain text
	DropVersion                 // another version of the protocol
	DropTooLong                 // longer than a datagram may be
	DropMalformed               // cannot be parsed
	DropUnknown                 // for a connection that does not exist
	DropAddress                 // for a connection or handshake, but from an address where its peer cannot be
	DropSeal                    // corrupted or forged
	DropRepeated                // packet number seen before, or too old to be of use
	DropInboxFull               // the connection's loop cannot keep up
	DropEarly                   // packet before the handshake was over
	DropSymbolTwice             // source symbol seen or rebuilt before
	DropSymbolBad               // symbol that no correct peer sends
	DropBacklogFull             // hello, but no room for another connection
	DropEnded                   // for a connection that has ended
	DropUnasked                 // CALL or answer to a handshake that nobody waits for
	DropUnexpected              // type of datagram that makes no sense in this state
	DropSendFailed              // the system refused to send
	DropHandshake               // handshake that failed
	DropStreamEnded             // symbol for a stream that has ended
	drops

	dropNone Drop = 255 // not dropped
)

var dropNames = [drops]string{
	"not_ours", "version", "too_long", "malformed", "unknown_connection", "wrong_address", "bad_seal", "repeated_packet",
	"inbox_full", "too_early", "symbol_twice", "symbol_bad", "backlog_full", "connection_ended", "unasked", "unexpected",
	"send_failed", "handshake_failed", "stream_ended",
}

// String returns the reason's name in lower case with underscores.
func (d Drop) String() string {
	if d < drops {
		return dropNames[d]
	}
	return "unknown"
}

// Drops counts dropped datagrams by reason.
type Drops [drops]uint64

// Map returns the reasons that occurred, by name.
func (d *Drops) Map() map[string]uint64 {
	m := make(map[string]uint64)
	for i, n := range d {
		if n > 0 {
			m[Drop(i).String()] = n
		}
	}
	return m
}

func (d *Drops) add(other *Drops) {
	for i, n := range other {
		d[i] += n
	}
}

// ConnStats are the figures of one connection since its start. Bytes are UDP payload.
type ConnStats struct {
	RTT    time.Duration // smoothed; 0: not measured yet
	RTTMin time.Duration // smallest measured

	LossSent     float64 // share of our recent packets that did not arrive, as the peer reports, 0…1
	LossReceived float64 // share of the peer's recent packets that did not arrive here, 0…1

	BurstSent    time.Duration // how long the way to the peer goes on losing once it has begun, on average; 0: nothing was lost
	BurstPackets float64       // how many packets it took along

	DatagramsSent, DatagramsReceived uint64
	BytesSent, BytesReceived         uint64
	StreamBytesSent                  uint64 // handed to Write and sent at least once
	StreamBytesReceived              uint64 // in order, ready for Read

	Sent, Received Kinds // what the bytes of the datagrams are for

	SymbolsSent     uint64 // source symbols
	RepairSent      uint64 // repair symbols
	RepairCancelled uint64 // repair symbols not sent because the group had arrived
	RepairRode      uint64 // of RepairSent: rode along in a packet that left anyway
	RepairUnpaid    uint64 // repair symbols not sent because the budget was used up
	RepairReceived  uint64
	RepairUseless   uint64 // of RepairReceived: brought nothing new
	RecoveredByFEC  uint64 // symbols of the peer rebuilt here
	Retransmits     uint64 // segments sent again by the ARQ
	ResendsHeld     uint64 // symbols the ARQ wanted to send again, kept back because too much was in flight

	Streams int              // open now, but for the connection itself
	Lanes   [lanes]LaneStats // by Lane

	// What congestion control thinks. Rates are bytes of IP packets per second, 0 if not known.
	DeliveryRate, PacingRate   float64       // at which our packets arrive, at which they may leave
	InFlightBytes, WindowBytes int           // in flight, and what may be
	QueueDelay                 time.Duration // how much longer than the shortest the round trip is
	BackOffs                   uint64        // how often a queue or a mark made us slow down

	Roams             uint64 // server: times that the connection went to another address of its client
	PathChecks        uint64 // server: addresses that were asked whether the client is there
	PathChecksFailed  uint64 // server: of these: nobody answered
	PathChecksRefused uint64 // server: addresses not asked because too many had been
	UnprovenBytes     uint64 // server: sent to addresses that were not proven yet
	MTU               int    // largest datagram that is sent
	MTUProbes         uint64 // datagrams sent to see whether their size arrives
	BlackHoles        uint64 // times that large datagrams stopped to arrive and smaller ones had to do
	Pieces            uint64 // packets with a part of one that had become too large

	Marks       bool   // the way to the peer is known to bear marks (ECN)
	MarkedSent  uint64 // packets that routers may mark
	MarkedCE    uint64 // of these: some router did, because its queue was too long
	MarksFailed uint64 // times that marks did not come as they left, and were given up

	Challenges  uint64 // client: addresses of ours that the server asked for
	QuietProbes uint64 // client: questions whether the server, fallen silent, is still there
	Sleeps      uint64 // times the ARQ's state was given up after a silence
	Wakes       uint64 // times it was made again for the next byte

	Drops Drops
}

// Kinds are bytes of frames by what they are for. What is missing of the bytes of all datagrams is headers, seals and
// handshakes.
type Kinds struct {
	Data    uint64 // segments of streams, those sent again among them
	Repair  uint64 // redundancy
	Acks    uint64 // acknowledgements and windows
	Control uint64 // all else: probes, paths, ends of streams and connections
}

func (k *Kinds) count(t wire.FrameType, bytes int) {
	switch t {
	case wire.FrameSource, wire.FrameData:
		k.Data += uint64(bytes)
	case wire.FrameRepair:
		k.Repair += uint64(bytes)
	case wire.FrameAck, wire.FrameAckMarks, wire.FrameBare:
		k.Acks += uint64(bytes)
	default:
		k.Control += uint64(bytes)
	}
}

// countAll counts all frames of a packet of ours.
func (k *Kinds) countAll(frames []byte) {
	for len(frames) > 0 {
		f, rest, err := wire.ParseFrame(frames)
		if err != nil {
			panic("BUG: reliable: a frame of ours that cannot be read: " + err.Error())
		}
		k.count(f.Type, len(frames)-len(rest))
		frames = rest
	}
}

// LaneStats count the bytes of the streams of a lane.
type LaneStats struct {
	BytesSent     uint64 // handed to Write and sent at least once
	BytesReceived uint64 // in order, ready for Read
}

// EndpointStats are the figures of one endpoint since its start.
type EndpointStats struct {
	Conns           int    // now
	Accepted        uint64 // connections made by hellos of others
	Dialled         uint64
	HalfOpen        int    // clients now that have not finished their handshake
	HalfOpenEnded   uint64 // clients that never did
	Refused         uint64 // hellos that got no connection
	Retries         uint64 // cookies sent
	StatelessResets uint64 // packets of connections that nobody knows any more, answered
	CallsSent       uint64 // CALL packets
	TimeWait        int    // ended connections remembered now
	Datagrams       uint64 // received
	PlainReceived   uint64
	ReadCalls       uint64 // system calls that received datagrams; 0 where the socket is not the kernel's
	WriteCalls      uint64 // system calls that sent some
	Drops           Drops  // of the endpoint and of all its connections that have ended
}
