package simulate

import (
	"testing"
	"testing/cryptotest"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/netem"
)

// pieces is a stream of so many bytes, written at once.
func pieces(bytes int) []Write {
	var all []Write
	for ; bytes > 0; bytes -= payloadBytesMax {
		all = append(all, Write{0, min(bytes, payloadBytesMax)})
	}
	return all
}

func TestSimulationOfLongStreamsBothWaysAtOnce(t *testing.T) {
	slow(t)
	const bytes = 16 << 20
	link := netem.Params{Loss: 0.2, Delay: 20 * time.Millisecond, Grain: time.Millisecond}
	sc := &Scenario{
		Links: [2]netem.Params{link, link}, HealAt: time.Hour,
		Plans:  [2]Plan{{Writes: pieces(bytes)}, {Writes: pieces(bytes)}},
		Config: reliable.Config{HandshakeTimeout: time.Minute, IdleTimeout: time.Minute, Linger: 5 * time.Second},
	}
	r := simulate(t, sc, planted.None)
	if r.Violation != nil {
		t.Fatalf("%v\n%v", r.Violation, r)
	}
	for side := range r.streams {
		s := &r.streams[side]
		if !s.whole() || s.bytes < bytes || s.lastAt >= sc.HealAt {
			t.Errorf("from the %v: %d bytes arrived, the last at %v", s.from, s.bytes, s.lastAt)
		}
		t.Logf("from the %v: %d bytes in %v at 20 %% loss, %d datagrams", s.from, s.bytes, s.lastAt,
			r.Stats[side].DatagramsSent)
	}
}

// The same seed gives the same datagrams at the same times.
func TestSimulationIsTheSameForTheSameSeed(t *testing.T) {
	slow(t)
	seen := map[[32]byte]uint64{}
	for seed := range uint64(5) {
		cryptotest.SetGlobalRandom(t, seed)
		first := simulate(t, NewScenario(seed), planted.None)
		cryptotest.SetGlobalRandom(t, seed)
		second := simulate(t, NewScenario(seed), planted.None)
		if first.Digest != second.Digest || first.Virtual != second.Virtual {
			t.Errorf("seed %d: two runs were different", seed)
		}
		if other, ok := seen[first.Digest]; ok {
			t.Errorf("seeds %d and %d gave the same run", other, seed)
		}
		seen[first.Digest] = seed
	}
}
