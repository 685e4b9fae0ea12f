package compare

import (
	"errors"
	"fmt"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
	"udpchat/reliable/simulate"
)

// grain is what times on virtual links are rounded up to: KCP counts whole milliseconds, and only so its figures are the
// same in every process. All transports get the same.
const grain = time.Millisecond

// A machinist is a transport that also comes as two state machines, which run on one goroutine.
type machinist interface {
	Transport
	// machines fills in how the duel's peers are made. Split is called at the end of the run.
	machines(d *simulate.Duel, spec Spec) (split func() Split)
}

// playMachines is Play for state machines: the same plan, the same frames, the same rules. It must be called in a bubble of
// testing/synctest.
func playMachines(t machinist, spec Spec) Result {
	spec = spec.withDefaults()
	w, err := WorkloadNamed(spec.Workload)
	if err != nil {
		r := newResult(spec)
		r.Error = err.Error()
		return r
	}
	p := &machinePlay{spec: spec, work: w, sheet: newSheet(spec, w), printer: newPrinter(spec.Seed), buf: make([]byte, 64<<10)}
	p.duel = &simulate.Duel{
		Seed: spec.Seed, Links: [2]netem.Params{spec.Link.Up, spec.Link.Down}, Turn: p.turn, Verdict: p.verdict,
	}
	for side := range p.duel.Links {
		p.duel.Links[side].Grain = grain
		p.drops[side] = []float64{}
	}
	split := t.machines(p.duel, spec)
	p.duel.At(connectMax, p.giveUp)
	if w.Cold {
		p.begin(0)
	}
	err = p.duel.Run()
	p.sheet.end()
	p.sheet.split(split())
	r := p.sheet.result()
	r.Wire = Wire{
		Up: trafficOf(p.duel.Counts(simulate.Client)), Down: trafficOf(p.duel.Counts(simulate.Server)),
		UpDropsMs: p.drops[simulate.Client], DownDropsMs: p.drops[simulate.Server],
	}
	r.Split.complete(&r.Wire)
	if err := errors.Join(err, p.err); err != nil {
		r.Error = err.Error()
	}
	return r
}

// machinePlay is a run under way.
type machinePlay struct {
	spec    Spec
	work    Workload
	duel    *simulate.Duel
	sheet   *sheet
	printer *printer
	buf     []byte
	cut     [2]cutter
	queue   [2][]byte // by side: frames that wait, the first perhaps begun
	bulk    [2]bulkStream
	bulkCut cutter
	pieces  []byte // of the file, that wait for the bulk stream
	drops   [2][]float64
	open    bool          // the handshake is over
	begun   bool          // the plan is set
	first   time.Duration // of the plan
	next    int           // message that is next
	err     error
}

func (p *machinePlay) verdict(from simulate.Side, v netem.Verdict) {
	if v.Fate != netem.Kept && len(p.drops[from]) < dropsMax {
		p.drops[from] = append(p.drops[from], milliseconds(v.At))
	}
}

func (p *machinePlay) giveUp() {
	if !p.open {
		p.fail(fmt.Errorf("no connection after %v", connectMax))
	}
}

func (p *machinePlay) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.duel.Stop()
}

// A streamer is a machine that has streams beside its first one, with a lane for files.
type streamer interface {
	OpenStream(reliable.Lane) (*reliable.MachineStream, error)
	AcceptStream() *reliable.MachineStream
}

// A bulkStream is such a stream.
type bulkStream interface {
	Write(p []byte) int
	Read(p []byte) int
}

// openBulk gives the file a stream of its own, if the transport has some.
func (p *machinePlay) openBulk(side simulate.Side, peer simulate.Peer) {
	m, ok := peer.(streamer)
	if !ok || !p.work.File || p.bulk[side] != nil || !peer.Open() {
		return
	}
	if side == simulate.Server {
		if s := m.AcceptStream(); s != nil {
			p.bulk[side] = s
		}
		return
	}
	s, err := m.OpenStream(reliable.Bulk)
	if err != nil {
		p.fail(fmt.Errorf("opening a stream for the file: %w", err))
		return
	}
	p.bulk[side] = s
}

