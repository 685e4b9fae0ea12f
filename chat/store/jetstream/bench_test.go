package jetstream_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"udpchat/chat/store/jetstream"
)

// BenchmarkAppend has clients that append messages of 100 bytes, each as soon as its last one is stored, with all eight
// streams, on three replicas that sync each write.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			e := benchEngine(b)
			data := make([]byte, 100)
			var n atomic.Int64
			took := make([][]time.Duration, clients)
			var wg sync.WaitGroup
			b.ResetTimer()
			for c := range clients {
				wg.Go(func() {
					room := fmt.Sprint("room", c%16)
					for i := 0; n.Add(1) <= int64(b.N); i++ {
						begin := time.Now()
						if _, err := e.Append(context.Background(), room, fmt.Sprintf("client%d-%d", c, i), data); err != nil {
							b.Error(err)
							return
						}
						took[c] = append(took[c], time.Since(begin))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Concat(took...)
			slices.Sort(all)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
		})
	}
}

func BenchmarkReadNewest50(b *testing.B) {
	e := benchEngine(b)
	var wg sync.WaitGroup
	for c := range 64 {
		wg.Go(func() { // One message in eight is in the room that is read.
			room := []string{"big", "other"}[min(c%8, 1)]
			for i := range 300 {
				if _, err := e.Append(context.Background(), room, fmt.Sprintf("client%d-%d", c, i), make([]byte, 100)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for b.Loop() {
		if msgs, err := e.Read(context.Background(), "big", 0, 1<<63, 50); err != nil || len(msgs) != 50 {
			b.Fatalf("%d messages, %v", len(msgs), err)
		}
	}
}

func benchEngine(b *testing.B) *jetstream.Engine {
	b.Helper()
	e, err := jetstream.Open(b.Context(), jetstream.Config{Servers: nats3.urls, Prefix: nats3.storage(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}
