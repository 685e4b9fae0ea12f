package netem_test

import (
	"fmt"
	"time"

	"udpchat/reliable/netem"
)

// A link is pushed and popped by whoever owns the time.
func ExampleLink() {
	link := netem.NewLink(netem.Params{Loss: 0.5, Delay: 50 * time.Millisecond}, 1, netem.Up)
	for i := range 4 {
		link.Push(time.Duration(i)*time.Millisecond, []byte{byte(i)})
	}
	for at, ok := link.NextAt(); ok; at, ok = link.NextAt() {
		pkt, _ := link.Pop(at)
		fmt.Println("packet", pkt[0], "at", at)
	}
	counts := link.Counts()
	fmt.Println("dropped:", counts.Dropped())
	// Output:
	// packet 1 at 51ms
	// packet 2 at 52ms
	// packet 3 at 53ms
	// dropped: 1
}

// A driver runs links and timers on virtual time: ten minutes pass at once.
func ExampleDriver() {
	profile, err := netem.ProfileNamed("outage")
	if err != nil {
		fmt.Println(err)
		return
	}
	var driver netem.Driver
	arrived := 0
	up := driver.Attach(netem.NewLink(profile.Up, 1, netem.Up), func(netem.Packet) { arrived++ })
	var tick func()
	tick = func() {
		up.Send([]byte("tick"))
		driver.At(driver.Now()+time.Second, tick)
	}
	driver.At(0, tick)
	driver.RunUntil(10*time.Minute - 1)
	fmt.Println(arrived, "of 600 ticks arrived")
	// Output: 450 of 600 ticks arrived
}
