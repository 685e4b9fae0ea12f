package compare

import (
	"encoding/json"
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
