package wirelane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"udpchat/reliable/netem"
)

func TestMain(m *testing.M) {
	jobs := map[string]Job{"ping": pingJob, "flood": floodJob, "fill": fillJob, "sleep": sleepJob, "panic": panicJob, "outside": outsideJob}
	Main(jobs)
	if os.Getenv(parentEnv) != "" {
		beParent()
	}
	os.Exit(m.Run())
}

// parentEnv makes this program a parent of a run that never ends, for a test that kills it.
const parentEnv = "UDPCHAT_WIRELANE_TEST_PARENT"

func beParent() {
	_, err := New().Run(context.Background(), Order{Job: "sleep", Limit: 2 * patience, Note: func(pid json.RawMessage) {
		fmt.Printf("%s\n", pid)
	}}, nil)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// These tests run in real time on a machine that does other things: their tolerances are wide, and where the wire itself
// says that it was held up, they skip.

func pingJob(ctx context.Context, w *World, _ json.RawMessage) (any, error) {
	return w.Ping(ctx, 50, 10*time.Millisecond, time.Second)
}

type floodArgs struct {
	Count, Size int
	Rate        int64
}

func floodJob(ctx context.Context, w *World, args json.RawMessage) (any, error) {
	var a floodArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	return w.Flood(ctx, a.Count, a.Size, a.Rate, 500*time.Millisecond)
}

// fillJob sends one TCP stream for two seconds and returns the bytes that arrived.
func fillJob(_ context.Context, w *World, _ json.RawMessage) (any, error) {
	var l net.Listener
	err := w.AtFar(func() (err error) {
		l, err = net.Listen("tcp4", net.JoinHostPort(w.Far().String(), "0"))
		return err
	})
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		return nil, err
	}
	go func() { // Ends with the process.
		for block := make([]byte, 64<<10); err == nil; {
			_, err = conn.Write(block)
		}
	}()
	in, err := l.Accept()
	if err != nil {
		return nil, err
	}
	got, buf := 0, make([]byte, 64<<10)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		n, err := in.Read(buf)
		if err != nil {
			return nil, err
		}
		got += n
	}
	return got, nil
}

func sleepJob(_ context.Context, w *World, _ json.RawMessage) (any, error) {
	if err := w.Note(os.Getpid()); err != nil {
		return nil, err
	}
	select {}
}

func panicJob(context.Context, *World, json.RawMessage) (any, error) { panic("on purpose") }

// outsideJob tries to reach an address that is not at the far end.
func outsideJob(context.Context, *World, json.RawMessage) (any, error) {
	_, err := net.Dial("udp4", "192.0.2.1:9")
	return fmt.Sprint(err), nil
}

// patience bounds what takes no time to speak of on a machine that has nothing else to do.
const patience = time.Minute

// newLane skips the test where there can be no run.
func newLane(t *testing.T) *Lane {
	t.Helper()
	lane := New()
	if _, err := lane.Check(t.Context()); err != nil {
		t.Skipf("no wire lane here: %v", err)
	}
	return lane
}

func do(t *testing.T, lane *Lane, o Order, result any) Wire {
	t.Helper()
	o.Limit = patience
	wire, err := lane.Run(t.Context(), o, result)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d: %v", o.Seed, wire.Timing)
	return wire
}

// skipIfHeldUp is for tests of time: nothing can be said about the wire on a machine that did not run it.
func skipIfHeldUp(t *testing.T, w Wire) {
	t.Helper()
	if w.Timing.P99Ms > 1 || w.Timing.StallMs > 20 {
		t.Skipf("the machine was too slow: %v", w.Timing)
	}
}

func both(p netem.Params) netem.Profile { return netem.Profile{Up: p, Down: p} }

func TestPingTakesTheRoundTripThatWasConfigured(t *testing.T) {
	lane := newLane(t)
	var trips []time.Duration
	wire := do(t, lane, Order{Job: "ping", Profile: both(netem.Params{Delay: 50 * time.Millisecond}), Seed: 1}, &trips)
	if len(trips) != 50 {
		t.Fatalf("%d of 50 answered on a link without loss: %+v", len(trips), wire)
	}
	skipIfHeldUp(t, wire)
	slices.Sort(trips)
	if median := trips[len(trips)/2]; median < 100*time.Millisecond || median > 101*time.Millisecond {
		t.Errorf("median round trip %v, want 100 to 101 ms; all: %v", median, trips)
	}
}