// begin starts the plan at a time.
func (p *machinePlay) begin(first time.Duration) {
	p.begun, p.first = true, first
	p.sheet.begin(first)
	p.duel.At(first+p.sheet.over(p.work), p.duel.Stop)
	if p.work.File {
		p.duel.At(first, func() { p.duel.Wake(simulate.Client) })
		p.duel.At(first+p.spec.Duration, func() {
			p.sheet.fileOver()
			p.stopIfComplete()
		})
	}
	p.planMessage()
	for i, at := range p.sheet.backPlan {
		p.duel.At(first+at, func() {
			p.queue[simulate.Server] = append(p.queue[simulate.Server], p.printer.frame(backNumber+uint32(i), p.work.Bytes)...)
			p.duel.Wake(simulate.Server)
		})
	}
}

func (p *machinePlay) planMessage() {
	if p.next == len(p.sheet.plan) {
		return
	}
	p.duel.At(p.first+p.sheet.plan[p.next], func() {
		p.queue[simulate.Client] = append(p.queue[simulate.Client], p.printer.frame(uint32(p.next), p.work.Bytes)...)
		p.next++
		p.planMessage()
		if p.open { // Otherwise the first turn that finds it open writes it.
			p.duel.Wake(simulate.Client)
		}
	})
}

// turn is the application of both sides.
func (p *machinePlay) turn(side simulate.Side, peer simulate.Peer) {
	if err := peer.Err(); err != nil {
		p.fail(fmt.Errorf("the %v's connection ended: %w", side, err))
		return
	}
	if side == simulate.Client && !p.open && peer.Open() {
		p.open = true
		p.sheet.connected(p.duel.Now(), "")
		if !p.begun {
			first := p.spec.Lead
			if now := p.duel.Now(); now > first {
				first = now.Truncate(time.Second) + time.Second
			}
			p.begin(first)
		}
	}
	p.openBulk(side, peer)
	if s, ok := p.bulk[side].(*reliable.MachineStream); ok && s.Err() != nil {
		p.fail(fmt.Errorf("the stream of the file: %w", s.Err()))
		return
	}
	if peer.Open() {
		p.write(side, peer)
	}
	for n := peer.Read(p.buf); n > 0; n = peer.Read(p.buf) {
		p.read(side, peer, p.buf[:n])
	}
	if b := p.bulk[side]; b != nil && side == simulate.Server {
		for n := b.Read(p.buf); n > 0; n = b.Read(p.buf) {
			if !p.bulkCut.feed(p.buf[:n], func(uint32) {}, func(bytes int) { p.sheet.piece(p.duel.Now(), bytes) }) {
				p.fail(errors.New("bytes arrived that nobody sent"))
			}
		}
	}
}

// write hands over what waits, and pieces of the file as long as the machine takes them: in a stream of their own, or behind
// the messages.
func (p *machinePlay) write(side simulate.Side, peer simulate.Peer) {
	for p.hand(&p.queue[side], peer) && p.bulk[side] == nil && p.sending(side) {
		p.queue[side] = append(p.queue[side], p.printer.frame(pieceNumber, chunkBytes)...)
	}
	if b := p.bulk[side]; b != nil && side == simulate.Client {
		for p.hand(&p.pieces, b) && p.sending(side) {
			p.pieces = append(p.pieces, p.printer.frame(pieceNumber, chunkBytes)...)
		}
	}
}

// hand writes what waits in queue and reports whether that was all.
func (p *machinePlay) hand(queue *[]byte, to interface{ Write(p []byte) int }) bool {
	n := to.Write(*queue)
	p.sheet.wrote(n)
	*queue = (*queue)[:copy(*queue, (*queue)[n:])]
	return len(*queue) == 0
}

// sending reports whether the side sends a file now.
func (p *machinePlay) sending(side simulate.Side) bool {
	now := p.duel.Now()
	return p.work.File && side == simulate.Client && p.begun && now >= p.first && now < p.first+p.spec.Duration
}

// read takes what has arrived.
func (p *machinePlay) read(side simulate.Side, peer simulate.Peer, b []byte) {
	whole := p.cut[side].feed(b, func(number uint32) {
		if side == simulate.Server && p.work.Echo {
			p.queue[side] = append(p.queue[side], p.printer.frame(number, p.work.Bytes)...)
			p.write(side, peer)
			return
		}
		p.sheet.arrived(int(number), p.duel.Now())
	}, func(bytes int) { p.sheet.piece(p.duel.Now(), bytes) })
	if !whole {
		p.fail(errors.New("bytes arrived that nobody sent"))
	}
	p.stopIfComplete()
}

func (p *machinePlay) stopIfComplete() {
	select {
	case <-p.sheet.complete:
		p.duel.Stop()
	default:
	}
}
