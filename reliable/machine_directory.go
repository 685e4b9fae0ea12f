package reliable

import (
	"slices"
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A directory knows the streams of a connection beside stream 0: those that are open, by ID; which were ever open, by the
// highest number of each kind; and the last words of those that have ended.
type directory struct {
	byID   map[uint32]*MachineStream
	opened [2][lanes]uint32 // highest number so far: ours, the peer's
	count  [2][lanes]uint8  // open now: ours, the peer's
	resets []*pendingReset  // sent, not acknowledged
	words  *farewells       // of ended streams; nil: none has
}

const (
	mine = iota
	theirs
)

// farewells answer what comes late for streams that have ended in order: that everything arrived.
type farewells struct {
	ids     [lastWordsMax]uint32 // zero: none
	symbols [lastWordsMax][]byte
	next    int // place of the next
}

func (f *farewells) add(id uint32, symbol []byte) *farewells {
	if f == nil {
		f = &farewells{}
	}
	f.ids[f.next], f.symbols[f.next] = id, symbol
	f.next = (f.next + 1) % lastWordsMax
	return f
}

func (f *farewells) find(id uint32) []byte {
	if f == nil {
		return nil
	}
	if i := slices.Index(f.ids[:], id); i >= 0 {
		return f.symbols[i]
	}
	return nil
}

// A pendingReset is repeated until it is acknowledged.
type pendingReset struct {
	id, code uint32
	at       time.Time // when it is due
}

// OpenStream begins a stream. The peer hears of it with the next Advance.
func (m *Machine) OpenStream(l Lane) (*MachineStream, error) {
	switch {
	case l >= lanes:
		return nil, errLane
	case m.state >= stateLinger:
		return nil, m.endErr()
	case int(m.count[mine][l])+m.resetsOf(l) >= streamsMax[l]:
		return nil, errStreams
	}
	m.opened[mine][l]++
	s := m.addStream(streamID(!m.dialled, l, m.opened[mine][l]), mine)
	s.fresh = true
	return s, nil
}

// AcceptStream returns the next stream the peer has opened; nil: there is none.
func (m *Machine) AcceptStream() *MachineStream {
	for _, s := range m.streams {
		if s.offered {
			s.offered = false
			return s
		}
	}
	return nil
}

// endErr is why nothing can be begun any more.
func (m *Machine) endErr() error {
	if m.err != nil {
		return m.err
	}
	return &CloseError{Code: m.closing.code, Text: m.closing.text}
}

func (m *Machine) addStream(id uint32, side int) *MachineStream {
	s := &MachineStream{m: m, id: id, bounded: true, offered: side == theirs}
	s.open()
	if m.byID == nil {
		m.byID = make(map[uint32]*MachineStream)
	}
	m.byID[id] = s
	m.streams = append(m.streams, s)
	m.count[side][s.Lane()]++
	return s
}

// side says who has opened a stream.
func (m *Machine) side(id uint32) int {
	if (id&streamByServer != 0) != m.dialled {
		return mine
	}
	return theirs
}

// streamFor returns the stream a symbol is for, which it may open. Nil: for none; an error says that no correct peer
// can have sent it.
func (m *Machine) streamFor(symbol []byte) (*MachineStream, error) {
	id, ok := arq.Conversation(symbol)
	if !ok {
		return nil, arq.ErrMalformed
	}
	if id == 0 {
		m.main.open()
		return m.main, nil
	}
	if s := m.byID[id]; s != nil {
		return s, nil
	}
	if err := m.meet(id); err != nil {
		return nil, err
	}
	if s := m.byID[id]; s != nil {
		return s, nil
	}
	switch m.cfg.Planted {
	case planted.StreamGhost:
		return m.addStream(id, m.side(id)), nil
	case planted.StreamEndUnanswered:
		return nil, nil
	}
	m.answerLate(id, symbol)
	return nil, nil
}

// meet takes note that the peer knows a stream, and opens it and those before it that have not been heard of, if the peer
// has opened it: each begins with the first that is heard of it, but they are accepted in order.
func (m *Machine) meet(id uint32) error {
	number, l, side := id>>streamShift, laneOf(id), m.side(id)
	news := number - m.opened[side][l]
	switch {
	case number == 0:
		return errBroken
	case number <= m.opened[side][l]:
		return nil
	case side == mine || news > uint32(streamsMax[l]):
		return errBroken // Never opened, or more than can be open at once.
	}
	for ; news > 0; news-- {
		m.opened[side][l]++
		next := streamID(m.dialled, l, m.opened[side][l])
		if int(m.count[side][l]) >= min(m.cfg.Streams, streamsMax[l]) || m.state != stateOpen {
			m.queueReset(next, CodeFull)
			continue
		}
		m.addStream(next, side)
	}
	return nil
}

// answerLate answers data for a stream that is gone: the peer has missed its end.
func (m *Machine) answerLate(id uint32, symbol []byte) {
	m.drop(DropStreamEnded)
	if !arq.Asks(symbol) || m.keys == nil {
		return
	}
	if slices.ContainsFunc(m.resets, func(r *pendingReset) bool { return r.id == id }) {
		return // That is the answer.
	}
	if symbol := m.words.find(id); symbol != nil {
		b := m.startPacket(wire.BareFrameBytes + len(symbol))
		m.sendPacket(wire.AppendBare(b, symbol), cargo{}, false)
		return
	}
	b := m.startPacket(wire.ResetFrameBytes)
	m.sendPacket(wire.AppendReset(b, id, CodeNone), cargo{}, false)
}

// retireStreams forgets streams that are over: the peer's end has been read, ours acknowledged.
func (m *Machine) retireStreams() {
	for i := len(m.streams) - 1; i > 0; i-- {
		s := m.streams[i]
		if s.closed {
			m.discard(s)
		}
		switch {
		case !s.over():
		case s.Ended():
			m.words = m.words.add(s.id, s.arq.LastWords())
			m.forgetStream(s)
		default:
			s.Reset(CodeNone) // Nobody reads what the peer goes on sending.
		}
	}
}

// discard throws away what nobody will read.
func (m *Machine) discard(s *MachineStream) {
	var b [ReadBytesMin]byte
	for s.arq.Readable() > 0 {
		s.arq.Recv(b[:])
	}
}

// forgetStream takes a stream out of the directory. Who holds it can read its fate, and what had arrived.
func (m *Machine) forgetStream(s *MachineStream) {
	if s.gone {
		return
	}
	s.gone, s.out = true, fifo{}
	a := s.arq.Stats()
	m.stats.Retransmits += a.Retransmits
	m.stats.Sleeps += a.Sleeps
	m.stats.Wakes += a.Wakes
	delete(m.byID, s.id)
	m.count[m.side(s.id)][s.Lane()]--
	if i := slices.Index(m.streams, s); i >= 0 {
		m.streams = slices.Delete(m.streams, i, i+1)
	}
}

// handleReset takes the peer's news that it has broken a stream off.
func (m *Machine) handleReset(id, code uint32) error {
	if id>>streamShift == 0 {
		return errBroken
	}
	if err := m.meet(id); err != nil {
		return err
	}
	if s := m.byID[id]; s != nil {
		s.breakOff(&StreamError{Code: code, Remote: true})
	}
	return nil
}

func (m *Machine) queueReset(id, code uint32) {
	if len(m.resets) == resetsMax {
		m.resets = m.resets[:copy(m.resets, m.resets[1:])]
	}
	m.resets = append(m.resets, &pendingReset{id: id, code: code, at: m.now})
}

// resetsOf counts the resets of our own streams of a lane that are not acknowledged: their streams still count as open.
func (m *Machine) resetsOf(l Lane) int {
	n := 0
	for _, r := range m.resets {
		if m.side(r.id) == mine && laneOf(r.id) == l {
			n++
		}
	}
	return n
}

// advanceResets sends the resets that are due.
func (m *Machine) advanceResets(now time.Time) {
	for _, r := range m.resets {
		if now.Before(r.at) {
			continue
		}
		r.at = now.Add(max(m.timeout(), resetGap))
		if m.cfg.Planted == planted.ResetOnce {
			r.at = now.Add(time.Hour)
		}
		m.sendPacket(wire.AppendReset(m.startPacket(wire.ResetFrameBytes), r.id, r.code), cargo{reset: r}, true)
	}
}

func (m *Machine) resetArrived(r *pendingReset) {
	if i := slices.Index(m.resets, r); i >= 0 {
		m.resets = slices.Delete(m.resets, i, i+1)
	}
}

// addStats adds the counters of the streams there are.
func (m *Machine) addStats(to *ConnStats) {
	for _, s := range m.streams {
		if s.arq == nil {
			continue
		}
		a := s.arq.Stats()
		to.Retransmits += a.Retransmits
		to.Sleeps += a.Sleeps
		to.Wakes += a.Wakes
	}
}
