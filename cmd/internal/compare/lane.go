package compare

import (
	"context"
	"slices"
)

// A Lane is a kind of place where runs happen.
type Lane string

const (
	// LaneVirtual is virtual time: hours pass in seconds, and no other program disturbs.
	LaneVirtual Lane = "virtual"
	// LaneRealTime is a link in memory by the wall clock, for transports whose timers cannot be made virtual.
	LaneRealTime Lane = "realtime"
	// LaneWire is ordinary sockets of the kernel between two network namespaces (Linux).
	LaneWire Lane = "wire"
	// LaneRecorded is not a place: figures of an earlier run on a wire that ship with the program.
	LaneRecorded Lane = "recorded"
)

// A Runner runs specs of one lane. Its methods are safe for concurrent use.
type Runner interface {
	// Run plays one run. It returns by the deadline of ctx; a run that hangs is cut off and has Result.Error set.
	Run(ctx context.Context, spec Spec) Result
	// Parallel is how many runs may go on at once without disturbing each other.
	Parallel() int
	// Close ends what the runner has started, and waits for it.
	Close() error
}

// A Transport is a contestant. It has no state: any number of runs may use it at once.
type Transport interface {
	Info() Info
	// Connect brings up both ends on f, the client's with a first handshake if it has one, and returns when either side
	// may send. It must end with ctx.
	Connect(ctx context.Context, f Field) (*Pair, error)
}

// Info is what can be said about a transport beforehand.
type Info struct {
	Name      string `json:"name"`
	Text      string `json:"text"` // one line for people, with the settings that matter
	Encrypted bool   `json:"encrypted"`
	// Bare transports keep the bounds of messages and lose some: each write is one datagram. The others are streams of
	// bytes, whole and in order.
	Bare bool `json:"bare"`
	// Lanes it can run in, the best first.
	Lanes []Lane `json:"lanes"`
	// Repeatable: in the virtual lane the same seed gives the same figures.
	Repeatable bool `json:"repeatable"`
	// Kernel transports need Field.Dial and Field.Listen.
	Kernel bool `json:"-"`
}

// In reports whether the transport can run in the lane.
func (i Info) In(lane Lane) bool { return slices.Contains(i.Lanes, lane) }
