package compare

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// Two processes, same seed: the same JSON to the last byte.
func TestSameSeedGivesTheSameResult(t *testing.T) {
	for _, name := range []string{"plain", "kcp", "udpchat", "udpchat-economy"} {
		for _, workload := range []string{"chat", "echo", "burst", "file+chat", "connect"} {
			if name == "plain" && strings.HasPrefix(workload, "file") {
				continue
			}
			t.Run(name+"/"+workload, func(t *testing.T) {
				t.Parallel()
				spec := Spec{
					Transport: name, Lane: LaneVirtual, Workload: workload, Link: lossy(0.1), Seed: 3, Messages: 50,
					Duration: 2 * time.Second,
				}
				var lines [2]string
				for i := range lines {
					r := NewVirtualRunner()
					res := r.Run(t.Context(), spec)
					if err := r.Close(); err != nil || res.Error != "" {
						t.Fatalf("%v, %s", err, res.Error)
					}
					b, err := json.Marshal(res)
					if err != nil {
						t.Fatal(err)
					}
					lines[i] = string(b)
				}
				if lines[0] != lines[1] {
					t.Errorf("seed %d gave\n%s\nand\n%s", spec.Seed, lines[0], lines[1])
				}
			})
		}
	}
}

// Ctrl-C on a terminal reaches the children as well. They have nothing to decide: the parent ends them when it has written
// what there is.
func TestChildrenLeaveCtrlCToTheirParent(t *testing.T) {
	t.Parallel()
	r := NewVirtualRunner().(*virtualRunner)
	spec := Spec{Transport: "plain", Lane: LaneVirtual, Workload: "chat", Link: lossy(0), Seed: 1, Messages: 10}
	for range r.Parallel() { // Each time another child.
		if res := r.Run(t.Context(), spec); res.Error != "" {
			t.Fatal(res.Error)
		}
	}
	for range r.Parallel() {
		c := <-r.children
		if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		r.children <- c
	}
	for range r.Parallel() {
		if res := r.Run(t.Context(), spec); res.Error != "" {
			t.Errorf("after the signal: %s", res.Error)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
