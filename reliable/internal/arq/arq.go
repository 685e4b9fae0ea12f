package arq

import (
	"encoding/binary"
	"errors"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/reliable/internal/planted"
)

// Config says what a stream is like. All fields must be set but those that say so.
type Config struct {
	ID             uint32 // both sides must use the same
	SymbolBytes    int    // longest symbol to send; SetSymbolBytes changes it
	SymbolBytesMax int    // longest symbol that either side may ever send
	SendWindow     int    // segments in flight at most
	RecvWindow     int    // segments kept for the reader and for order at most
	Clock          *Clock
	// Ends makes each direction of the stream end by itself: CloseWrite says so, Ended tells. Both sides must agree. It
	// costs a byte a segment.
	Ends bool
	// Confirmed says that the peer hears by Confirm of all segments that come to this side, so that it need not acknowledge
	// them one by one.
	Confirmed bool
	// Output takes a symbol to send. Its bytes are valid only during the call.
	Output func(Symbol)
	// RTT is the round-trip time as far as the caller knows it, so that a stream that begins or wakes need not guess when
	// to send again; 0: not known. Nil: never known.
	RTT func() time.Duration
	// Planted is a mistake to make on purpose, for tests of the tests. The zero value makes none.
	Planted planted.Bug
}

// A Symbol is what is sent at once.
type Symbol struct {
	Bytes []byte
	Kind  Kind
	Sent  Sent // of the data in it
}

// Sent says which segments a symbol carries, for Confirm. The zero value names none.
type Sent struct {
	First, Count uint32 // they are Count in a row from number First
	At           uint32 // the core's time
}

// A Kind says what a symbol carries.
type Kind uint8

const (
	Control Kind = iota // acknowledgements and window updates, which repeat themselves
	Data                // data, sent for the first time
	Resent              // data of which some was sent before
)

// Errors of Input: what no correct peer sends.
var (
	ErrMalformed = errors.New("arq: malformed symbol")
	ErrUnsent    = errors.New("arq: acknowledgement of a segment never sent")
)

// A Stream is one ordered stream of bytes each way: what one side sends the other receives. Its numbers are those of
// the wire; the core's begin anew whenever it is made, see sleep.go.
type Stream struct {
	core       *kcp.KCP // nil while the stream sleeps
	cfg        Config
	sendBase   uint32   // what the core calls segment 0 of what it sends
	recvBase   uint32   // and of what it receives
	started    bool     // Flush has flushed
	flushAt    uint32   // the core refuses to flush before
	handed     uint32   // segments given to the core
	sendMax    uint32   // one above the highest sequence number ever sent
	una        uint32   // highest cumulative acknowledgement that came in
	told       uint32   // the one the core knows of; una-told segments are credit, see credit.go
	came       uint32   // one above the highest sequence number that came in
	read       uint32   // segments handed to the reader
	owesAck    bool     // data came in since the last AckNow
	peerWindow uint16   // what the peer last said it has room for
	window     uint16   // receive window last told to the peer
	wake       bool     // the core wants a flush that its queues do not show
	closed     bool     // our end has been queued
	ended      bool     // the peer's end has been read
	toldUna    uint32   // cumulative acknowledgement last sent to the peer
	askAt      uint32   // when the peer may be asked for its own
	asking     bool     // askAt counts
	acked      []uint32 // numbers of acknowledged segments, plus one, by number modulo its length; nil while asleep
	acks       []byte   // under construction
	stats      Stats
}

// Stats count a stream's segments.
type Stats struct {
	Sent        uint64 // data segments sent for the first time
	Retransmits uint64 // data segments sent again
	Sleeps      uint64 // times the core was thrown away
	Wakes       uint64 // times it was made again
}

// New returns a stream with nothing in it, asleep.
func New(cfg Config) *Stream {
	return &Stream{cfg: cfg, window: uint16(cfg.RecvWindow), peerWindow: kcp.IKCP_WND_RCV}
}

// SegmentBytes is how many bytes of the stream a segment holds.
func (s *Stream) SegmentBytes() int {
	n := s.cfg.SymbolBytes - headerBytes
	if s.cfg.Ends {
		n -= markBytes
	}
	return n
}

// Room returns how many segments Send would take.
func (s *Stream) Room() int {
	return max(0, min(s.cfg.SendWindow, int(s.peerWindow))-int(s.handed-s.told))
}

