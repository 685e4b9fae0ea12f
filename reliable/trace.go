package reliable

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"udpchat/reliable/internal/wire"
)

// An Event is something that happened to a connection, for tests and for people who want to know why. Fields that say
// nothing about it are zero.
type Event struct {
	Conn uint64        // the ID under which we receive; 0: an endpoint's own
	At   time.Duration // since the connection was made
	Name EventName

	Packet uint64         // its number; 0: it has none, being part of a handshake
	Bytes  int            // of the datagram
	Frames []string       // what is in it, in order: "ack", "source", …
	Reason Drop           // why a datagram was dropped
	State  string         // the new state: "hello", "half", "open", "linger", "closing", "ended"
	Err    error          // why it ended
	Remote netip.AddrPort // the new address of the peer
	Count  uint64         // how many, where it says so
	Stats  *ConnStats     // all figures, at metrics and at the end
}

// An EventName says what happened. The words before the colon are those of qlog's main schema where it has some.
type EventName string

// Events.
const (
	EventState       EventName = "connectivity:connection_state_updated" // State; Err and Stats at the end
	EventMoved       EventName = "connectivity:path_assigned"            // the peer has another address: Remote
	EventMTU         EventName = "connectivity:mtu_updated"              // Bytes: of the largest datagram that is sent now
	EventBlackHole   EventName = "connectivity:black_hole"               // large datagrams have stopped to arrive
	EventSent        EventName = "transport:packet_sent"                 // Packet, Bytes, Frames
	EventReceived    EventName = "transport:packet_received"             // Packet, Bytes, Frames
	EventDropped     EventName = "transport:packet_dropped"              // Reason, Bytes
	EventLost        EventName = "recovery:packet_lost"                  // Packet, Bytes: nobody has acknowledged it
	EventMetrics     EventName = "recovery:metrics_updated"              // Stats: after an acknowledgement
	EventBackOff     EventName = "recovery:backed_off"                   // a queue or a mark made us slow down
	EventRetransmits EventName = "recovery:segments_resent"              // Count, by the ARQ
	EventRebuilt     EventName = "fec:symbols_rebuilt"                   // Count
	EventCancelled   EventName = "fec:repair_cancelled"                  // Count: symbols that need not leave any more
	EventSleep       EventName = "idle:slept"                            // the state of the ARQ was given up
	EventWake        EventName = "idle:woke"
)

// traced is what the trace has told of what it finds by comparing.
type traced struct {
	begun bool
	state state
	path  Path
	stats ConnStats
}

// event hands e to the trace.
func (m *Machine) event(e Event) {
	e.Conn, e.At = uint64(m.local), m.now.Sub(m.start)
	m.cfg.Trace(e)
}

// tracePacket tells of a packet by its frames in clear.
func (m *Machine) tracePacket(name EventName, number uint64, bytes int, frames []byte) {
	if m.cfg.Trace != nil {
		m.event(Event{Name: name, Packet: number, Bytes: bytes, Frames: frameNames(frames)})
	}
}

func frameNames(b []byte) []string {
	var names []string
	for len(b) > 0 {
		f, rest, err := wire.ParseFrame(b)
		if err != nil {
			return append(names, "malformed")
		}
		names = append(names, f.Type.String())
		b = rest
	}
	return names
}

// traceHandled tells what came of a datagram of so many bytes; before are the drops until then.
func (m *Machine) traceHandled(before Drops, bytes int) {
	for reason, n := range m.stats.Drops {
		if n > before[reason] {
			m.event(Event{Name: EventDropped, Reason: Drop(reason), Bytes: bytes})
		}
	}
	m.traceChanges()
}

