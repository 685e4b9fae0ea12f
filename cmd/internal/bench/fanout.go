package bench

import (
	"context"
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// FanoutConfig says what Fanout does. All fields must be set but Stopped and Rate.
type FanoutConfig struct {
	Server    string // HOST:PORT
	Transport string // tcp, udp or mixed: every other member each
	Members   int
	Stopped   int     // how many further members read at first and then stop
	Bytes     int     // of a message's text
	Rate      float64 // messages per second in the steady phases; 0: half of what the fast phase reached
	Duration  time.Duration
	Progress  func(format string, args ...any)
}

// Fanout is what Run measured. Deliveries are messages read by a member.
type Fanout struct {
	Transport           string   `json:"transport"`
	Members             int      `json:"members"`
	MessageBytes        int      `json:"message_bytes"`
	DeliveriesPerSecond float64  `json:"deliveries_per_second"`
	Steady              Steady   `json:"steady"`
	LostMembers         int64    `json:"lost_members"`
	Stopped             *Stopped `json:"stopped,omitempty"`
}

// Steady is what a phase with a fixed rate measured. Delays count from the planned time of sending.
type Steady struct {
	MessagesPerSecond float64 `json:"messages_per_second"`
	Deliveries        int64   `json:"deliveries"`
	Undelivered       int64   `json:"undelivered"`
	P50               float64 `json:"p50_ms"`
	P99               float64 `json:"p99_ms"`
	P999              float64 `json:"p999_ms"`
	Max               float64 `json:"max_ms"`
}

// Stopped is the same phase once more after some members stopped reading, as the others saw it.
type Stopped struct {
	Members     int     `json:"members"`
	CutOff      int64   `json:"cut_off"`          // how many of them the server threw out
	CutOffAfter float64 `json:"cut_off_after_ms"` // when the last of them was, from when they stopped; 0: not all were
	Others      Steady  `json:"others"`
}

// Run fills the room, drives it as fast as it goes for Duration, then at Rate for Duration, then, if members
// shall stop, once more until the server has cut them off.
func (cfg FanoutConfig) Run(ctx context.Context) (Fanout, error) {
	out := Fanout{Transport: cfg.Transport, Members: cfg.Members, MessageBytes: cfg.Bytes}
	cfg.Progress("joining %d members over %s", cfg.Members+cfg.Stopped, cfg.Transport)
	c, err := gather(ctx, cfg.Server, cfg.Transport, cfg.Members+cfg.Stopped, cfg.Stopped, cfg.Progress)
	if err != nil {
		return out, err
	}
	defer c.close()
	cfg.Progress("as fast as it goes for %v", cfg.Duration)
	if out.DeliveriesPerSecond, err = cfg.fast(ctx, c); err != nil {
		return out, err
	}
	rate := cfg.Rate
	if rate == 0 {
		rate = out.DeliveriesPerSecond / 2 / float64(c.listening())
	}
	cfg.Progress("at %.0f messages/s for %v", rate, cfg.Duration)
	if out.Steady, err = cfg.steady(ctx, c, rate, func() bool { return true }); err != nil {
		return out, err
	}
	if cfg.Stopped > 0 {
		cfg.Progress("at %.0f messages/s, with %d stopped", rate, cfg.Stopped)
		if out.Stopped, err = cfg.withStopped(ctx, c, rate); err != nil {
			return out, err
		}
	}
	out.LostMembers = c.lost.Load()
	return out, c.lostMembers()
}

// fast keeps messagesOnWay messages, or bytesOnWay bytes, on their way to the slowest member and returns the deliveries
// per second.
func (cfg FanoutConfig) fast(ctx context.Context, c *crowd) (perSecond float64, err error) {
	start, base, sent := time.Now(), c.deliveries.Load(), int64(0)
	onWay := int64(min(messagesOnWay, max(1, bytesOnWay/cfg.Bytes)))
	for time.Since(start) < cfg.Duration {
		if err := c.members[0].say(time.Now(), cfg.Bytes); err != nil {
			return 0, err
		}
		sent++
		err := c.await(ctx, func() int64 { return base + (sent-onWay)*c.listening() })
		if err != nil {
			return 0, err
		}
	}
	if err := c.await(ctx, func() int64 { return base + sent*c.listening() }); err != nil {
		return 0, err
	}
	return float64(c.deliveries.Load()-base) / time.Since(start).Seconds(), nil
}

// steady sends by a fixed plan, whatever comes back, for Duration and until enough, but not beyond cutOffMax.
func (cfg FanoutConfig) steady(ctx context.Context, c *crowd, rate float64, enough func() bool) (Steady, error) {
	ended := c.measure()
	base, sent, start := c.deliveries.Load(), int64(0), time.Now()
	gap := time.Duration(float64(time.Second) / rate)
	for next := start; next.Sub(start) < cfg.Duration || !enough() && next.Sub(start) < cutOffMax; next = next.Add(gap) {
		if err := pause(ctx, time.Until(next)); err != nil {
			return Steady{}, err
		}
		if err := c.members[0].say(next, cfg.Bytes); err != nil {
			return Steady{}, err
		}
		sent++
	}
	want := func() int64 { return base + sent*c.listening() }
	if err := c.await(ctx, want); err != nil {
		return Steady{}, err
	}
	h := ended()
	return Steady{
		MessagesPerSecond: rate, Deliveries: h.TotalCount(), Undelivered: max(0, want()-c.deliveries.Load()),
		P50: ms(h, 50), P99: ms(h, 99), P999: ms(h, 99.9), Max: float64(h.Max()) / 1000,
	}, nil
}

// withStopped repeats the steady phase after the members that shall stop have stopped.
func (cfg FanoutConfig) withStopped(ctx context.Context, c *crowd, rate float64) (*Stopped, error) {
	c.stop()
	stopped := time.Now()
	var all time.Time
	others, err := cfg.steady(ctx, c, rate, func() bool {
		if all.IsZero() && c.left.Load() >= int64(cfg.Stopped) {
			all = time.Now()
		}
		return !all.IsZero()
	})
	out := &Stopped{Members: cfg.Stopped, CutOff: c.left.Load(), Others: others}
	if !all.IsZero() {
		out.CutOffAfter = float64(all.Sub(stopped).Milliseconds())
	}
	return out, err
}

func ms(h *hdr.Histogram, p float64) float64 { return float64(h.ValueAtPercentile(p)) / 1000 }

// String is the result for people.
func (f Fanout) String() string {
	s := fmt.Sprintf("%s: %d members, %d bytes: %.0f deliveries/s; at %.0f messages/s %v", f.Transport, f.Members, f.MessageBytes,
		f.DeliveriesPerSecond, f.Steady.MessagesPerSecond, f.Steady)
	if f.Stopped != nil {
		s += fmt.Sprintf("\nwith %d more that stopped reading: %v; %d of them cut off after %.1f s", f.Stopped.Members,
			f.Stopped.Others, f.Stopped.CutOff, f.Stopped.CutOffAfter/1000)
	}
	return s
}

// String is the figures for people.
func (s Steady) String() string {
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms, %d undelivered", s.P50, s.P99, s.P999, s.Max, s.Undelivered)
}
