package netem

import "time"

const (
	crossPacketBytes = 1500 // IP bytes of a full packet.
	crossWindowFirst = 10   // Packets kept in the queue at the beginning (RFC 6928).
	crossKeep        = 0.7  // What is left of the window after a drop (RFC 9438 4.6).
	crossCreep       = 8    // Deliveries for each packet the window grows by after the first drop.
)

// crossFlow is somebody else's upload: a fluid of full packets that keeps a window's worth of them in
// the queue. Its acknowledgements take no time, which next to the queues it fills does not matter.
type crossFlow struct {
	cross     Cross
	turn      int64           // The turn (of On and Off) it is in, counted from 1; 0 before the first.
	window    float64         // Packets.
	slowStart bool            // No drop yet in this turn.
	inQueue   []time.Duration // When its packets depart.
	dropsFrom time.Duration   // Drops before this belong to the same loss and cost nothing more.
}

// advance runs the flow up to time t.
func (f *crossFlow) advance(t time.Duration, b *bottleneck) {
	for {
		next := f.nextAt()
		if next > t {
			return
		}
		b.rate.forget(next)
		if len(f.inQueue) > 0 && f.inQueue[0] == next {
			f.inQueue = f.inQueue[1:]
			f.grow()
		} else {
			f.turn++
			f.window, f.slowStart = crossWindowFirst, true
		}
		f.fill(next, b)
	}
}

// nextAt is when its next packet departs or its next turn begins.
func (f *crossFlow) nextAt() time.Duration {
	next := time.Duration(f.turn) * (f.cross.On + f.cross.Off)
	if len(f.inQueue) > 0 {
		next = min(next, f.inQueue[0])
	}
	return next
}

// grow opens the window after a delivery.
func (f *crossFlow) grow() {
	if f.slowStart {
		f.window++
	} else {
		f.window += 1.0 / crossCreep
	}
}

// fill sends what the window allows, if the flow is on.
func (f *crossFlow) fill(t time.Duration, b *bottleneck) {
	began := time.Duration(f.turn-1) * (f.cross.On + f.cross.Off)
	if t >= began+f.cross.On {
		return
	}
	for float64(len(f.inQueue)) < f.window {
		departs, ok := b.join(t, crossPacketBytes)
		if ok {
			f.inQueue = append(f.inQueue, departs)
			continue
		}
		if t >= f.dropsFrom {
			f.window = max(1, f.window*crossKeep)
			f.slowStart = false
			f.dropsFrom = b.freeAt // One queue later.
		}
		return
	}
}
