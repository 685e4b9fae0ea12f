package reliable

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/netem"
)

// Everything at once: connections are dialled, called, written, read, broken off and waited for by many goroutines over
// a bad link, while the endpoints shut down. Nothing may hang, be left behind or race.
func TestEndpointsShutDownInTheMiddleOfEverything(t *testing.T) {
	for seed := range uint64(2) { // Each makes hundreds of handshakes.
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { stress(t, seed) })
		})
	}
}

func stress(t *testing.T, seed uint64) {
	net := netem.NewNetwork(seed)
	bad := netem.Params{Delay: 20 * time.Millisecond, Loss: 0.1, Duplicate: 0.1}
	var ends []*Endpoint
	addrs := []netip.AddrPort{serverAddr, clientAddr, netip.MustParseAddrPort("10.0.0.3:6000")}
	cfg := Config{HandshakeTimeout: 2 * time.Second, Linger: time.Second, IdleTimeout: 5 * time.Second, Backlog: 8, ConnsMax: 60}
	for i, a := range addrs {
		for _, b := range addrs[:i] {
			net.Connect(a, b, netem.Profile{Up: bad, Down: bad}, seed)
		}
		pc, err := net.ListenPacket(a)
		if err != nil {
			t.Fatal(err)
		}
		e, err := NewEndpoint(pc, cfg)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i, e := range ends {
		all.Go(func() { acceptAndUse(e, seed, &all) })
		for k := range 8 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(100*i+k)))
				for ctx.Err() == nil {
					to := addrs[rng.IntN(len(addrs))]
					limit, done := context.WithTimeout(ctx, time.Duration(rng.IntN(1000))*time.Millisecond)
					var c *Conn
					var err error
					switch rng.IntN(4) {
					case 0:
						c, err = e.Call(limit, to)
					case 1:
						c, err = e.AwaitCall(limit, to)
					default:
						c, err = e.Dial(limit, to)
					}
					done()
					if err == nil {
						use(c, rng)
					} else {
						time.Sleep(10 * time.Millisecond) // A closed endpoint answers at once.
					}
				}
			})
		}
	}
	time.Sleep(time.Duration(1+seed%5) * time.Second)
	for i, e := range ends {
		all.Go(func() {
			limit, done := context.WithTimeout(t.Context(), time.Duration(i)*time.Second)
			defer done()
			_ = e.Shutdown(limit) // An error says that it had to cut connections off.
			_ = e.Shutdown(limit)
		})
	}
	time.Sleep(3 * time.Second)
	cancel()
	all.Wait()
	net.Close()
	for _, e := range ends {
		if s := e.Stats(); s.Conns != 0 || len(e.calls) != 0 || len(e.awaited) != 0 || len(e.hellos) != 0 {
			t.Errorf("left behind: %d connections, %d calls, %d awaited, %d hellos", s.Conns, len(e.calls), len(e.awaited), len(e.hellos))
		}
	}
}

// acceptAndUse takes what is dialled to e until it closes.
func acceptAndUse(e *Endpoint, seed uint64, all *sync.WaitGroup) {
	rng := rand.New(rand.NewPCG(seed, 7))
	for {
		c, err := e.Accept()
		if err != nil {
			return
		}
		own := rand.New(rand.NewPCG(seed, rng.Uint64()))
		all.Go(func() { use(c.(*Conn), own) })
	}
}

// use does what people do with connections, some of it at the same time.
func use(c *Conn, rng *rand.Rand) {
	var both sync.WaitGroup
	steps := make([]int, 2+rng.IntN(6))
	for i := range steps {
		steps[i] = rng.IntN(10)
	}
	both.Go(func() {
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	})
	for i, step := range steps {
		wait := time.Duration(rng.IntN(50)) * time.Millisecond
		switch step {
		case 0, 1, 2, 3:
			both.Go(func() { _, _ = c.Write(make([]byte, 1000*(i+1))) }) // Errors are what this is about.
		case 4:
			_ = c.SetDeadline(time.Now().Add(wait))
		case 5:
			_ = c.SetDeadline(time.Time{})
		case 6:
			both.Go(func() { c.Abort(CodeApplication, "enough") })
		case 7:
			both.Go(func() { _ = c.Close() })
		case 8:
			_ = c.Stats()
		}
		time.Sleep(wait)
	}
	_ = c.Close()
	_ = c.SetDeadline(time.Now()) // Readers leave, whatever the peer does.
	both.Wait()
}
