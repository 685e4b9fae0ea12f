package netem

// A lane is the stages of one path, in order, each with its own random numbers.
type lane struct {
	params     Params
	events     schedule
	replay     replayStage
	loss       lossStage
	mangle     mangleStage
	bottleneck bottleneck
	delay      delayStage

	eventDraws, lossDraws, burstDraws, chainDraws, mangleDraws, duplicateDraws, delayDraws *stream
}

// draws is what one packet takes from each stream. It is taken at once, when the packet is pushed, so
// that no stage can shift the numbers of another.
type draws struct {
	event     uint64
	loss      lossDraws
	mangle    [mangleDrawCount]uint64
	duplicate uint64
	delay     [4]uint64 // Two for the packet, two for its copy.
}

func newLane(p Params, seed uint64, dir Direction, index int) *lane {
	stream := func(st stage) *stream { return newStream(seed, dir, index, st) }
	ln := &lane{
		params:         p,
		events:         schedule{key: streamKey(seed, dir, index, stageEvents)},
		replay:         newReplayStage(p.Replay, seed),
		loss:           newLossStage(p, stream),
		mangle:         mangleStage{corrupt: p.Corrupt, truncate: p.Truncate},
		bottleneck:     newBottleneck(p, stream(stageRate)),
		delay:          newDelayStage(p, streamKey(seed, dir, index, stageRedraw)),
		eventDraws:     stream(stageEvents),
		lossDraws:      stream(stageLoss),
		burstDraws:     stream(stageBurst),
		chainDraws:     stream(stageChain),
		mangleDraws:    stream(stageMangle),
		duplicateDraws: stream(stageDuplicate),
		delayDraws:     stream(stageDelay),
	}
	for _, e := range p.Events {
		if e.Kind != Move {
			ln.events.events = append(ln.events.events, e)
		}
	}
	return ln
}

// draw takes the numbers of the next packet.
func (ln *lane) draw() draws {
	d := draws{
		event: ln.eventDraws.next(),
		loss: lossDraws{
			independent: ln.lossDraws.next(),
			burst:       ln.burstDraws.next(),
			chainMove:   ln.chainDraws.next(),
			chainLoss:   ln.chainDraws.next(),
		},
		duplicate: ln.duplicateDraws.next(),
	}
	for i := range d.mangle {
		d.mangle[i] = ln.mangleDraws.next()
	}
	for i := range d.delay {
		d.delay[i] = ln.delayDraws.next()
	}
	// The chain moves with every packet pushed, lost elsewhere or not, so that its runs are its own.
	ln.loss.chain.move(d.loss.chainMove)
	return d
}
