package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"udpchat/client"
	"udpchat/reliable"
)

// StoreConfig says what a run with a server that remembers does. All fields must be set but Args and Messages.
type StoreConfig struct {
	Executable string   // Its serve command is started and started again.
	Args       []string // For serve: how durable, which store.
	Clients    int      // Who talk, each in a room of its own.
	Rate       float64  // Messages a second in all, in the first phase.
	Bytes      int      // Length of a text.
	Messages   int      // How many are to be stored in the end; 0: as many as the phases make.
	Transport  string   // udp or tcp (which is TLS then).
	Duration   time.Duration
	Progress   func(format string, args ...any)
}

// Store is what a server that remembers costs and takes. Times are in ms.
type Store struct {
	Durability        string  `json:"durability"`
	Transport         string  `json:"transport"`
	Clients           int     `json:"clients"`
	Rate              float64 `json:"messages_per_second_planned"`
	AckP50            float64 `json:"ack_p50_ms"`
	AckP99            float64 `json:"ack_p99_ms"`
	AckMax            float64 `json:"ack_max_ms"`
	MessagesPerSecond float64 `json:"messages_per_second"`
	Stored            int64   `json:"messages_stored"`
	Start             float64 `json:"start_ms"`
	RSSAfterStart     int64   `json:"rss_after_start_bytes"`
	Forgotten         bool    `json:"forgotten"` // It started with nothing, and there was no history to read.
	NewestP50         float64 `json:"history_newest_p50_ms"`
	NewestP99         float64 `json:"history_newest_p99_ms"`
	AnywhereP50       float64 `json:"history_anywhere_p50_ms"`
	AnywhereP99       float64 `json:"history_anywhere_p99_ms"`
}

