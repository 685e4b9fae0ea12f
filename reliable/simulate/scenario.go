package simulate

import (
	"fmt"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A Side is one end of the connection.
type Side uint8

// The two sides.
const (
	Client Side = iota
	Server
)

// String returns the side's name.
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

func (s Side) other() Side { return 1 - s }

// An Ending is how a connection ends.
type Ending uint8

const (
	// EndQuiet: everything has arrived, then one side closes.
	EndQuiet Ending = iota
	// EndAbrupt: one side closes right after its last write, whatever the network does.
	EndAbrupt
	// EndBoth: each side does, so that the ends may cross.
	EndBoth
	// EndAbort: one side breaks off right after its last write; what is on the way may be lost.
	EndAbort
	// EndDead: at some time one direction or both stop for ever; both sides have to notice.
	EndDead
	endings
)

var endingNames = [endings]string{"quiet", "abrupt", "both", "abort", "dead"}

// String returns the ending's name.
func (e Ending) String() string { return endingNames[e] }

// A Scenario is everything that happens in one run. All times are since its start, in whole milliseconds. Arrays are
// indexed by Side; a link belongs to the side that sends into it.
type Scenario struct {
	Seed uint64
	// Links are the bad links. Their Grain must be a millisecond.
	Links [2]netem.Params
	// HealAt is when the links get well: from then on they only delay.
	HealAt time.Duration
	// DeadAt is when what the side sends stops to arrive for ever, well or not. 0: never.
	DeadAt [2]time.Duration
	Plans  [2]Plan
	// Moves are when the client's address changes, Copies when somebody sends its packets again from his own, sooner.
	Moves  []Move
	Copies []Span
	// Shrinks make large datagrams vanish, also from links that are well. Bytes 0: none.
	Shrinks [2]Shrink
	// Streams are the streams beside the connection itself.
	Streams []StreamPlan
	// Config is both sides'; Random and Planted are set by Run.
	Config reliable.Config

	Ending Ending
	Closer Side          // who closes, for endings that have one
	Pause  time.Duration // EndQuiet: how long after the last message arrived
	Code   uint32        // of the close
	Text   string

	// Latencies makes Run keep how long each message took.
	Latencies bool
	// Trace gets a line for every datagram that leaves. Nil: nobody does.
	Trace func(line string)
}

// A Plan is what one side's application does.
type Plan struct {
	Writes []Write // in order of time
	Stalls []Span  // when it does not read
}

// A Write is one message.
type Write struct {
	At    time.Duration
	Bytes int // payload, 1 or more
}

// A Span is a time from…to.
type Span struct{ From, To time.Duration }

// String says in a line what the scenario is about.
func (s *Scenario) String() string {
	bytes := [2]int{}
	for side, p := range s.Plans {
		for _, w := range p.Writes {
			bytes[side] += w.Bytes
		}
	}
	up, down := &s.Links[Client], &s.Links[Server]
	return fmt.Sprintf("%d streams, loss %.0f+%.0f/%.0f+%.0f %%, delay %v/%v, heals at %v, %d and %d messages with %d and %d bytes, ends %v by %v, dead at %v/%v, moves %v, copies %v, shrinks %v",
		len(s.Streams), 100*up.Loss, 100*up.Burst.Share, 100*down.Loss, 100*down.Burst.Share, up.Delay, down.Delay, s.HealAt,
		len(s.Plans[Client].Writes), len(s.Plans[Server].Writes), bytes[Client], bytes[Server],
		s.Ending, s.Closer, s.DeadAt[Client], s.DeadAt[Server], s.Moves, s.Copies, s.Shrinks)
}

// settled is when all that was written must have arrived if nobody closed and nobody died.
func (s *Scenario) settled() time.Duration {
	last, bytes := s.HealAt, 0
	for _, p := range s.Plans {
		for _, w := range p.Writes {
			last = max(last, w.At)
			bytes += w.Bytes
		}
		for _, span := range p.Stalls {
			last = max(last, span.To)
		}
	}
	for _, p := range s.Streams {
		last = max(last, p.At, p.ResetAt)
		bytes += p.Bytes[Client] + p.Bytes[Server]
	}
	return last + settleMax + time.Duration(bytes/settleBytesPerSecond)*time.Second
}

// over is when both sides must have ended.
func (s *Scenario) over() time.Duration {
	return s.settled() + s.Pause + s.Config.HandshakeTimeout + s.Config.Linger + closingMax + 2*s.Config.IdleTimeout
}

// stalled reports whether the side's application does not read at time t, and until when.
func (p *Plan) stalled(t time.Duration) (until time.Duration, yes bool) {
	for _, s := range p.Stalls {
		if s.From <= t && t < s.To {
			return s.To, true
		}
	}
	return 0, false
}
