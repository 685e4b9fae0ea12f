package jetstream

import (
	"math/rand/v2"
	"strings"

	"github.com/nats-io/nats.go"
)

// HearBadly has live messages lost, repeated and delivered late, one in three each. What is sent past the log is not.
func (e *Engine) HearBadly(seed uint64) {
	for _, s := range e.shards {
		live := s.ears[0]
		if err := live.Unsubscribe(); err != nil {
			panic(err)
		}
		rnd := rand.New(rand.NewPCG(seed, uint64(s.index))) // The callback runs in one goroutine.
		var late []*nats.Msg
		_, err := e.nc.Subscribe(strings.Clone(live.Subject), func(m *nats.Msg) {
			out := []*nats.Msg{m}
			switch rnd.IntN(9) {
			case 0, 1:
				out = nil
			case 2, 3:
				out = append(out, m)
			case 4, 5:
				out, late = nil, append(late, m)
			case 6:
				out, late = append(out, late...), nil
			}
			for _, m := range out {
				select {
				case s.msgs <- m:
				case <-e.quit:
				}
			}
		})
		if err != nil {
			panic(err)
		}
	}
	if err := e.nc.Flush(); err != nil {
		panic(err)
	}
}
