package compare

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// newWireRunner skips the test where there is no wire lane.
func newWireRunner(t *testing.T) *WireRunner {
	t.Helper()
	r, err := NewWireRunner(t.Context())
	if err != nil {
		t.Skipf("no wire lane here: %v", err)
	}
	return r
}

// hasCongestionControl skips the test where the kernel lacks it.
func hasCongestionControl(t *testing.T, r *WireRunner, transport string) {
	t.Helper()
	name, ok := strings.CutPrefix(transport, "tcp-")
	if ok && !slices.Contains(r.Kernel().CongestionControl, name) {
		t.Skipf("this kernel has no %s, only %v", name, r.Kernel().CongestionControl)
	}
}

// Nothing is lost on a clean link, by nobody, and nothing is quicker than the link.
func TestWireCarriesEveryTransport(t *testing.T) {
	r := newWireRunner(t)
	for _, tr := range Transports() {
		info := tr.Info()
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			hasCongestionControl(t, r, info.Name)
			res := r.Run(t.Context(), Spec{
				Transport: info.Name, Workload: "chat", Link: lossy(0), Seed: 1, Messages: 10, Lead: 500 * time.Millisecond,
			})
			if res.Error != "" || res.Delivered != 10 || res.Lane != LaneWire {
				t.Fatalf("%d of 10 delivered in lane %s: %s", res.Delivered, res.Lane, res.Error)
			}
			if quickest := slices.Min(res.LatencyMs); quickest < 50 {
				t.Errorf("a message took %v ms on a link of 50", quickest)
			}
			if res.Wire.Up.Packets < 10 || res.Wire.Up.Dropped+res.Wire.Down.Dropped != 0 {
				t.Errorf("the wire carried %+v", res.Wire)
			}
			if info.Kernel && res.Note != "congestion control "+strings.TrimPrefix(info.Name, "tcp-") {
				t.Errorf("the kernel ran %q", res.Note)
			}
			if res.Split != nil && res.Split.Total() != res.Wire.Bytes() {
				t.Errorf("parts %+v are not the whole, %d bytes", *res.Split, res.Wire.Bytes())
			}
			if info.Kernel && (res.Split == nil || res.Split.Payload != 10*200 || res.Split.Acks == 0) {
				t.Errorf("TCP's bytes were %+v", res.Split)
			}
		})
	}
}

func TestWireSharesALinkBetweenTwo(t *testing.T) {
	r := newWireRunner(t)
	hasCongestionControl(t, r, "tcp-cubic")
	t.Parallel()
	link, err := LinkNamed("shared")
	if err != nil {
		t.Fatal(err)
	}
	res := r.Run(t.Context(), Spec{
		Transport: "kcp", Workload: "chat-beside-tcp", Link: link, Seed: 1, Duration: 3 * time.Second, Messages: 20,
	})
	if res.Error != "" || res.Delivered != 20 || res.Beside == nil || res.Beside.Error != "" {
		t.Fatalf("%d of 20 delivered (%s); beside it %+v", res.Delivered, res.Error, res.Beside)
	}
	if got := res.Beside.goodput(0); got < 1 || got > 10 {
		t.Errorf("the file beside got %.1f Mbit/s of 10", got)
	}
	if !strings.Contains(res.Beside.Note, "cubic") {
		t.Errorf("beside ran %q", res.Beside.Note)
	}
}

// The instrument's calibration: kernel CUBIC with 50 ms one way and 10 % loss is known. Outside of this the instrument is
// broken, not TCP. It takes real time, and a machine that has it: one that does other things, and not so many that the wire
// notices, is asked again. A lane that is broken is so every time.
func TestCubicIsWhereItBelongs(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 40 s")
	}
	r := newWireRunner(t)
	hasCongestionControl(t, r, "tcp-cubic")
	t.Parallel()
	for try := range uint64(3) {
		c := CheckTCP(t.Context(), r, 1+try*tcpCheckRuns)
		t.Logf("%v; %v", &c, c.Timing)
		if c.Busy {
			t.Skip("the machine was too slow to say anything")
		}
		if !c.Broken() {
			return
		}
	}
	t.Error("the lane is broken")
}

func TestKernelWithoutACongestionControlSaysSo(t *testing.T) {
	cfg := net.ListenConfig{Control: congestionControl("nosuch")}
	l, err := cfg.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err == nil {
		l.Close()
		t.Fatal("the kernel took a congestion control that does not exist")
	}
	if !strings.Contains(err.Error(), "no congestion control nosuch") {
		t.Errorf("got %v", err)
	}
}
