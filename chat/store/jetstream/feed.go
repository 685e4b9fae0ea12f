package jetstream

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"udpchat/chat"
)

// A shard is one stream of rooms, as this node hears of it.
//
// Live messages come from a subscription that promises nothing. Their numbers tell what is missing: that is read from the
// stream before anything later is delivered. So the subscribers are called with every number once, in order.
type shard struct {
	engine *Engine
	index  int
	stream string
	msgs   chan *nats.Msg // Live and sent ones.
	kick   chan struct{}  // Has one entry when something may be missing.
	ears   []*nats.Subscription

	delivered atomic.Uint64 // Number of the last message that was delivered or is nobody's. Written by run.
	stored    atomic.Uint64 // Greatest number that this node has stored.
	life      atomic.Int64  // When the stream was made.
	trouble   atomic.Pointer[error]

	mu   sync.Mutex        // Held over calls of subscribers.
	subs map[string][]*sub // By room. Guarded by mu.
}

// A sub is one call of Subscribe.
type sub struct {
	f     func(chat.Msg)
	ready bool       // after is known.
	after uint64     // The last number it is not told about.
	held  []chat.Msg // What came before it was ready.
}

// newShard begins to listen. What is stored from now on will be delivered.
func newShard(ctx context.Context, e *Engine, index int) (*shard, error) {
	s := &shard{
		engine: e, index: index, stream: e.names.roomStream(index),
		msgs: make(chan *nats.Msg, feedMessagesMax), kick: make(chan struct{}, 1), subs: make(map[string][]*sub),
	}
	for _, subject := range []string{e.names.live(index), e.names.sent(index)} {
		ear, err := e.nc.ChanSubscribe(subject, s.msgs)
		if err != nil {
			return nil, err
		}
		s.ears = append(s.ears, ear)
	}
	var last uint64
	err := e.retry(ctx, func(ctx context.Context) error {
		if err := e.nc.FlushWithContext(ctx); err != nil {
			return err
		}
		var made time.Time
		var err error
		last, made, err = s.state(ctx)
		s.life.Store(made.UnixNano())
		return err
	})
	s.delivered.Store(last)
	return s, err
}

// state asks the leader for the last number of the stream and when it was made.
func (s *shard) state(ctx context.Context) (last uint64, made time.Time, err error) {
	stream, err := s.engine.js.Stream(ctx, s.stream)
	if err != nil {
		return 0, time.Time{}, err
	}
	info := stream.CachedInfo() // Of just now.
	return info.State.LastSeq, info.Created, nil
}

func (s *shard) epoch() string { return strconv.FormatInt(s.life.Load(), 36) }

// health returns why the last look at the stream failed.
func (s *shard) health() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// note says that this node has stored a message.
func (s *shard) note(seq uint64) {
	for {
		old := s.stored.Load()
		if seq <= old || s.stored.CompareAndSwap(old, seq) {
			return
		}
	}
}

func (s *shard) lookSoon() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// run is the shard's goroutine.
func (s *shard) run() {
	tick := time.NewTicker(feedTick)
	defer tick.Stop()
	quiet, behind := 0, uint64(0) // Ticks without a message; the last number that was missing at the tick before.
	for {
		select {
		case m := <-s.msgs:
			quiet = 0
			s.take(m)
		case <-s.kick:
			s.look()
		case <-tick.C:
			quiet++
			missing := uint64(0)
			if stored := s.stored.Load(); stored > s.delivered.Load() {
				missing = stored
			}
			if missing != 0 && behind != 0 || quiet%pollTicks == 0 {
				s.look()
			}
			behind = missing
		case <-s.engine.quit:
			return
		}
	}
}

// take delivers a live or sent message.
func (s *shard) take(m *nats.Msg) {
	if strings.HasPrefix(m.Subject, strings.TrimSuffix(s.engine.names.sent(s.index), ">")) {
		if room, err := s.engine.names.roomOf(m.Subject); err == nil {
			s.deliver(chat.Msg{Room: room, Time: time.Now(), Data: m.Data})
		}
		return
	}
	seq, err := strconv.ParseUint(m.Header.Get(headerSequence), 10, 64)
	if err != nil || seq <= s.delivered.Load() {
		return // Not from the servers, or late.
	}
	if s.repair(seq - 1) {
		s.advance(stored{m.Header.Get(headerSubject), seq, m.Header, m.Data})
	}
}

