package client

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
)

// A Client is one device of an account. All methods may be called concurrently.
//
// The machine does all that can be done without waiting. Four goroutines serve it: run connects and keeps its time, a
// reader and a writer per connection move bytes, and pump hands events to the program.
type Client struct {
	cfg    Config       // Constant after Dial.
	net    *network     // Constant after Dial.
	log    *slog.Logger // Constant after Dial.
	events chan Event   // Closed by pump.

	stop   context.Context // Ends with Close.
	cancel context.CancelFunc
	ready  chan struct{} // Closed when we are logged in for the first time.
	ended  chan struct{} // Closed by run when it ends.
	poke   chan struct{} // Something for run to do.
	queued chan struct{} // Something for pump to do.
	tasks  sync.WaitGroup

	mu    sync.Mutex
	m     *machine // Guarded by mu.
	conn  Conn     // Guarded by mu: nil while there is none.
	err   error    // Guarded by mu: why it ended; nil if Close was called.
	wrote func()   // Guarded by mu: tells the writer of conn that there is something to write.

	privates map[string]*private // Guarded by mu: direct connections and wishes for them, by account.
	talks    sync.WaitGroup      // What serves them.
	closing  bool                // Guarded by mu: no more begin.
}

// Dial connects to the server and logs in. It blocks until that is done or ctx ends at most; ctx means nothing afterwards.
// The error is a native.Error if the server refused, and matches *reliable.KeyError or *UntrustedError if it is not the
// right server. The caller must take the Events and Close the client.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.State == nil {
		cfg.State = &memoryState{}
	}
	numbers, err := openNumbers(cfg.State)
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, log: cfg.Logger, events: make(chan Event), ready: make(chan struct{}), ended: make(chan struct{}),
		poke: make(chan struct{}, 1), queued: make(chan struct{}, 1),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.net = newNetwork(cfg.Reliable, cfg.ServerKey, cfg.VerifyServer)
	if c.cfg.Dial == nil {
		c.cfg.Dial = c.net.dial
	}
	c.stop, c.cancel = context.WithCancel(context.Background())
	c.m = newMachine(c.cfg, numbers, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	c.privates, c.m.introduced = make(map[string]*private), c.introducedLocked
	c.tasks.Go(c.run)  // Owns connecting; ends with stop, or when there is no point in going on.
	c.tasks.Go(c.pump) // Owns events; ends after run when they are taken, or with stop.
	select {
	case <-c.ready:
		return c, nil
	case <-c.ended:
		err = c.Err()
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, c.Close())
}

// Events returns the channel of everything that happens. It is closed after the last event; Err says why. A program
// that does not take events loses none of those that happen in logs: they are read again when it does.
func (c *Client) Events() <-chan Event { return c.events }

// Err returns why the client ended: nil while it lives and after Close.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the client. What is not stored by then fails; Flush before it waits. Events that were not taken are gone.
// It may be called more than once.
func (c *Client) Close() error {
	c.cancel()
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.tasks.Wait()
	c.talks.Wait()
	c.net.close()
	return c.m.numbers.close()
}

// Flush waits until the server has stored or refused everything that was said, and knows how far logs were read, or until
// ctx is done; then the error says how much is left.
func (c *Client) Flush(ctx context.Context) error {
	for {
		c.mu.Lock()
		left := len(c.m.outbox.queue) + c.unackedLocked()
		c.m.marks.hurry()
		busy := left > 0 || !c.m.marks.nextAt().IsZero() || c.m.phase == up && len(c.m.pending) > 0
		changed := c.m.changed
		c.mu.Unlock()
		if !busy {
			return nil
		}
		c.wake()
		select {
		case <-changed:
		case <-c.ended:
			return c.closedErr()
		case <-ctx.Done():
			return &UnstoredError{Messages: left, Err: ctx.Err()}
		}
	}
}

// closedErr returns why there is nothing to expect any more.
func (c *Client) closedErr() error {
	if err := c.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// Account returns the name of the account, as the server spells it.
func (c *Client) Account() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.account
}

// Device returns the id of this device: the first part of the ids of its messages.
func (c *Client) Device() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.device
}

// ServerKey returns the key of the server we are connected to, the zero key while there is no connection.
func (c *Client) ServerKey() reliable.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return reliable.Key{}
	}
	return c.conn.ServerKey()
}

// A Link is what is known about the connection.
type Link struct {
	Transport     string // Empty: there is none.
	Address       string
	Local, Remote string             // Its ends.
	Round         time.Duration      // The quickest round trip to the server's program of late; 0: not known.
	Ahead         time.Duration      // How far the server's clock is ahead of ours.
	UDP           reliable.ConnStats // Over UDP only.
	Unstored      int                // Messages of ours that are not stored yet, nor confirmed over a direct connection.
}

// Link returns what is known about the connection now.
func (c *Client) Link() Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := Link{Unstored: len(c.m.outbox.queue) + c.unackedLocked()}
	best, _ := c.m.clock.best()
	l.Round, l.Ahead = best.round, best.offset
	if c.conn == nil {
		return l
	}
	l.Transport, l.Address = c.m.transport, c.m.address
	l.Local, l.Remote = c.conn.LocalAddr().String(), c.conn.RemoteAddr().String()
	if u, ok := c.conn.(interface{ Stats() reliable.ConnStats }); ok {
		l.UDP = u.Stats()
	}
	return l
}

// Server returns what the server has said of itself: its limits and what it can do.
func (c *Client) Server() native.Welcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.welcome
}

// wake has run look at the machine.
func (c *Client) wake() { signal(c.poke) }

// signal leaves a token in a channel of one, unless there is one.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// pump hands events to the program.
func (c *Client) pump() {
	defer close(c.events)
	for {
		c.mu.Lock()
		cramped := !c.m.queue.roomy()
		ev := c.m.queue.take()
		relieved := cramped && c.m.queue.roomy()
		c.mu.Unlock()
		if relieved {
			c.wake() // What was left in the logs can be read now.
		}
		if ev == nil {
			select {
			case <-c.queued:
				continue
			case <-c.ended:
			}
			c.mu.Lock()
			left := len(c.m.queue.events)
			c.mu.Unlock()
			if left == 0 {
				return
			}
			continue
		}
		select {
		case c.events <- ev:
		case <-c.stop.Done():
			return
		}
	}
}
