package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// BenchmarkDeviceFanOut is BenchmarkFanOut for devices, all of different accounts: what a log with a ring costs more.
func BenchmarkDeviceFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint("devices=", n), func(b *testing.B) {
			w := newWorld(b, chat.Config{Engine: memory.New(memory.Config{RoomMessagesMax: 1000})})
			var speaker *chat.Device
			for i := range n {
				d, err := w.hub.LogIn(b.Context(), chat.Login{Account: fmt.Sprint("a", i), Device: fmt.Sprint("d", i)}, &counter{})
				if err == nil {
					_, err = d.Join(b.Context(), "hall")
				}
				if err != nil {
					b.Fatal(err)
				}
				speaker = d
			}
			text := chat.Content{Text: strings.Repeat("x", 100)}
			b.ReportAllocs()
			for i := uint64(1); b.Loop(); i++ {
				if _, err := speaker.Say(b.Context(), "hall", i, text); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkHistory reads the newest 50 of 1,000 messages, from the ring and from the engine.
func BenchmarkHistory(b *testing.B) {
	for _, ring := range []bool{true, false} {
		b.Run(fmt.Sprint("ring=", ring), func(b *testing.B) {
			w := newWorld(b, chat.Config{})
			ann := w.login("ann", "phone")
			ann.enter("hall")
			for range 1000 {
				ann.text("hall", strings.Repeat("x", 100))
			}
			if !ring {
				ann.Detach("hall")
			}
			b.ReportAllocs()
			for b.Loop() {
				if evs := ann.history("hall", chat.Page{N: 50}); len(evs) != 50 {
					b.Fatal(len(evs))
				}
			}
		})
	}
}