// Send queues bytes of p as at most so many segments and returns how many it took: less than that when the window is full.
// A rest shorter than a segment is taken only when Flush would send it at once, so that small writes share segments.
// Flush makes them leave, or an acknowledgement that comes before.
func (s *Stream) Send(p []byte, segments int) int {
	taken := 0
	whole := s.SegmentBytes()
	for segments = min(segments, s.Room()); len(p) > 0 && segments > 0; segments-- {
		n := min(len(p), whole)
		if n < whole && !s.Ready() {
			break
		}
		s.hand(markData, p[:n])
		taken += n
		p = p[n:]
	}
	return taken
}

// SetSymbolBytes changes how long the symbols are that the stream makes from now on, at most SymbolBytesMax. Segments
// that were cut for longer ones stay as they are: each of them may still be a symbol of its old length.
func (s *Stream) SetSymbolBytes(n int) {
	s.cfg.SymbolBytes = n
	if s.core != nil {
		s.core.SetMtu(n)
	}
}

// Open queues a segment without bytes, which tells the peer of the stream. The stream must have Ends.
func (s *Stream) Open() { s.hand(markData, nil) }

// CloseWrite queues the end of what this side sends, after which Send must not be called, and reports whether there was
// room for it. The stream must have Ends.
func (s *Stream) CloseWrite() bool {
	if !s.closed && s.Room() > 0 {
		s.hand(markEnd, nil)
		s.closed = true
	}
	return s.closed
}

// Closed reports whether the end of what this side sends was queued.
func (s *Stream) Closed() bool { return s.closed }

// Ended reports whether all that the peer sent has been read, to its end.
func (s *Stream) Ended() bool { return s.ended }

// hand gives the core a segment. One call is one segment: the core's stream mode cannot be switched on from outside, and in
// its message mode only a message of one segment can never wedge on a small window.
func (s *Stream) hand(mark byte, p []byte) {
	s.rouse()
	var room [symbolBytesMax]byte
	if s.cfg.Ends {
		room[0] = mark
		p = room[:markBytes+copy(room[markBytes:], p)]
	}
	if s.core.Send(p) < 0 {
		panic("BUG: arq: the core refused bytes within its limits")
	}
	s.handed++
}

// Recv copies received bytes in order into p and returns how many; 0 means that there are none or that p is shorter
// than Readable.
func (s *Stream) Recv(p []byte) int {
	n := 0
	for {
		size := s.Readable()
		if size == 0 || size > len(p)-n {
			return n
		}
		s.core.Recv(p[n:])
		s.read++
		// A peer that was told "no room" waits for the news that there is some.
		s.wake = s.wake || s.window == 0
		if s.cfg.Ends {
			size = s.unmark(p[n:][:size])
		}
		n += size
	}
}

// unmark removes the mark in front of a segment's bytes and returns how many there are. Behind the end there are none.
func (s *Stream) unmark(b []byte) int {
	switch {
	case s.ended:
		return 0
	case b[0] == markEnd:
		s.ended = true
	}
	return copy(b, b[markBytes:])
}

// Readable returns how much room Recv needs for the next segment, 0 if there is none.
func (s *Stream) Readable() int {
	if s.core == nil {
		return 0
	}
	return max(0, s.core.PeekSize())
}

// Input takes a symbol from the peer. After the last symbol of a batch call AckNow.
func (s *Stream) Input(symbol []byte) error {
	return s.unpacked(symbol, s.inputWhole)
}

func (s *Stream) inputWhole(symbol []byte) error {
	una, window, err := s.check(symbol)
	if err != nil {
		return err
	}
	s.peerWindow = window
	return s.input(symbol, una, kcp.IKCP_PACKET_REGULAR)
}

// InputRebuilt is Input for a symbol that did not travel itself but was rebuilt from others, the last of which left the
// peer age after it. The window in it is old and not trusted. Its timestamps are moved by age: the peer gets them
// back, and would take the age for a part of the round trip.
func (s *Stream) InputRebuilt(symbol []byte, age time.Duration) error {
	return s.unpacked(symbol, func(symbol []byte) error { return s.inputRebuilt(symbol, age) })
}

func (s *Stream) inputRebuilt(symbol []byte, age time.Duration) error {
	una, _, err := s.check(symbol)
	if err != nil {
		return err
	}
	moved := uint32(age / time.Millisecond)
	for b := symbol; len(b) > 0; b = b[headerBytes+int(parseSegment(b).length):] {
		if b[4] == kcp.IKCP_CMD_PUSH {
			binary.LittleEndian.PutUint32(b[8:], binary.LittleEndian.Uint32(b[8:])+moved)
		}
	}
	return s.input(symbol, una, kcp.IKCP_PACKET_FEC)
}