func TestFloodMeetsTheLossThatWasConfigured(t *testing.T) {
	lane := newLane(t)
	var f Flood
	const n, loss = 6000, 0.1
	wire := do(t, lane, Order{
		Job: "flood", Args: floodArgs{n, 100, 2_400_000},
		Profile: both(netem.Params{Delay: 5 * time.Millisecond, Loss: loss}), Seed: 2,
	}, &f)
	sigma := math.Sqrt(n * loss * (1 - loss))
	if lost := float64(wire.Up.Dropped["loss"]); math.Abs(lost-n*loss) > 4*sigma {
		t.Errorf("lost %v of %d, want %v ± %.0f", lost, n, n*loss, 4*sigma)
	}
	if wire.Up.Overflows+wire.Up.Packets != n || len(wire.Up.Drops) != int(wire.Up.Dropped["loss"]) {
		t.Errorf("of %d packets the wire saw %d (%d overflowed), lists %d drops, counted %v", n, wire.Up.Packets, wire.Up.Overflows, len(wire.Up.Drops), wire.Up.Dropped)
	}
	skipIfHeldUp(t, wire) // A socket whose reader does not run in time drops packets of its own.
	if wire.Up.PacketsArrived != uint64(f.Received) || wire.Up.WriteErrors != 0 {
		t.Errorf("%d packets arrived (%d refused), %d were received", wire.Up.PacketsArrived, wire.Up.WriteErrors, f.Received)
	}
}

func TestFloodMeetsTheRateThatWasConfigured(t *testing.T) {
	lane := newLane(t)
	var f Flood
	const rate, size = 10_000_000, 1000
	wire := do(t, lane, Order{
		Job: "flood", Args: floodArgs{5000, size, 2 * rate},
		Profile: both(netem.Params{Delay: 5 * time.Millisecond, Rate: rate, Queue: 50 * time.Millisecond}), Seed: 3,
	}, &f)
	skipIfHeldUp(t, wire)
	got := float64((f.Received-1)*size*8) / (f.Last - f.First).Seconds()
	if math.Abs(got-rate) > 0.02*rate {
		t.Errorf("%.0f bit/s of IP packets came through, want %d within 2 %%", got, rate)
	}
}

func TestTCPWithoutLossFillsTheLine(t *testing.T) {
	lane := newLane(t)
	var bytes int
	const rate = 20_000_000
	wire := do(t, lane, Order{
		Job: "fill", Profile: both(netem.Params{Delay: 5 * time.Millisecond, Rate: rate, Queue: 100 * time.Millisecond}), Seed: 4,
	}, &bytes)
	skipIfHeldUp(t, wire)
	got := float64(bytes) * 8 / 2
	if got < 0.9*rate*1448/1500 || got > rate {
		t.Errorf("TCP got %.1f Mbit/s through 20", got/1e6)
	}
	// Segments as a wire has them: the kernel must not hand over more than the MTU, and the split must add up.
	s := wire.Up.TCP
	if s == nil || s.Handshake != 1 || s.Payload+s.Repeated+s.Headers+s.Acks != wire.Up.Bytes {
		t.Errorf("split of %d bytes is %+v", wire.Up.Bytes, s)
	}
	if mean := wire.Up.Bytes / wire.Up.Packets; mean < 1000 || mean > mtu {
		t.Errorf("mean packet is %d bytes, want about %d", mean, mtu)
	}
}

func TestSameSeedSameLosses(t *testing.T) {
	lane := newLane(t)
	o := Order{
		Job: "flood", Args: floodArgs{2000, 100, 8_000_000},
		Profile: both(netem.Params{Delay: 5 * time.Millisecond, Loss: 0.1}), Seed: 5,
	}
	var lost [2]uint64
	for i := range lost {
		var f Flood
		wire := do(t, lane, o, &f)
		if lost[i] = wire.Up.Dropped["loss"]; wire.Up.Packets != 2000 {
			skipIfHeldUp(t, wire)
			t.Fatalf("%d of 2,000 packets came to the wire", wire.Up.Packets)
		}
	}
	if lost[0] != lost[1] {
		t.Errorf("%d and %d of 2,000 were lost", lost[0], lost[1])
	}
}

func TestNothingLeadsOutOfTheNamespaces(t *testing.T) {
	var got string
	do(t, newLane(t), Order{Job: "outside"}, &got)
	if !strings.Contains(got, "network is unreachable") {
		t.Errorf("sending outside: %s", got)
	}
}

func TestJobThatHangsIsCutOffAndGone(t *testing.T) {
	lane := newLane(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pid := 0
	_, err := lane.Run(ctx, Order{Job: "sleep", Limit: 2 * patience, Note: func(note json.RawMessage) {
		_ = json.Unmarshal(note, &pid)
		cancel()
	}}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended with %v, want that it was cancelled", err)
	}
	if pid == 0 || alive(pid) {
		t.Errorf("process %d is still there", pid)
	}
}

func TestRunDiesWithItsParent(t *testing.T) {
	newLane(t)
	parent := exec.CommandContext(t.Context(), "/proc/self/exe")
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := 0
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatalf("the parent said nothing: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // It was killed.
	for end := time.Now().Add(patience); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// alive reports whether there is a process that has not ended; a zombie has.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

func TestJobThatFailsSaysWhy(t *testing.T) {
	lane := newLane(t)
	for job, want := range map[string]string{"panic": "on purpose", "unknown": `no job "unknown"`} {
		_, err := lane.Run(t.Context(), Order{Job: job, Limit: patience}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("job %s ended with %v, want %q", job, err, want)
		}
	}
}