// Run starts a server with an empty store, has the clients talk at the planned rate (how long until they are told that a
// message is stored), as fast as they can, and on until enough is stored; then starts it again and reads history.
func (cfg StoreConfig) Run(ctx context.Context) (out Store, err error) {
	out = Store{Durability: strings.Join(cfg.Args, " "), Transport: cfg.Transport, Clients: cfg.Clients, Rate: cfg.Rate}
	data, err := os.MkdirTemp("", "udpchat-bench-*")
	if err != nil {
		return out, fmt.Errorf("bench: a directory for the store: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	cfg.Args = append(cfg.Args, "--data", data)
	if err := cfg.fill(ctx, &out); err != nil {
		return out, err
	}
	return out, cfg.read(ctx, &out)
}

// fill is the server's first life.
func (cfg StoreConfig) fill(ctx context.Context, out *Store) (err error) {
	server, err := Start(context.WithoutCancel(ctx), cfg.Executable, cfg.Args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	cfg.Progress("%d clients register", cfg.Clients)
	talkers := make([]*talker, cfg.Clients)
	for i := range talkers {
		t, err := cfg.newTalker(ctx, server.Addr, fmt.Sprintf("talker-%d", i), fmt.Sprintf("room-%d", i))
		if err != nil {
			return err
		}
		defer t.Close()
		talkers[i] = t
	}
	cfg.Progress("%.0f messages a second for %v", cfg.Rate, cfg.Duration)
	acks := hdr.New(1, int64(time.Minute/time.Microsecond), 3)
	for _, t := range talkers {
		t.acks = hdr.New(1, int64(time.Minute/time.Microsecond), 3)
	}
	pace := time.Duration(float64(time.Second) * float64(cfg.Clients) / cfg.Rate)
	if err := together(ctx, talkers, func(t *talker) error { return t.steady(ctx, cfg.text(), pace, cfg.Duration) }); err != nil {
		return err
	}
	for _, t := range talkers {
		acks.Merge(t.acks)
	}
	out.AckP50, out.AckP99, out.AckMax = ms(acks, 50), ms(acks, 99), ms(acks, 100)
	out.Stored = acks.TotalCount()

	cfg.Progress("as many as they can for %v", cfg.Duration)
	var stored atomic.Int64
	end := time.Now().Add(cfg.Duration)
	enough := func() bool { return time.Now().After(end) }
	if err := together(ctx, talkers, func(t *talker) error { return t.flood(ctx, cfg.text(), &stored, enough) }); err != nil {
		return err
	}
	out.MessagesPerSecond = float64(stored.Load()) / (cfg.Duration + time.Since(end)).Seconds()
	if left := int64(cfg.Messages) - out.Stored - stored.Load(); left > 0 {
		cfg.Progress("%d more, about %.0f s", left, float64(left)/max(out.MessagesPerSecond, 1))
		target := stored.Load() + left
		enough = func() bool { return stored.Load() >= target }
		if err := together(ctx, talkers, func(t *talker) error { return t.flood(ctx, cfg.text(), &stored, enough) }); err != nil {
			return err
		}
	}
	out.Stored += stored.Load()
	return nil
}

// read is its second life, in which only history is read.
func (cfg StoreConfig) read(ctx context.Context, out *Store) (err error) {
	cfg.Progress("starting the server again")
	begin := time.Now()
	server, err := Start(context.WithoutCancel(ctx), cfg.Executable, cfg.Args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	out.Start = float64(time.Since(begin).Microseconds()) / 1000
	if out.RSSAfterStart, err = residentBytes(server.PID()); err != nil {
		return err
	}
	t, err := cfg.newTalker(ctx, server.Addr, "reader", "room-0")
	if err != nil {
		return err
	}
	defer t.Close()
	if out.Forgotten = t.head <= 1; out.Forgotten { // The reader's own coming.
		return nil
	}
	cfg.Progress("reading %d pages of %d messages twice", pagesRead, pageMessages)
	newest, anywhere := hdr.New(1, int64(time.Minute/time.Microsecond), 3), hdr.New(1, int64(time.Minute/time.Microsecond), 3)
	for range pagesRead {
		for _, look := range []struct {
			into *hdr.Histogram
			page client.Page
		}{
			{newest, client.Page{N: pageMessages}},
			{anywhere, client.Page{N: pageMessages, Before: 2 + rand.Uint64N(max(t.head, 1))}},
		} {
			begin := time.Now()
			if _, _, err := t.History(ctx, t.room, look.page); err != nil {
				return fmt.Errorf("bench: history: %w", err)
			}
			if err := look.into.RecordValue(time.Since(begin).Microseconds()); err != nil {
				return err
			}
		}
	}
	out.NewestP50, out.NewestP99 = ms(newest, 50), ms(newest, 99)
	out.AnywhereP50, out.AnywhereP99 = ms(anywhere, 50), ms(anywhere, 99)
	return nil
}

func (cfg StoreConfig) text() string { return strings.Repeat("x", cfg.Bytes) }

// A talker is a client of the native protocol in a room.
type talker struct {
	*client.Client
	room string
	head uint64 // Of the room, when it came.
	acks *hdr.Histogram
}

func (cfg StoreConfig) newTalker(ctx context.Context, server, name, room string) (*talker, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	c, err := client.Dial(ctx, client.Config{
		Server: server, Transport: cfg.Transport, VerifyServer: func(reliable.Key) error { return nil }, // It is our own.
		Account: name, Password: "password of " + name, Register: true,
	})
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", name, err)
	}
	go func() { // Ends with the client.
		for range c.Events() {
		}
	}()
	place, err := c.Join(ctx, room, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bench: %s: %w", name, err), c.Close())
	}
	return &talker{Client: c, room: room, head: place.Head}, nil
}

// steady says something every pace by a fixed plan, and notes how long after its planned time each is known to be stored.
func (t *talker) steady(ctx context.Context, text string, pace, d time.Duration) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	var mu sync.Mutex // Guards acks and failed.
	var failed error
	begin := time.Now().Add(time.Duration(rand.Int64N(int64(pace)))) // Not all at once.
	for planned := begin; planned.Sub(begin) < d; planned = planned.Add(pace) {
		if err := pause(ctx, time.Until(planned)); err != nil {
			return err
		}
		m, err := t.Send(t.room, text)
		if err != nil {
			return fmt.Errorf("bench: say: %w", err)
		}
		wg.Go(func() { // Ends when the server has answered, or the client ends.
			err := m.Wait(ctx)
			took := time.Since(planned)
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err, t.acks.RecordValue(took.Microseconds()))
		})
	}
	wg.Wait()
	return failed
}

// flood keeps messagesFlying of them on their way until enough.
func (t *talker) flood(ctx context.Context, text string, stored *atomic.Int64, enough func() bool) error {
	var flying []*client.Message
	for !enough() || len(flying) > 0 {
		for len(flying) < messagesFlying && !enough() {
			m, err := t.Send(t.room, text)
			if err != nil {
				return fmt.Errorf("bench: say: %w", err)
			}
			flying = append(flying, m)
		}
		if len(flying) == 0 {
			break
		}
		if err := flying[0].Wait(ctx); err != nil {
			return fmt.Errorf("bench: say: %w", err)
		}
		flying = flying[1:]
		stored.Add(1)
	}
	return nil
}

// together has all talkers do something at the same time.
func together(ctx context.Context, talkers []*talker, do func(t *talker) error) error {
	errs := make(chan error, len(talkers))
	for _, t := range talkers {
		go func() { errs <- do(t) }() // Ends with what it does.
	}
	var all error
	for range talkers {
		all = errors.Join(all, <-errs)
	}
	return errors.Join(all, ctx.Err())
}

// String is the result for people.
func (s Store) String() string {
	name := s.Durability
	if name == "" {
		name = "as serve does it by default"
	}
	first := fmt.Sprintf(`%s; %d clients over %s
  stored after          p50 %.2f ms, p99 %.2f ms, longest %.2f ms (at %.0f messages/s)
  at most               %.0f messages/s
`, name, s.Clients, s.Transport, s.AckP50, s.AckP99, s.AckMax, s.Rate, s.MessagesPerSecond)
	if s.Forgotten {
		return first + fmt.Sprintf("  started with nothing in %.0f ms", s.Start)
	}
	return first + fmt.Sprintf(`  started with %d messages in %.0f ms, then %.1f MiB
  a page of history     newest p50 %.2f ms, p99 %.2f ms; anywhere p50 %.2f ms, p99 %.2f ms`,
		s.Stored, s.Start, float64(s.RSSAfterStart)/(1<<20), s.NewestP50, s.NewestP99, s.AnywhereP50, s.AnywhereP99)
}
