package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A Workload is what is sent.
type Workload struct {
	Name string
	Text string
	// Bytes of a message, framing included.
	Bytes int
	// Every is the mean time between messages, or between bursts; it varies evenly by ±10 %.
	Every time.Duration
	// Burst is how many messages are sent at once.
	Burst int
	// Echo: the server answers every message, with one of the same size but for Relay; the latency is that of the round
	// trip.
	Echo bool
	// Both: the server sends as many messages, at times of its own. They are the other half of a conversation: what they carry
	// back of acknowledgements matters, and the bytes count, but not how long they take.
	Both bool
	// File: bytes are sent as fast as the transport takes them, from the first message's time on, for Duration.
	File bool
	// Cold: every message goes over a connection of its own and counts from the beginning of its handshake.
	Cold bool
	// Relay: the messages are SENDs of the relay protocol to our server, and the latency is that until the recipient, who is
	// beside the server, gets its FORWARD; with Echo that until the sender gets its SENT. Only in the wire lane, and in tests.
	Relay bool
	// Beside is a transport that sends a file over the same link meanwhile. Empty: none. Only the wire lane can do that.
	Beside string
}

// Workloads returns all, in the order of their list.
func Workloads() []Workload {
	chat := Workload{Bytes: 200, Every: 100 * time.Millisecond, Burst: 1}
	all := []Workload{}
	add := func(name, text string, change func(*Workload)) {
		w := chat
		w.Name, w.Text = name, text
		change(&w)
		all = append(all, w)
	}
	add("chat", "200 bytes about every 100 ms", func(*Workload) {})
	add("talk", "both ends chat, 200 bytes about every 100 ms each; the client's messages count", func(w *Workload) { w.Both = true })
	add("echo", "the same, and every message is answered: the round trip counts", func(w *Workload) { w.Echo = true })
	add("burst", "20 messages of 200 bytes at once, about every 2 s", func(w *Workload) { w.Every, w.Burst = 2*time.Second, 20 })
	add("file", "bytes as fast as they go", func(w *Workload) { w.File, w.Burst = true, 0 })
	add("file+chat", "a file and chat at once, on the same connection", func(w *Workload) { w.File = true })
	add("connect", "one message over a new connection each, from the beginning of the handshake", func(w *Workload) { w.Cold = true })
	add("file-beside-tcp", "a file, while the kernel's CUBIC sends one over the same link", func(w *Workload) {
		w.File, w.Burst, w.Beside = true, 0, "tcp-cubic"
	})
	add("chat-beside-tcp", "chat, while the kernel's CUBIC sends a file over the same link", func(w *Workload) { w.Beside = "tcp-cubic" })
	relay := func(w *Workload) { w.Relay, w.Every = true, time.Second }
	add("relay", "SENDs of the relay protocol, 200 bytes about every second, until the recipient has its FORWARD", relay)
	add("relay-sent", "the same until the sender has its SENT: the round trip", func(w *Workload) { relay(w); w.Echo = true })
	return all
}

// backPlan returns when the server's own messages are to be sent, nil if it has none.
func (w Workload) backPlan(seed uint64, n int) []time.Duration {
	if !w.Both {
		return nil
	}
	return w.Plan(seed^0xbac, n)
}

// needsWire reports whether it takes the wire lane, whatever the transport.
func (w Workload) needsWire() bool { return w.Beside != "" || w.Relay }

// WorkloadNamed returns the workload of that name, or an error that lists the names.
func WorkloadNamed(name string) (Workload, error) {
	var names []string
	for _, w := range Workloads() {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fmt.Errorf("no workload %q; there are: %s", name, strings.Join(names, ", "))
}

// Plan returns when each of n messages is to be sent, since the first one's time. It depends on the seed alone; times are
// whole milliseconds, as links in simulations have them.
func (w Workload) Plan(seed uint64, n int) []time.Duration {
	if w.Burst == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(seed, 0x91a7))
	plan := make([]time.Duration, 0, n)
	at := time.Duration(0)
	for len(plan) < n {
		for range min(w.Burst, n-len(plan)) {
			plan = append(plan, at)
		}
		spread := int64(w.Every / (5 * time.Millisecond))
		at += w.Every*9/10 + time.Duration(random.Int64N(spread+1))*time.Millisecond
	}
	return plan
}