// unpacked calls f with a symbol as the core takes it.
func (s *Stream) unpacked(symbol []byte, f func(symbol []byte) error) error {
	whole := s.cfg.Clock.borrow()
	defer s.cfg.Clock.giveBack(whole)
	var err error
	if *whole, err = appendUnpacked((*whole)[:0], symbol, s.cfg.Clock.ms(), s.cfg.SymbolBytesMax); err != nil {
		return err
	}
	return f(*whole)
}

// input hands the core a symbol that has passed check.
func (s *Stream) input(symbol []byte, una uint32, kind kcp.PacketType) error {
	if s.core == nil && !s.stir(symbol) {
		return nil
	}
	s.settle(una)
	s.translate(symbol)
	if s.coreInput(symbol, kind) != 0 {
		return ErrMalformed
	}
	return nil
}

// coreInput hands acknowledgements to the core. Its timeout is the smoothed round trip and four times its variation, but at
// least one flush interval more: while a transfer fills a queue the round trip grows faster than that follows, and the
// whole window would be sent again.
func (s *Stream) coreInput(b []byte, kind kcp.PacketType) int {
	busy := s.Waiting() > busySegments
	if busy {
		s.core.NoDelay(-1, busyMargin, -1, -1)
	}
	n := s.core.Input(b, kind, false)
	if busy {
		s.core.NoDelay(-1, flushInterval, -1, -1)
	}
	return n
}

// check returns the symbol's highest cumulative acknowledgement and the peer's window, or why no correct peer can have
// sent it. The core would free the whole send queue for a forged acknowledgement, wait for ever for the rest of a
// "fragment", and panic on a segment longer than its buffers.
func (s *Stream) check(b []byte) (una uint32, window uint16, err error) {
	una = s.una
	if len(b) < headerBytes || len(b) > s.cfg.SymbolBytesMax {
		return 0, 0, ErrMalformed
	}
	for len(b) > 0 {
		if len(b) < headerBytes {
			return 0, 0, ErrMalformed
		}
		seg := parseSegment(b)
		if seg.id != s.cfg.ID || seg.frg != 0 || uint64(seg.length) > uint64(len(b)-headerBytes) {
			return 0, 0, ErrMalformed
		}
		if (seg.cmd == kcp.IKCP_CMD_PUSH) != (seg.length > 0) || seg.cmd < kcp.IKCP_CMD_PUSH || seg.cmd > kcp.IKCP_CMD_WINS {
			return 0, 0, ErrMalformed
		}
		if s.cfg.Ends && seg.cmd == kcp.IKCP_CMD_PUSH && !marked(b[headerBytes:][:seg.length]) {
			return 0, 0, ErrMalformed
		}
		if after(seg.una, s.sendMax) || seg.cmd == kcp.IKCP_CMD_ACK && !after(s.sendMax, seg.sn) {
			return 0, 0, ErrUnsent
		}
		if after(seg.una, una) {
			una = seg.una
		}
		window = seg.window
		b = b[headerBytes+int(seg.length):]
	}
	return una, window, nil
}

// marked reports whether a segment's bytes begin with a mark that makes sense.
func marked(b []byte) bool { return b[0] == markData || b[0] == markEnd && len(b) == markBytes }

// AckNow sends the acknowledgements of everything Input took since the last call, in as few symbols as possible.
func (s *Stream) AckNow() {
	s.owesAck = false
	if s.core != nil {
		// The core acknowledges at once only from within Input. A window update that says nothing new is the way in.
		s.nudge(kcp.IKCP_CMD_WINS)
	}
}

// TellWindow has the next Flush tell the peer how much may be sent.
func (s *Stream) TellWindow() {
	if s.core != nil {
		s.nudge(kcp.IKCP_CMD_WASK)
	}
	s.wake = true
}

// nudge hands the core a segment that the peer did not send and that says nothing new, marked as rebuilt so that even
// its window is ignored.
func (s *Stream) nudge(cmd byte) {
	var seg [headerBytes]byte
	s.putHeader(seg[:], cmd)
	s.core.Input(seg[:], kcp.IKCP_PACKET_FEC, true)
}

// putHeader writes the header of a segment for the core, in its numbers: without data, and with the cumulative
// acknowledgement it knows.
func (s *Stream) putHeader(b []byte, cmd byte) {
	binary.LittleEndian.PutUint32(b[0:], s.cfg.ID)
	b[4] = cmd
	binary.LittleEndian.PutUint32(b[16:], s.told-s.sendBase)
}