// look asks how far the stream is, and reads what did not come.
func (s *shard) look() {
	if len(s.msgs) > 0 {
		return // They may be what is missing; it will look again.
	}
	attempt, end, err := s.engine.attempt(context.Background())
	if err != nil {
		return
	}
	last, made, err := s.state(attempt)
	end()
	if err != nil {
		s.trouble.Store(&err)
		return
	}
	s.trouble.Store(nil)
	if s.life.Swap(made.UnixNano()) != made.UnixNano() {
		s.engine.log.Error("a stream of rooms was made anew: its history is gone", "room", s.stream)
		s.delivered.Store(0)
		s.engine.writers.reset()
	}
	s.repair(last)
}

// repair reads and delivers everything up to a number. It reports whether it could, before the engine was closed.
func (s *shard) repair(upto uint64) bool {
	for from := s.delivered.Load() + 1; from <= upto; from = s.delivered.Load() + 1 {
		msgs, err := s.engine.span(context.Background(), s.stream, s.engine.names.stored(s.index), from, upto+1, batchMessages)
		if errors.Is(err, chat.ErrClosed) {
			return false
		}
		if err != nil {
			s.trouble.Store(&err)
			s.engine.log.Error("cannot read what was missed", "room", s.stream, "err", err)
			return false
		}
		for _, m := range msgs {
			s.advance(m)
		}
		if len(msgs) < batchMessages {
			s.delivered.Store(upto) // The rest is gone.
		}
	}
	return true
}

// advance delivers the next message of the stream.
func (s *shard) advance(m stored) {
	room, err := s.engine.names.roomOf(m.subject)
	if err == nil {
		var msg chat.Msg
		if msg, err = s.engine.decode(room, m); err == nil {
			s.deliver(msg)
		}
	}
	if err != nil {
		s.engine.log.Error("unreadable message in a stream", "room", s.stream, "err", err)
	}
	s.delivered.Store(m.seq)
}

// deliver calls the subscribers of a room.
func (s *shard) deliver(m chat.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subs[m.Room] {
		sub.take(m)
	}
}

func (sub *sub) take(m chat.Msg) {
	switch {
	case !sub.ready:
		sub.held = append(sub.held, m)
	case m.Seq == 0 || m.Seq > sub.after:
		sub.f(m)
	}
}

// Subscribe implements chat.Engine.
func (e *Engine) Subscribe(room string, f func(chat.Msg)) (stop func(), err error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	if err := tooLong("room", len(room), nameBytesMax); err != nil {
		return nil, err
	}
	s := e.shardOf(room)
	sub := &sub{f: f}
	s.mu.Lock()
	s.subs[room] = append(s.subs[room], sub)
	s.mu.Unlock()
	// What is stored from now on has greater numbers than the last one that the leader knows now.
	ctx, cancel := context.WithTimeout(context.Background(), subscribeTimeout)
	defer cancel()
	var last uint64
	err = e.retry(ctx, func(ctx context.Context) error {
		var err error
		last, _, err = s.state(ctx)
		return err
	})
	if err != nil {
		s.remove(room, sub)
		return nil, fail("subscribe", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.ready, sub.after = true, last
	for _, m := range sub.held {
		sub.take(m)
	}
	sub.held = nil
	return func() { s.remove(room, sub) }, nil
}

func (s *shard) remove(room string, sub *sub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.subs[room], sub)
	if i < 0 {
		return
	}
	s.subs[room] = slices.Delete(s.subs[room], i, i+1)
	if len(s.subs[room]) == 0 {
		delete(s.subs, room)
	}
}

// Send implements chat.Engine.
func (e *Engine) Send(room string, data []byte) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	if err := tooLong("message", len(data), messageBytesMax); err != nil {
		return err
	}
	return fail("send", e.nc.Publish(e.names.send(room), data))
}
