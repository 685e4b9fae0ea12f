package reliable

import (
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// A Machine is one connection without socket, clock and goroutine: it is handed datagrams and the time, and hands back
// datagrams and the time it wants to be called again (SPEC.md 5). Conn drives one over a socket; simulations drive
// many on one goroutine. It is not safe for concurrent use.
//
// The order of calls is free, but after any number of Handle, Write, Read and Close calls Advance must be called, and
// then again no later than NextAt.
type Machine struct {
	cfg    *Config // shared by many, with defaults; constant
	shared *Shared
	emit   func(Datagram)
	start  time.Time
	now    time.Time // of the call under way
	path   Path      // where datagrams go, see roaming

	state         state
	err           error // why the connection ended; nil while it lives
	local, remote wire.ConnID
	dialled       bool              // we are the client
	client        *handshake.Client // until the client is open
	server        *handshake.Server // until the server is open
	hello         []byte            // server: the first, until Advance takes it
	helloUntil    time.Time         // when the handshake is given up
	finish        finish
	token         token
	forgotten     *wire.StatelessReset // client: what the server says when it has forgotten us; nil: not told
	keys          *handshake.Keys      // nil until open
	peerKey       Key                  // that the peer has proven; of a client mostly zero; once open

	number   uint64     // of the last packet sent; the first is 1
	sent     []sentItem // packets not yet acknowledged, rising
	arrived  handshake.Window
	largest  uint64 // highest packet number that arrived
	received uint64 // different packets that arrived
	owesAck  bool
	unacked  uint8             // packets since then
	askedAt  time.Time         // when the packet arrived that is acknowledged next
	packet   []byte            // under construction
	head     wire.PacketHeader // of it

	main    *MachineStream   // stream 0
	streams []*MachineStream // main and all others that are not gone, in the order in which they began
	directory
	pace     *pacer // nil: nothing is known
	enc      *fec.Encoder
	dec      *fec.Decoder
	repairs  []*repair
	losses   fec.LossEstimator
	budget   fec.Budget
	pressure fec.Pressure

	repairBytes int // of the groups in repairs, but for the open one

	rtt              rttEstimator
	lossOut, lossIn  lossMeter
	heardAt, spokeAt time.Time // when a packet arrived and left last
	waitingAt        time.Time // since when something waits for acknowledgement; zero: nothing does
	probeAt          time.Time
	restAt           time.Time // when what only traffic needs is given up; zero: it has been
	closing          closing
	roam             roaming // server: where the client is
	answer           answer  // client: to the server's question where it is
	mtu              mtu
	assemblies       assemblies
	arriving         uint64 // of the packet that is being handled
	inside           bool   // its frames came in pieces
	mute             bool   // the packet under construction is for nothing but its size
	quiet            quiet  // client: whether the server has fallen silent
	marks            marks
	marked           bool       // the packet under construction leaves with a mark
	marksIn          wire.Marks // of the packets that came

	stats  ConnStats
	traced *traced // what Config.Trace was told; nil: nobody asks, or nothing yet
}

// Shared is what the connections of one process need only once. It is safe for concurrent use.
type Shared struct {
	clock  *arq.Clock
	codecs fec.Codecs
	ids    identities
}

// NewShared returns a Shared.
func NewShared() *Shared { return &Shared{clock: arq.NewClock()} }

// A state of a connection (SPEC.md 5.1).
type state uint8

const (
	// stateHello: a client repeats its hello until the server accepts or refuses or HandshakeTimeout has passed. Bytes
	// may be written already; they leave when the connection is open.
	stateHello state = iota
	// stateHalf: a server has answered, or is about to, and waits for the end of the client's handshake. It sends nothing
	// but answers to hellos, none longer than the hello. It ends by the client's Finished (to stateOpen) or after
	// halfOpenLife (to stateEnded).
	stateHalf
	// stateOpen: bytes flow. It ends by Close (to stateLinger), by the peer's close frame or a timeout (to stateEnded).
	stateOpen
	// stateLinger: Close was called. What was written is still delivered; it ends when all is acknowledged or Linger has
	// passed (to stateClosing).
	stateLinger
	// stateClosing: our close frame is repeated until the peer's own arrives or the repetitions are used up (to
	// stateEnded).
	stateClosing
	// stateEnded: nothing is sent any more. Bytes that arrived before can still be read.
	stateEnded
)

// Open reports whether the handshake is over and the connection has not ended.
func (m *Machine) Open() bool { return m.state > stateHalf && m.state != stateEnded }

// ServerKey returns the key the server has proven to have; for a server, and before the handshake is over, the zero key.
func (m *Machine) ServerKey() Key {
	if !m.dialled {
		return Key{}
	}
	return m.peerKey
}

// Err returns why the connection ended, nil while it lives.
func (m *Machine) Err() error { return m.err }

// Write queues bytes of p and returns how many it took: fewer than len(p) when too much is waiting, 0 when lingering is
// over. After Close it is for bytes that were waiting to be taken; Linger covers them too.
func (m *Machine) Write(p []byte) int {
	if m.state > stateLinger {
		return 0
	}
	return m.main.write(p)
}

// Read copies bytes that arrived, in order, into p and returns how many. P must have room for ReadBytesMin; 0 means
// that nothing is there.
func (m *Machine) Read(p []byte) int {
	return m.main.Read(p)
}

// ReadBytesMin is the least room Read needs.
const ReadBytesMin = wire.SymbolBytesMax

// Waiting reports whether anything written to any stream has not been acknowledged.
func (m *Machine) Waiting() bool {
	for _, s := range m.streams {
		if s.Waiting() {
			return true
		}
	}
	return len(m.resets) > 0
}

// Stats returns the figures so far.
func (m *Machine) Stats() ConnStats {
	s := m.stats
	s.RTT, s.RTTMin = m.rtt.smoothed, m.rtt.min
	s.MTU = m.mtu.size
	s.Marks = m.marks.state == marksGood
	s.LossSent, s.LossReceived = m.lossOut.share, m.lossIn.share
	s.BurstSent, s.BurstPackets = m.losses.Burst()
	if m.dec != nil {
		d := m.dec.Stats()
		s.RecoveredByFEC = d.Rebuilt
		s.Drops[DropSymbolTwice] += d.Duplicate
		s.Drops[DropSymbolBad] += d.Bad + d.Conflicts
	}
	m.addStats(&s)
	s.Streams = len(m.streams) - 1
	if m.pace != nil {
		p := m.pace.model.Stats()
		s.DeliveryRate, s.PacingRate, s.InFlightBytes, s.WindowBytes = p.Rate, p.Pace, p.InFlight, p.Window
		s.QueueDelay, s.BackOffs = p.QueueDelay, p.BackOffs
	}
	return s
}

// Advance does what is due at now: handshake, acknowledgements, new bytes, retransmissions, repair symbols, probes,
// closing. It may call emit.
func (m *Machine) Advance(now time.Time) {
	m.now = now
	if m.cfg.Trace != nil {
		defer m.traceChanges()
	}
	switch m.state {
	case stateHello:
		m.advanceHello(now)
	case stateHalf:
		m.advanceHalf(now)
	case stateOpen, stateLinger:
		m.advanceAnswer()
		m.advancePaths(now)
		m.advanceStreams(now)
		m.advanceRepairs(now)
		m.advanceDecoder(now)
		m.advanceQuiet(now)
		m.advanceMTU(now)
		m.advanceLiveness(now)
		m.advanceLinger(now)
		m.sendOwedAck()
		m.advanceFinish(now)
		m.advanceRest(now)
	case stateClosing:
		m.advanceClosing(now)
	case stateEnded:
	}
}

// NextAt returns when Advance must be called again at the latest if nothing else happens, and false for never.
func (m *Machine) NextAt(now time.Time) (time.Time, bool) {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	switch m.state {
	case stateHello:
		sooner(m.client.NextAt())
		sooner(m.helloUntil)
	case stateHalf:
		if m.hello != nil {
			sooner(now)
		}
		sooner(m.helloUntil)
	case stateOpen, stateLinger:
		if at := m.streamsAt(now); !at.IsZero() {
			sooner(at)
		}
		for _, r := range m.repairs {
			sooner(r.at)
		}
		if m.dec != nil {
			if d, ok := m.dec.Next(); ok {
				sooner(m.start.Add(d))
			}
		}
		sooner(m.livenessAt())
		if at := m.roam.nextAt(); !at.IsZero() {
			sooner(at)
		}
		if !m.quiet.at.IsZero() {
			sooner(m.quiet.at)
		}
		if h := m.mtu.hole; h != nil && !h.askAt.IsZero() {
			sooner(h.askAt)
		}
		if !m.restAt.IsZero() {
			sooner(m.restAt)
		}
		if m.finish.data != nil {
			sooner(m.finish.at)
		}
		if m.state == stateLinger {
			sooner(m.closing.until)
		}
	case stateClosing:
		sooner(m.closing.at)
	case stateEnded:
		return time.Time{}, false
	}
	return next, true
}
