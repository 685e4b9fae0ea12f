package bench

import (
	"context"
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// FanoutConfig says what Fanout does. All fields must be set but Stopped and Progress.
type FanoutConfig struct {
	Server    string // HOST:PORT
	Transport string // tcp, udp or mixed: every other member each
	Members   int
	Stopped   int // how many further members join and then never read
	Bytes     int // of a message's text
	Duration  time.Duration
	Progress  func(format string, args ...any)
}

// Fanout is what Run measured. Deliveries are messages read by a member.
type Fanout struct {
	Transport           string  `json:"transport"`
	Members             int     `json:"members"`
	Stopped             int     `json:"stopped_members"`
	MessageBytes        int     `json:"message_bytes"`
	Messages            int64   `json:"messages"`
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	HalfRatePerSecond   float64 `json:"half_rate_messages_per_second"`
	HalfRateDeliveries  int64   `json:"half_rate_deliveries"`
	P50                 float64 `json:"p50_ms"`
	P99                 float64 `json:"p99_ms"`
	P999                float64 `json:"p999_ms"`
	Max                 float64 `json:"max_ms"`
	Undelivered         int64   `json:"undelivered"`
	LostMembers         int64   `json:"lost_members"`
}

// Run fills the room, drives it as fast as it goes for Duration, then at half that rate for Duration.
func (cfg FanoutConfig) Run(ctx context.Context) (Fanout, error) {
	out := Fanout{Transport: cfg.Transport, Members: cfg.Members, Stopped: cfg.Stopped, MessageBytes: cfg.Bytes}
	cfg.Progress("joining %d members over %s", cfg.Members+cfg.Stopped, cfg.Transport)
	c, err := gather(ctx, cfg.Server, cfg.Transport, cfg.Members+cfg.Stopped, cfg.Stopped, cfg.Progress)
	if err != nil {
		return out, err
	}
	defer c.close()
	cfg.Progress("as fast as it goes for %v", cfg.Duration)
	if err := cfg.fast(ctx, c, &out); err != nil {
		return out, err
	}
	out.HalfRatePerSecond = out.DeliveriesPerSecond / 2 / float64(c.listening())
	cfg.Progress("at %.0f messages/s for %v", out.HalfRatePerSecond, cfg.Duration)
	if err := cfg.steady(ctx, c, &out); err != nil {
		return out, err
	}
	out.LostMembers = c.lost.Load()
	return out, c.lostMembers()
}

// fast keeps messagesOnWay messages on their way to the slowest member.
func (cfg FanoutConfig) fast(ctx context.Context, c *crowd, out *Fanout) error {
	start, base := time.Now(), c.deliveries.Load()
	for time.Since(start) < cfg.Duration {
		if err := c.members[0].say(time.Now(), cfg.Bytes); err != nil {
			return err
		}
		out.Messages++
		err := c.await(ctx, func() int64 { return base + (out.Messages-messagesOnWay)*c.listening() })
		if err != nil {
			return err
		}
	}
	if err := c.await(ctx, func() int64 { return base + out.Messages*c.listening() }); err != nil {
		return err
	}
	out.DeliveriesPerSecond = float64(c.deliveries.Load()-base) / time.Since(start).Seconds()
	return nil
}

// steady sends by a fixed plan, whatever comes back. Delays count from the planned time.
func (cfg FanoutConfig) steady(ctx context.Context, c *crowd, out *Fanout) error {
	ended := c.measure()
	base, sent := c.deliveries.Load(), int64(0)
	gap := time.Duration(float64(time.Second) / out.HalfRatePerSecond)
	for next, end := time.Now(), time.Now().Add(cfg.Duration); next.Before(end); next = next.Add(gap) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(next)):
		}
		if err := c.members[0].say(next, cfg.Bytes); err != nil {
			return err
		}
		sent++
	}
	want := func() int64 { return base + sent*c.listening() }
	if err := c.await(ctx, want); err != nil {
		return err
	}
	h := ended()
	out.HalfRateDeliveries = h.TotalCount()
	out.Undelivered = max(0, want()-c.deliveries.Load())
	out.P50, out.P99, out.P999, out.Max = ms(h, 50), ms(h, 99), ms(h, 99.9), float64(h.Max())/1000
	return nil
}

func ms(h *hdr.Histogram, p float64) float64 { return float64(h.ValueAtPercentile(p)) / 1000 }

// String is the result for people.
func (f Fanout) String() string {
	return fmt.Sprintf("%s: %d members, %d stopped, %d bytes: %.0f deliveries/s; at half of that p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms, %d undelivered, %d members lost",
		f.Transport, f.Members, f.Stopped, f.MessageBytes, f.DeliveriesPerSecond, f.P50, f.P99, f.P999, f.Max, f.Undelivered, f.LostMembers)
}