// traceChanges tells what is different from the last time.
func (m *Machine) traceChanges() {
	t := m.traced
	if t == nil {
		t = &traced{path: m.path}
		t.stats.MTU = m.mtu.size
		m.traced = t
	}
	now := m.Stats()
	count := func(name EventName, before, after uint64) {
		if after > before {
			m.event(Event{Name: name, Count: after - before})
		}
	}
	if t.path.Remote != m.path.Remote {
		m.event(Event{Name: EventMoved, Remote: m.path.Remote})
	}
	count(EventBlackHole, t.stats.BlackHoles, now.BlackHoles)
	if t.stats.MTU != now.MTU {
		m.event(Event{Name: EventMTU, Bytes: now.MTU})
	}
	count(EventWake, t.stats.Wakes, now.Wakes)
	count(EventRebuilt, t.stats.RecoveredByFEC, now.RecoveredByFEC)
	count(EventCancelled, t.stats.RepairCancelled, now.RepairCancelled)
	count(EventRetransmits, t.stats.Retransmits, now.Retransmits)
	count(EventBackOff, t.stats.BackOffs, now.BackOffs)
	count(EventSleep, t.stats.Sleeps, now.Sleeps)
	if now.RTT != t.stats.RTT || now.InFlightBytes < t.stats.InFlightBytes {
		m.event(Event{Name: EventMetrics, Stats: &now})
	}
	if !t.begun || t.state != m.state {
		e := Event{Name: EventState, State: m.state.String(), Err: m.err}
		if m.state == stateEnded {
			e.Stats = &now
		}
		m.event(e)
	}
	*t = traced{begun: true, state: m.state, path: m.path, stats: now}
}

var stateNames = [...]string{"hello", "half", "open", "linger", "closing", "ended"}

// String returns the state's name.
func (s state) String() string { return stateNames[s] }

// TraceTo returns a function for Config.Trace that writes each event as a line of JSON, after the manner of qlog: time in
// ms, name, and data with the fields that count. One serves any number of connections, and keeps their lines whole; what
// w does with it is its affair: an error of w ends the trace.
func TraceTo(w io.Writer) func(Event) {
	var mu sync.Mutex
	failed := false
	return func(e Event) {
		line := e.line()
		mu.Lock()
		defer mu.Unlock()
		if !failed {
			_, err := w.Write(line)
			failed = err != nil
		}
	}
}

// line is the event as a line of JSON.
func (e *Event) line() []byte {
	data := make(map[string]any)
	set := func(key string, there bool, value any) {
		if there {
			data[key] = value
		}
	}
	set("packet_number", e.Packet > 0, e.Packet)
	set("bytes", e.Bytes > 0, e.Bytes)
	set("frames", len(e.Frames) > 0, e.Frames)
	set("reason", e.Name == EventDropped, e.Reason.String())
	set("state", e.State != "", e.State)
	set("remote", e.Remote.IsValid(), e.Remote.String())
	set("count", e.Count > 0, e.Count)
	if e.Err != nil {
		data["error"] = e.Err.Error()
	}
	if s := e.Stats; s != nil {
		data["smoothed_rtt_ms"], data["min_rtt_ms"] = inMilliseconds(s.RTT), inMilliseconds(s.RTTMin)
		data["loss_sent"], data["loss_received"] = s.LossSent, s.LossReceived
		data["bytes_in_flight"], data["congestion_window_bytes"] = s.InFlightBytes, s.WindowBytes
		data["delivery_rate_bytes_per_second"], data["pacing_rate_bytes_per_second"] = s.DeliveryRate, s.PacingRate
		data["queue_delay_ms"] = inMilliseconds(s.QueueDelay)
	}
	b, err := json.Marshal(struct {
		Time float64        `json:"time_ms"`
		Conn string         `json:"connection"`
		Name EventName      `json:"name"`
		Data map[string]any `json:"data"`
	}{inMilliseconds(e.At), fmt.Sprintf("%016x", e.Conn), e.Name, data})
	if err != nil {
		panic("BUG: reliable: an event that is not JSON: " + err.Error())
	}
	return append(b, '\n')
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