// Flush sends what is due: new bytes, retransmissions, window probes. Within flushInterval of the last Flush that did
// something it sends only new bytes, and spends credit for it; without credit it does nothing.
func (s *Stream) Flush() {
	before := s.cfg.Clock.ms()
	s.askUna(before)
	if s.until(before) > 0 {
		if s.Unsent() > 0 && s.credit() > 0 {
			s.spend()
		}
		return
	}
	if s.core == nil && s.Room() == 0 {
		s.rouse() // It asks now and then whether there is room.
	}
	asked := s.wake
	s.wake = false
	if s.core == nil {
		if asked {
			s.tellAsleep()
		}
		return
	}
	s.core.Update()
	// The core keeps to a grid of intervals while it is busy and starts a new one after a pause; this mirrors it. Where the
	// millisecond changed under our hands the later of the possible times is right: asking too early would be in vain.
	switch now := s.cfg.Clock.ms(); {
	case s.started && now == before && !after(now, s.flushAt+flushInterval-1):
		s.flushAt += flushInterval
	default:
		s.flushAt = now + flushInterval
	}
	s.started = true
}

// Ready reports whether Flush would send now.
func (s *Stream) Ready() bool { return s.credit() > 0 || s.untilFlush() == 0 }

// untilFlush is how long the core will still refuse to flush.
func (s *Stream) untilFlush() time.Duration { return s.until(s.cfg.Clock.ms()) }

func (s *Stream) until(now uint32) time.Duration {
	d := int32(s.flushAt - now)
	if !s.started || d <= 0 || d > flushInterval {
		return 0
	}
	return time.Duration(d) * time.Millisecond
}

// Pending reports whether Flush, when it is due, has something to do.
func (s *Stream) Pending() bool { return s.Waiting() > 0 || s.wake }

// Next returns how long from now Flush has something to do, and false when there is nothing to wait for. Pending says
// that bytes wait for Send.
func (s *Stream) Next(pending bool) (time.Duration, bool) {
	if !pending && !s.Pending() {
		return 0, false
	}
	return s.untilFlush(), true
}

// Waiting returns how many segments are queued or not yet acknowledged.
func (s *Stream) Waiting() int {
	if s.core == nil {
		return 0
	}
	return s.core.WaitSnd() - s.credit()
}

// Unsent returns how many segments were taken by Send that have never left.
func (s *Stream) Unsent() int { return int(s.handed - s.sendMax) }

// Stats returns the counters.
func (s *Stream) Stats() Stats { return s.stats }

// output translates what leaves into the numbers of the wire and looks at it: it must know the highest number sent, to
// recognise forged acknowledgements, and whether there is data worth protecting.
func (s *Stream) output(buf []byte, size int) {
	if size == 0 {
		return // The core makes room for a segment longer than its symbols.
	}
	sym := Symbol{Bytes: buf[:size]}
	if s.cfg.Confirmed {
		sym.Bytes = withoutAcks(sym.Bytes)
	}
	for b := sym.Bytes; len(b) >= headerBytes; {
		s.translateOut(b)
		seg := parseSegment(b)
		s.window, s.toldUna = seg.window, seg.una
		if seg.cmd == kcp.IKCP_CMD_PUSH {
			sym.note(seg)
			if !after(s.sendMax, seg.sn) {
				s.sendMax = seg.sn + 1
				s.stats.Sent++
			} else {
				s.stats.Retransmits++
				sym.Kind = Resent
			}
		}
		b = b[headerBytes+int(seg.length):]
	}
	packed := s.cfg.Clock.borrow()
	*packed = appendPacked((*packed)[:0], sym.Bytes)
	sym.Bytes = *packed
	s.cfg.Output(sym)
	s.cfg.Clock.giveBack(packed)
}

// note takes note of data in a symbol. Segments that are not in a row are not named, but for the first ones.
func (y *Symbol) note(seg segment) {
	y.Kind = max(y.Kind, Data)
	switch {
	case y.Sent.Count == 0:
		y.Sent = Sent{First: seg.sn, Count: 1, At: seg.ts}
	case seg.sn == y.Sent.First+y.Sent.Count:
		y.Sent.Count++
	}
}

type segment struct {
	id       uint32
	cmd, frg byte
	window   uint16
	ts       uint32
	sn, una  uint32
	length   uint32
}

func parseSegment(b []byte) segment {
	return segment{
		id:     binary.LittleEndian.Uint32(b),
		cmd:    b[4],
		frg:    b[5],
		window: binary.LittleEndian.Uint16(b[6:]),
		ts:     binary.LittleEndian.Uint32(b[8:]),
		sn:     binary.LittleEndian.Uint32(b[12:]),
		una:    binary.LittleEndian.Uint32(b[16:]),
		length: binary.LittleEndian.Uint32(b[20:]),
	}
}

// after reports whether a comes after b in serial number arithmetic (RFC 1982).
func after(a, b uint32) bool { return int32(a-b) > 0 }
