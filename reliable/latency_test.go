package reliable

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// A talk is the chat workload over two machines on one goroutine: one message of 200 bytes about every 100 ms.
type talk struct {
	driver   netem.Driver
	start    time.Time
	machines [2]*Machine // client, server
	planned  []time.Time // of the client's messages
	delays   []time.Duration
	rest     []byte // of a message, at the server
	wire     int    // bytes the client sent, in IP packets
	acks     int    // bytes the server sent
}

const talkBytes = 200

// newTalk connects two machines over the link.
func newTalk(t *testing.T, link netem.Params, cfg Config, seed uint64) *talk {
	tk := &talk{start: time.Now()}
	cfg.Random = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	link.Grain = time.Millisecond
	shared := NewShared()
	var pipes [2]*netem.Pipe
	gate, err := handshake.NewGate(tk.start, cfg.Random)
	if err != nil {
		t.Fatal(err)
	}
	toServer := func(b []byte) { tk.wire += len(b) + 28; pipes[0].Send(b) }
	toClient := func(b []byte) { tk.acks += len(b) + 28; pipes[1].Send(b) }
	pipes[0] = tk.driver.Attach(netem.NewLink(link, seed, netem.Up), func(p netem.Packet) {
		if h, err := wire.ParseHello(p.Data); err == nil && tk.machines[1] == nil {
			if typ, _ := wire.ParseType(p.Data); typ == wire.TypeHello {
				retry, ok, _ := gate.Admit(time.Now(), netip.AddrPort{}, h, nil)
				if !ok {
					toClient(retry)
				} else if tk.machines[1], err = NewServerMachine(cfg, shared, time.Now(), p.Data, toClient); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		tk.receive(1, p.Data)
	})
	pipes[1] = tk.driver.Attach(netem.NewLink(link, seed, netem.Down), func(p netem.Packet) { tk.receive(0, p.Data) })
	tk.machines[0], err = NewClientMachine(cfg, shared, tk.start, toServer)
	if err != nil {
		t.Fatal(err)
	}
	tk.turn(0)
	return tk
}

func (tk *talk) receive(side int, b []byte) {
	if m := tk.machines[side]; m != nil {
		m.Handle(time.Now(), b)
		tk.turn(side)
	}
}

// turn advances a machine and plans its next turn.
func (tk *talk) turn(side int) {
	m, now := tk.machines[side], time.Now()
	m.Advance(now)
	buf := make([]byte, 4*ReadBytesMin)
	for n := m.Read(buf); n > 0; n = m.Read(buf) {
		tk.rest = append(tk.rest, buf[:n]...)
		for len(tk.rest) >= talkBytes {
			i := binary.BigEndian.Uint64(tk.rest)
			tk.delays = append(tk.delays, now.Sub(tk.planned[i]))
			tk.rest = tk.rest[talkBytes:]
		}
	}
	if next, ok := m.NextAt(now); ok {
		tk.driver.At(max(next.Sub(tk.start), tk.driver.Now()), func() {
			if again, ok := m.NextAt(time.Now()); ok && !again.After(time.Now()) {
				tk.turn(side)
			}
		})
	}
}

// run sends n messages and lets the network drain.
func (tk *talk) run(n int, gap time.Duration, rng *rand.Rand) {
	at := tk.driver.Now() + time.Second
	for range n {
		at += gap + time.Duration(rng.IntN(21)-10)*time.Millisecond
		tk.driver.At(at, func() {
			b := make([]byte, talkBytes)
			binary.BigEndian.PutUint64(b, uint64(len(tk.planned)))
			tk.planned = append(tk.planned, time.Now())
			tk.machines[0].Write(b)
			tk.turn(0)
		})
	}
	for end := at + 20*time.Second; ; {
		next, ok := tk.driver.NextAt()
		if !ok || next > end {
			break
		}
		time.Sleep(next - time.Since(tk.start))
		tk.driver.Step()
	}
}

// TestChatLatency prints the table of delays on lossy links; LATENCY_MESSAGES makes it longer. It fails only where a
// message does not arrive, or the median says that something is broken.
func TestChatLatency(t *testing.T) {
	n := 1000
	if s := os.Getenv("LATENCY_MESSAGES"); s != "" {
		fmt.Sscan(s, &n)
	}
	var out strings.Builder
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	defer func() { tw.Flush(); t.Log("\n" + out.String()) }() // Also when a bubble fails.
	fmt.Fprintln(tw, "link\tmode\tp50\tp99\tp99.9\tmax\tundelivered\tbytes up/useful\tall/useful\trepairs/message\tretransmits")
	burst := lossy(0)
	burst.Burst = netem.Burst{Share: 0.05, Mean: 30 * time.Millisecond}
	burst10 := burst
	burst10.Burst.Share = 0.1
	slow := netem.Params{Delay: 650 * time.Millisecond, Rate: 20_000, Queue: 4 * time.Second, Loss: 0.02}
	for _, l := range []struct {
		name string
		link netem.Params
	}{
		{"lossy-0", lossy(0)}, {"lossy-1", lossy(0.01)}, {"lossy-5", lossy(0.05)}, {"lossy-10", lossy(0.1)},
		{"lossy-20", lossy(0.2)}, {"lossy-30", lossy(0.3)}, {"bursty-5", burst}, {"bursty-10", burst10}, {"2g", slow},
	} {
		for _, mode := range modes {
			synctest.Test(t, func(t *testing.T) {
				tk := newTalk(t, l.link, mode.cfg, 1)
				gap := 100 * time.Millisecond
				if l.link.Rate > 0 {
					gap = time.Second
				}
				tk.run(n, gap, rand.New(rand.NewPCG(1, 2)))
				slices.Sort(tk.delays)
				if len(tk.delays) != n {
					t.Errorf("%s: %d of %d messages arrived", l.name, len(tk.delays), n)
					return
				}
				p := func(q float64) int64 { return tk.delays[min(n-1, int(q*float64(n)))].Milliseconds() }
				s := tk.machines[0].Stats()
				useful := float64(n * talkBytes)
				fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%d\n", l.name, mode.name, p(0.5), p(0.99), p(0.999), p(1),
					n-len(tk.delays), float64(tk.wire)/useful, float64(tk.wire+tk.acks)/useful, float64(s.RepairSent)/float64(n), s.Retransmits)
				if p(0.5) > 100 && l.name != "2g" {
					t.Errorf("%s: median %d ms", l.name, p(0.5))
				}
			})
		}
	}
}
