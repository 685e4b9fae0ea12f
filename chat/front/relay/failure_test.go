package relay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"udpchat/chat/front/internal/stage"
)

func TestEngineThatFailsIsAnsweredAndLogged(t *testing.T) {
	engine := stage.NewBadEngine()
	stage.InOn(t, makeFront, nil, engine, func(w *stage.World) {
		ann := enter(w, "ann")
		engine.Fails.Store(true)
		time.Sleep(writeGap)
		ann.Send(send("ALL", "hi"))
		if got := w.Got(ann); got != "ERROR 102 Unable to send\n\n" || strings.Count(w.Log(), "level=ERROR") != 1 {
			t.Errorf("got %q and log %q", got, w.Log())
		}
		bob := w.Open("bob", "relay", "tcp")
		bob.Send("REGISTER TORECV bob\n\n")
		if got := w.Got(bob); got != "ERROR 102 Unable to send\n\n" {
			t.Errorf("registering: got %q", got)
		}
		if got := w.Ended(); !slices.Equal(got, []string{"bob: " + ErrFull.Error()}) {
			t.Errorf("got ends %q", got)
		}
		engine.Fails.Store(false)
		enter(w, "bob") // The name is free.
	})
}

// A panic about one request leaves nobody behind: the user's other connection ends, and the name is free.
func TestPanicLeavesNoGhost(t *testing.T) {
	engine := stage.NewBadEngine()
	stage.InOn(t, makeFront, nil, engine, func(w *stage.World) {
		s, r := w.Open("s", "relay", "tcp"), w.Open("r", "relay", "tcp")
		s.Send("REGISTER TOSEND ann\n\n")
		w.Got(s)
		engine.Panics.Store(true)
		r.Send("REGISTER TORECV ann\n\n")
		w.Got(r)
		engine.Panics.Store(false)
		got := w.Ended()
		slices.Sort(got)
		if !slices.Equal(got, []string{"r: panic: test: engine", "s: " + ErrOther.Error()}) {
			t.Errorf("got ends %q", got)
		}
		enter(w, "ann")
	})
}

// Clients do everything at once, breaking connections and the server's end included. Nothing may be left: goroutines,
// users, open connections, names (stage looks). The seed is in the name of the test.
func TestChaosLeavesNothingBehind(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			in(t, func(w *stage.World) {
				var conns []*stage.Conn
				for i := range 8 {
					conns = append(conns, w.Open(fmt.Sprint("c", i), "relay", []string{"tcp", "udp"}[i%2]))
				}
				names := []string{"ann", "bob", "cat", "ALL"}
				for range 300 {
					c, name := conns[rng.IntN(len(conns))], names[rng.IntN(len(names))]
					switch rng.IntN(14) {
					case 0, 1, 2:
						c.Send("REGISTER TOSEND " + name + "\n\n")
					case 3, 4, 5:
						c.Send("REGISTER TORECV " + name + "\n\n")
					case 6, 7, 8:
						c.Send(send(name, "hi"))
					case 9:
						c.Send("RECEIVED " + name + "\n\n")
					case 10:
						c.Send("ERROR 103 x\n\n")
					case 11:
						if rng.IntN(20) == 0 {
							c.Lose()
						}
					case 12:
						if rng.IntN(20) == 0 {
							c.Send("SEND x\n\n")
						}
					case 13:
						time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
					}
				}
				if rng.IntN(2) == 0 {
					w.Shutdown()
				}
				if f := w.Fronts[0].(*Front); len(w.Ended()) == len(conns) && len(f.users)+len(f.casts.present)+len(f.casts.byEvent) != 0 {
					t.Errorf("all have gone, and the front-end remembers %v %v %v", f.users, f.casts.present, f.casts.byEvent)
				}
			})
		})
	}
}
