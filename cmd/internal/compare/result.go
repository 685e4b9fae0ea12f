package compare

import (
	"time"

	"udpchat/cmd/internal/compare/wirelane"
)

// A Result is what came of one run. Its JSON is part of what --json writes: keys have their unit last.
type Result struct {
	Transport string `json:"transport"`
	Profile   string `json:"profile"`
	Workload  string `json:"workload"`
	Lane      Lane   `json:"lane"`
	Run       int    `json:"run"`
	Seed      uint64 `json:"seed"`

	// Sent is how many messages were planned: a message that the transport never took has not been delivered.
	Sent      int `json:"sent"`
	Delivered int `json:"delivered"`
	// BackSent and BackDelivered are those of the server's own messages, see Workload.Both.
	BackSent      int `json:"back_sent,omitempty"`
	BackDelivered int `json:"back_delivered,omitempty"`
	// PlannedMs and LatencyMs have a value for each message, in the order of the plan; -1 is a message that did not arrive.
	// Planned times count from the start of the link, as those of Drops do.
	PlannedMs []float64 `json:"planned_ms"`
	LatencyMs []float64 `json:"latency_ms"`
	// ConnectMs is how long the handshake took.
	ConnectMs float64 `json:"connect_ms"`

	// FileBytes were delivered in order while the file was sent, for FileSeconds; FileStartMs is when that began. Goodput is
	// their quotient.
	FileBytes   uint64   `json:"file_bytes"`
	FileSeconds float64  `json:"file_s"`
	FileStartMs float64  `json:"file_start_ms"`
	FileByTime  []uint64 `json:"file_by_second_bytes,omitempty"` // delivered in each second since

	// PayloadBytes is what the transport took of messages and files, answers included: the useful bytes.
	PayloadBytes uint64 `json:"payload_bytes"`
	Wire         Wire   `json:"wire"`
	Split        *Split `json:"split,omitempty"` // what the bytes on the wire were for, if known

	// Beside is what the other one on the link got, see Workload.Beside. Wire is then that of both, and Split is not known.
	Beside *Result `json:"beside,omitempty"`

	Timing *wirelane.Timing `json:"wire_timing,omitempty"` // how well the wire kept its times; only in the wire lane

	Note  string `json:"note,omitempty"`  // see Pair.Note
	Error string `json:"error,omitempty"` // why the run is not whole; what it has is still there

	WallMs float64 `json:"wall_ms,omitempty"` // how long it took by the clock on the wall; 0 in repeatable results
}

// Wire is what the link carried. Bytes are IP packets: UDP payload plus 28, for TCP as they are.
type Wire struct {
	Up   Traffic `json:"up"`
	Down Traffic `json:"down"`
	// UpDropsMs and DownDropsMs are when a packet was dropped, since the start of the link; the first 20,000.
	UpDropsMs   []float64 `json:"up_drops_ms"`
	DownDropsMs []float64 `json:"down_drops_ms"`
}

// Traffic is one direction: what was given to the link, and how much of that it dropped.
type Traffic struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Dropped uint64 `json:"dropped"`
}

// Packets is the sum of both directions; so is Bytes.
func (w *Wire) Packets() uint64 { return w.Up.Packets + w.Down.Packets }

// Bytes is the sum of both directions.
func (w *Wire) Bytes() uint64 { return w.Up.Bytes + w.Down.Bytes }

// Split says what bytes on the wire were for, both directions, with the headers of IP. The parts add up to the
// whole.
type Split struct {
	Payload     uint64 `json:"payload_bytes"`         // what the application wrote, the first time
	Headers     uint64 `json:"header_bytes"`          // of IP, UDP and the transport, around payload
	Acks        uint64 `json:"acknowledgement_bytes"` // packets that carry no payload, with their headers
	Retransmits uint64 `json:"retransmission_bytes"`  // payload sent again because it seemed lost, with its headers
	Parity      uint64 `json:"parity_bytes"`          // payload or parity sent again before anything seemed lost
}

// Total is the sum of the parts.
func (s *Split) Total() uint64 { return s.Payload + s.Headers + s.Acks + s.Retransmits + s.Parity }

// complete makes the sum that of the wire: what a meter has not seen are handshakes, and headers.
func (s *Split) complete(w *Wire) {
	s.Headers += w.Bytes() - s.Total() // A few bytes less where a transport counts its own padding twice.
}

// newResult returns a result of nothing.
func newResult(s Spec) Result {
	return Result{Transport: s.Transport, Profile: s.Link.Name, Workload: s.Workload, Lane: s.Lane, Run: s.Run, Seed: s.Seed}
}

// unplayed is the result of a run of which nothing is known: none of its messages has arrived.
func unplayed(s Spec, why error) Result {
	s = s.withDefaults()
	r := newResult(s)
	r.Error = why.Error()
	w, err := WorkloadNamed(s.Workload)
	if err != nil {
		return r // It says nothing of messages.
	}
	for _, at := range w.Plan(s.Seed, s.Messages) {
		r.PlannedMs, r.LatencyMs = append(r.PlannedMs, milliseconds(s.Lead+at)), append(r.LatencyMs, -1)
	}
	r.Sent, r.BackSent = len(r.PlannedMs), len(w.backPlan(s.Seed, s.Messages))
	return r
}

// milliseconds is d as JSON has it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
