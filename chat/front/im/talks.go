package im

import (
	"context"

	"udpchat/chat"
)

// A talk is a direct conversation. What was said before the log-in and since the user last read it is read from its log, and
// what is said then comes by itself; between the two nothing is lost and nothing comes twice. Guarded by the member's mu.
type talk struct {
	log   string
	head  uint64 // The last message that was heard of.
	live  bool   // All up to head was shown: what comes is shown at once.
	reads bool   // It is in todo, or being read.
}

// follow has a conversation read and then shown. It may be called from Receive.
func (m *member) follow(log string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.talks[log]
	if t == nil {
		if len(m.talks) >= talksMax {
			return
		}
		t = &talk{log: log}
		m.talks[log] = t
	}
	if t.live || t.reads {
		return
	}
	t.reads = true
	m.todo = append(m.todo, t)
	m.workLocked()
}

// said takes what came in a conversation.
func (m *member) said(ev *chat.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.talks[ev.RoomName]
	if t == nil {
		return
	}
	t.head = max(t.head, ev.Seq)
	if t.live {
		m.out.message(shown(ev.Name, ev.Text), ev.RoomName, ev.Seq)
	}
}

// workLocked starts the goroutine that reads logs, if none runs.
func (m *member) workLocked() {
	if m.works || m.stopped {
		return
	}
	m.works = true
	m.working.Go(m.work) // Owns nothing but what it reads; ends when there is nothing to do, or by stop.
}

// work reads what is to be read.
func (m *member) work() {
	for {
		m.mu.Lock()
		if len(m.todo) == 0 || m.stopped {
			m.works = false
			m.mu.Unlock()
			return
		}
		t := m.todo[0]
		m.todo = m.todo[1:]
		m.mu.Unlock()
		if err := m.catchUp(m.ctx, t); err != nil {
			m.front.unforeseen(m.ctx, err)
		}
	}
}

// markRead writes down how far the user has read.
func (m *member) markRead(seqs map[string]uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for log, seq := range seqs {
		if err := m.device.Mark(ctx, log, seq); err != nil {
			m.front.unforeseen(ctx, err) // It will be shown once more.
			return
		}
	}
}

// catchUp attaches to a conversation and shows what the user has not read, until there is nothing more.
func (m *member) catchUp(ctx context.Context, t *talk) error {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		t.reads = false
	}()
	place, err := m.device.Attach(ctx, t.log)
	if err != nil {
		return err
	}
	for after := place.Read; ; {
		m.mu.Lock()
		head := t.head
		m.mu.Unlock()
		page, err := m.device.History(ctx, t.log, chat.Page{After: after, Forward: true, N: pageEvents})
		if err != nil {
			return err
		}
		for _, ev := range page {
			m.out.await(ctx, queueLow)
			after = ev.Seq
			if ev.Kind == chat.KindSaid && ev.Account != m.account.Name {
				m.out.message(shown(ev.Name, ev.Text), t.log, ev.Seq)
			}
		}
		if len(page) == 0 && m.upToDate(t, head) {
			return ctx.Err()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// upToDate has what comes be shown from now on, unless something has come since head was looked at.
func (m *member) upToDate(t *talk, head uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.live = t.head == head
	return t.live
}
