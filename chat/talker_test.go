package chat_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"udpchat/chat"
)

// A talker is a client that keeps a copy of every log it knows, through all that happens.
type talker struct {
	cluster         *cluster
	account, device string
	copies          map[string]*logCopy // By log.
	acked           map[message]uint64  // What Say has returned.
	counter         uint64
	faults          []string
}

// A logCopy is what a client has of a log.
type logCopy struct {
	epoch  string
	last   uint64
	events []*chat.Event
}

// A message is one that is said, or to be said.
type message struct {
	log     string
	counter uint64
}

func newTalker(c *cluster, account, device string) *talker {
	return &talker{
		cluster: c, account: account, device: device, acked: map[message]uint64{},
		copies: map[string]*logCopy{chat.AccountLog(account): {}, "kitchen": {}, "hall": {}},
	}
}

// A line is one connection of a talker. It is the Receiver of it.
type line struct {
	*talker
	node     *clusterNode
	dev      *chat.Device
	attached map[string]bool

	mu   sync.Mutex
	came []*chat.Event // Live, not taken yet. Guarded by mu.
}

// Receive implements chat.Receiver.
func (l *line) Receive(ev *chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came = append(l.came, ev)
}

var errHungUp = errors.New("the connection broke")

// talk says n messages and hears what the others say.
func (tk *talker) talk(ctx context.Context, n int) {
	var open *message // Not acknowledged yet.
	for n > 0 || open != nil {
		tk.connected(ctx, func(ctx context.Context, l *line) error {
			for n > 0 || open != nil {
				if err := l.keepUp(ctx); err != nil {
					return err
				}
				if tk.cluster.intN(12) == 0 {
					return errHungUp
				}
				if open == nil {
					n--
					tk.counter++
					open = &message{tk.someLog(), tk.counter}
				}
				said, err := l.dev.Say(ctx, open.log, open.counter, chat.Content{Text: fmt.Sprint(tk.device, " ", open.counter)})
				if err != nil {
					return err
				}
				tk.acked[*open] = said.Seq
				open = nil
				tk.cluster.wait(30)
			}
			return nil
		})
	}
}

// someLog returns where to say something: a room, or to another account.
func (tk *talker) someLog() string {
	peer := string(rune('a' + tk.cluster.intN(3)))
	switch i := tk.cluster.intN(4); {
	case i == 0 && peer != tk.account:
		return chat.DirectLog(tk.account, peer)
	case i < 3:
		return "kitchen"
	}
	return "hall"
}

// catchUp hears until it has what there is.
func (tk *talker) catchUp(ctx context.Context) {
	done := false
	for deadline := time.Now().Add(20 * time.Second); !done && time.Now().Before(deadline); {
		tk.connected(ctx, func(ctx context.Context, l *line) error {
			list, err := l.dev.Conversations(ctx)
			if err != nil {
				return err
			}
			for _, c := range list {
				tk.know(c.Log)
			}
			for range 20 {
				if err := l.keepUp(ctx); err != nil {
					return err
				}
				tk.cluster.wait(100)
			}
			logs := slices.Sorted(maps.Keys(tk.copies))
			heads, err := tk.cluster.engine.Heads(ctx, logs)
			if err != nil {
				return err
			}
			done = true
			for i, log := range logs {
				done = done && tk.copies[log].last == heads[i]
			}
			return nil
		})
	}
}

func (tk *talker) know(log string) {
	if tk.copies[log] == nil {
		tk.copies[log] = &logCopy{}
	}
}

// connected logs in somewhere, and calls do. When that is over the connection is, too; some of what came last may never
// have arrived.
func (tk *talker) connected(ctx context.Context, do func(ctx context.Context, l *line) error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	l := &line{talker: tk, node: tk.cluster.some(), attached: map[string]bool{}}
	var err error
	if l.dev, err = l.node.hub.LogIn(ctx, chat.Login{Account: tk.account, Device: tk.device}, l); err != nil {
		tk.judge(err)
		tk.cluster.wait(50)
		return
	}
	err = do(ctx, l)
	if err != nil && !l.node.isDead() && tk.cluster.intN(2) == 0 {
		l.mu.Lock()
		l.came = l.came[:tk.cluster.intN(len(l.came)+1)]
		l.mu.Unlock()
	}
	l.take()
	_ = l.dev.Close(ctx) // Read markers are of no interest here.
	tk.judge(err)
}

// judge notes a refusal that nothing here can cause.
func (tk *talker) judge(err error) {
	if e, ok := errors.AsType[*chat.Error](err); ok && e.Code != chat.CodeShuttingDown && e.Code != chat.CodeClosed {
		tk.faults = append(tk.faults, fmt.Sprintf("%s was refused: %v", tk.device, err))
	}
}

// keepUp attaches to what it is not attached to, reads what it has missed, and takes what came.
func (l *line) keepUp(ctx context.Context) error {
	for _, log := range slices.Sorted(maps.Keys(l.copies)) {
		if l.attached[log] {
			continue
		}
		if err := l.resume(ctx, log); err != nil {
			return err
		}
		l.attached[log] = true
	}
	l.take()
	return nil
}

func (l *line) resume(ctx context.Context, log string) error {
	have := l.copies[log]
	if have.last == 0 && (log == "kitchen" || log == "hall") {
		if _, err := l.dev.Join(ctx, log); err != nil {
			return err
		}
	}
	place, err := l.dev.Resume(ctx, log, have.epoch, have.last)
	if err != nil {
		return err
	}
	if place.Reload {
		l.faults = append(l.faults, fmt.Sprintf("%s cannot resume %s after %d: %+v", l.talker.device, log, have.last, place))
	}
	have.epoch = place.Epoch
	for {
		evs, err := l.dev.History(ctx, log, chat.Page{After: have.last, Before: place.Head + 1, Forward: true, N: 1 + l.cluster.intN(20)})
		if err != nil {
			return err
		}
		if len(evs) == 0 {
			return nil
		}
		for _, ev := range evs {
			l.have(ev)
		}
	}
}

// take takes what came live, of the logs whose history it has. What it has not is read when it comes back.
func (l *line) take() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.came {
		if ev.Seq > 0 && l.attached[ev.RoomName] {
			l.have(ev)
		}
	}
	l.came = nil
}

// have adds an event to the copy.
func (l *line) have(ev *chat.Event) {
	log := l.copies[ev.RoomName]
	if ev.Seq <= log.last {
		l.faults = append(l.faults, fmt.Sprintf("%s was told %d of %s after %d", l.talker.device, ev.Seq, ev.RoomName, log.last))
	}
	log.last = ev.Seq
	log.events = append(log.events, ev)
	if ev.Kind == chat.KindConversation {
		l.know(chat.DirectLog(l.account, ev.About))
	}
}
