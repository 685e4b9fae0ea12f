package crash

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"udpchat/client"
	"udpchat/reliable"
)

// rooms are where everybody is.
var rooms = []string{"kitchen", "hall", "cellar"}

// A person is one client, what it said and what it saw.
type person struct {
	*client.Client
	name      string
	transport string
	ended     chan struct{} // Closed when no more events come.

	mu   sync.Mutex
	said []*client.Message // In the order it was said. Guarded by mu.
	seen map[string][]seen // By room, in the order it came. Guarded by mu.
	odd  []string          // What should not have happened. Guarded by mu.
	acks int               // How many of said it was told are stored. Guarded by mu.
	way  journey           // The last one back to a server. Guarded by mu.

	shown  []shown // What came live, in the order it came. Guarded by mu.
	losses int     // How often the connection was lost. Guarded by mu.
}

// seen is one message that a client was given.
type seen struct {
	seq     uint64
	id      string
	text    string
	account string
}

// shown is what a client was told about when a message was stored, and when that was by our clock.
type shown struct {
	log      string
	seq      uint64
	time, at time.Time
	took     time.Duration
}

// newPerson registers an account at the first server and joins all rooms, over the transport given.
func newPerson(tb testing.TB, name, transport string, servers ...string) *person {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, client.Config{
		Server: servers[0], Others: servers[1:], Transport: transport, VerifyServer: func(reliable.Key) error { return nil },
		Account: name, Password: "open sesame of " + name, Register: true,
	})
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	p := &person{Client: c, name: name, transport: transport, ended: make(chan struct{}), seen: make(map[string][]seen)}
	go p.watch() // Ends with the client.
	tb.Cleanup(func() {
		_ = c.Close() // There is nothing to lose any more.
		<-p.ended
	})
	for _, room := range rooms {
		if _, err := c.Join(ctx, room, 0); err != nil {
			tb.Fatalf("%s joins %s: %v", name, room, err)
		}
	}
	return p
}

// newPeople makes n of them, half of them over TCP, numbered from from.
func newPeople(tb testing.TB, from, n int, servers ...string) []*person {
	tb.Helper()
	people := make([]*person, n)
	for i := range people {
		transport := []string{client.UDP, client.TCP}[i%2]
		people[i] = newPerson(tb, fmt.Sprintf("person-%02d", from+i), transport, servers...)
	}
	return people
}

// watch notes down what the client is given.
func (p *person) watch() {
	defer close(p.ended)
	for ev := range p.Events() {
		p.mu.Lock()
		p.way.note(time.Now(), ev)
		switch ev := ev.(type) {
		case client.Outgoing:
			if ev.Status.State == client.Stored {
				p.acks++
			}
		case client.Said:
			p.seen[ev.Log] = append(p.seen[ev.Log], seen{ev.Seq, ev.ID(), ev.Text, ev.Account})
			if !ev.Past {
				p.shown = append(p.shown, shown{ev.Log, ev.Seq, ev.Time, time.Now().Round(0), ev.Took})
			}
		case client.Offline:
			p.losses++
		case client.Reload, client.Gone:
			p.odd = append(p.odd, fmt.Sprintf("%T %+v", ev, ev))
		}
		p.mu.Unlock()
	}
	if err := p.Err(); err != nil {
		p.mu.Lock()
		p.odd = append(p.odd, "ended: "+err.Error())
		p.mu.Unlock()
	}
}

// aheadMax is how many messages somebody says before they are stored, unless everything 'make crash' does was asked for: a
// machine that runs all tests may be too slow for so many a second, and would be at them for minutes afterwards.
const aheadMax = 50

// talk has p say perSecond messages a second until ctx is done, whether there is a server or not.
func (p *person) talk(ctx context.Context, perSecond float64) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if p.ahead() >= aheadMax && !*long {
			continue
		}
		m, err := p.Send(rooms[n%len(rooms)], fmt.Sprintf("%s says %d", p.name, n))
		if errors.Is(err, client.ErrFull) {
			continue // More than a client keeps waits for the server: it was said to the program's face.
		}
		p.mu.Lock()
		if err != nil {
			p.odd = append(p.odd, "say: "+err.Error())
		} else {
			p.said = append(p.said, m)
		}
		p.mu.Unlock()
	}
}

// everybody has people talk, perSecond messages a second in all, until the function it returns is called.
func everybody(people []*person, perSecond float64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, p := range people {
		wg.Go(func() { p.talk(ctx, perSecond/float64(len(people))) })
	}
	return func() { cancel(); wg.Wait() }
}

// stored returns how many of p's messages it was told are stored.
func (p *person) stored() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acks
}

// ahead returns how many it was not told that of, yet.
func (p *person) ahead() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.said) - p.acks
}

// await waits until ok.
func await(tb testing.TB, what string, ok func() bool) time.Duration {
	tb.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > patience {
			tb.Fatalf("waited %v for: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond) // Another process's doing: there is nothing to wait on.
	}
	return time.Since(begin)
}
