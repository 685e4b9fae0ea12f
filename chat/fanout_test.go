package chat_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// counter is a receiver that does what a front-end does, short of sending.
type counter struct{ bytes int }

func (c *counter) Receive(ev *chat.Event) { c.bytes += len(ev.Encoded("test", encodeForTest)) }

func encodeForTest(ev *chat.Event) []byte { return []byte(ev.Name + ": " + ev.Text) }

// crowd makes a room with n members and returns the first.
func crowd(t tb, n int) (speaker *chat.User, room chat.RoomRef, members []*counter) {
	engine := memory.New(memory.Config{})
	hub, err := chat.New(chat.Config{Engine: engine})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		hub.Close()
		engine.Close()
	})
	for i := range n {
		c := &counter{}
		u, err := hub.Connect(fmt.Sprint("member", i), c, chat.SmallIDs)
		if err != nil {
			t.Fatalf("Connect: %v", err)
		}
		if room, err = u.Join(t.Context(), "hall"); err != nil {
			t.Fatalf("Join: %v", err)
		}
		members = append(members, c)
		if i == 0 {
			speaker = u
		}
	}
	return speaker, room, members
}

// TestFanOutDoesNotAllocatePerMember: what one message costs must not grow with the room, but for
// the calls of Receive.
func TestFanOutDoesNotAllocatePerMember(t *testing.T) {
	allocs := func(n int) float64 {
		speaker, room, members := crowd(t, n)
		before := members[n-1].bytes
		const runs, tries = 20, 3
		got := math.Inf(1)
		for range tries { // What else goes on in the program is counted, too; not every time, though.
			got = min(got, testing.AllocsPerRun(runs, func() {
				if err := speaker.Say(t.Context(), room, "", "hello"); err != nil {
					t.Fatalf("Say: %v", err)
				}
			}))
		}
		if want := tries * (runs + 1) * len("member0: hello"); members[n-1].bytes-before != want {
			t.Errorf("last of %d members was told %d bytes, want %d", n, members[n-1].bytes-before, want)
		}
		return got
	}
	one, many := allocs(1), allocs(1000)
	if many > one+1 || many > 20 {
		t.Errorf("a message allocates %v times with 1 member and %v times with 1,000", one, many)
	}
}

// BenchmarkFanOut is one message to a room, in this process; deliveries/s counts calls of Receive.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint("members=", n), func(b *testing.B) {
			speaker, room, _ := crowd(b, n)
			text := strings.Repeat("x", 100)
			b.ReportAllocs()
			for b.Loop() {
				if err := speaker.Say(b.Context(), room, "", text); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkRooms is many rooms of one hub at the same time, one for each goroutine: they share
// no lock, so this should not be slower than one room with one member.
func BenchmarkRooms(b *testing.B) {
	engine := memory.New(memory.Config{})
	defer engine.Close()
	hub, err := chat.New(chat.Config{Engine: engine})
	if err != nil {
		b.Fatalf("New: %v", err)
	}
	defer hub.Close()
	b.RunParallel(func(pb *testing.PB) {
		u, err := hub.Connect("ann", &counter{}, chat.SmallIDs)
		if err != nil {
			b.Error(err)
			return
		}
		room, err := u.Join(b.Context(), fmt.Sprint("room", u.ID()))
		for pb.Next() && err == nil {
			err = u.Say(b.Context(), room, "", "hello")
		}
		if err != nil {
			b.Error(err)
		}
	})
}
