package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"udpchat/chat"
)

// Engine implements chat.Engine.
type Engine struct {
	cfg     Config       // With defaults. Constant after Open.
	log     *slog.Logger // Constant after Open.
	names   names
	nc      *nats.Conn
	js      jetstream.JetStream
	shards  []*shard
	writers writers
	drops   drops

	quit  chan struct{}  // Closed by Close, with mu held.
	tasks sync.WaitGroup // The goroutines of the shards.
	calls sync.WaitGroup // Calls under way. Add with mu held.

	mu       sync.Mutex
	closed   bool                         // Guarded by mu.
	attempts map[*struct{ _ byte }]func() // What ends each attempt under way. Guarded by mu.
}

var _ chat.Engine = (*Engine)(nil)

// Open connects to a cluster and makes the streams that are not there. It tries until ctx ends, for 30 s at most.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, log: cfg.Logger,
		names:    names{prefix: cfg.Prefix, shards: cfg.Shards},
		quit:     make(chan struct{}),
		attempts: make(map[*struct{ _ byte }]func()),
	}
	e.writers.init()
	e.drops.init()
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := e.open(ctx); err != nil {
		_ = e.Close() // It has nothing to lose yet.
		return nil, fail("connecting to "+redacted(cfg.Servers), err)
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	if err := e.connect(ctx); err != nil {
		return err
	}
	if err := e.makeStreams(ctx); err != nil {
		return err
	}
	for i := range e.cfg.Shards {
		s, err := newShard(ctx, e, i)
		if err != nil {
			return err
		}
		e.shards = append(e.shards, s)
		e.tasks.Go(s.run) // Owns calling the subscribers of the shard's rooms; ends when quit is closed.
	}
	return e.sweep(ctx)
}

// connect connects to one of the servers. From then on the client connects again by itself, for ever.
func (e *Engine) connect(ctx context.Context) error {
	options := []nats.Option{
		nats.Name("udpchat"), nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(pingsMax),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnect), nats.ReconnectJitter(reconnect, reconnect),
		nats.ReconnectBufSize(-1), // What cannot be sent now is tried again by us, who know whether somebody still waits.
		nats.Timeout(attemptTimeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				e.log.Warn("connection to the cluster lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			e.log.Info("connected to the cluster again", "peer", nc.ConnectedServerName())
			e.look()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			e.log.Warn("trouble with the cluster", "err", err)
			e.look()
		}),
	}
	err := e.retry(ctx, func(context.Context) error {
		nc, err := nats.Connect(strings.Join(e.cfg.Servers, ","), options...)
		e.nc = nc
		return err
	})
	if err != nil {
		return err
	}
	if e.nc.MaxPayload() < payloadBytesMin {
		return fmt.Errorf("the servers' max_payload is %d bytes, at least %d are needed", e.nc.MaxPayload(), payloadBytesMin)
	}
	e.js, err = jetstream.New(e.nc)
	return err
}

// makeStreams makes the streams, or brings those that are there to what they should be.
func (e *Engine) makeStreams(ctx context.Context) error {
	storage := jetstream.FileStorage
	if e.cfg.Forget {
		storage = jetstream.MemoryStorage
	}
	common := jetstream.StreamConfig{
		Storage: storage, Replicas: e.cfg.Replicas, Discard: jetstream.DiscardOld, Duplicates: duplicates,
		MaxMsgSize: payloadBytesMin, Description: "udpchat",
	}
	var configs []jetstream.StreamConfig
	for i := range e.cfg.Shards {
		cfg := common
		cfg.Name, cfg.Subjects = e.names.roomStream(i), []string{e.names.stored(i)}
		cfg.AllowDirect = true // For batches.
		cfg.RePublish = &jetstream.RePublish{Source: e.names.stored(i), Destination: e.names.live(i)}
		if e.cfg.Forget {
			cfg.MaxBytes, cfg.MaxAge = int64(forgetBytesMax/e.cfg.Shards), forgetAge
		}
		configs = append(configs, cfg)
	}
	records := common
	records.Name, records.MaxMsgsPerSubject = e.names.recordStream(), 1
	for _, space := range []string{"record", "head", "blob", "upload"} {
		records.Subjects = append(records.Subjects, e.names.prefix+"."+space+".>")
	}
	files := common
	files.Name, files.Subjects = e.names.fileStream(), []string{e.names.file("*", "*")}
	for _, cfg := range append(configs, records, files) {
		err := e.retry(ctx, func(ctx context.Context) error {
			_, err := e.js.CreateOrUpdateStream(ctx, cfg)
			return err
		})
		if err != nil {
			return fmt.Errorf("stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

// enter lets a call in, unless the engine is closed. The caller owes e.calls.Done.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed()
	}
	e.calls.Add(1)
	return nil
}

// look has every shard look whether it has missed something.
func (e *Engine) look() {
	for _, s := range e.shards {
		s.lookSoon()
	}
}

// Epoch implements chat.Engine: it is when the room's stream was made.
func (e *Engine) Epoch(_ context.Context, room string) (string, error) {
	if err := e.enter(); err != nil {
		return "", err
	}
	defer e.calls.Done()
	return e.shardOf(room).epoch(), nil
}

// Health implements chat.Engine.
func (e *Engine) Health() error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	if !e.nc.IsConnected() {
		return fail("health", errors.Join(errors.New("not connected to the cluster"), e.nc.LastError()))
	}
	var errs []error
	for _, s := range e.shards {
		errs = append(errs, s.health())
	}
	return fail("health", errors.Join(errs...))
}

// Close implements chat.Engine. Calls that wait for the cluster are told that the engine is closed.
func (e *Engine) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.quit)
		for _, end := range e.attempts {
			end()
		}
	}
	e.mu.Unlock()
	e.tasks.Wait()
	e.calls.Wait()
	if e.nc != nil {
		e.nc.Close()
	}
	return nil
}

func (e *Engine) shardOf(room string) *shard { return e.shards[e.names.shard(room)] }

// redacted is the servers without passwords.
func redacted(servers []string) string {
	var shown []string
	for s := range strings.SplitSeq(strings.Join(servers, ","), ",") {
		if i := strings.LastIndexByte(s, '@'); i >= 0 {
			scheme, _, _ := strings.Cut(s, "://")
			s = scheme + "://" + s[i+1:]
		}
		shown = append(shown, s)
	}
	return strings.Join(shown, ", ")
}
