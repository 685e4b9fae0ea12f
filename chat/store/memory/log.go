package memory

import (
	"errors"
	"slices"
	"sync"
	"time"

	"udpchat/chat"
)

// A log is the newest messages of one room and who wants to hear of new ones.
type log struct {
	engine *Engine
	room   string

	mu      sync.Mutex
	last    uint64            // Seq of the newest entry ever. Guarded by mu, like all below.
	entries ring              // Those not forgotten; their Seqs end with last, without gaps.
	full    int               // Entries before this one have no data, because of RoomBytesMax or Drop.
	bytes   int64             // What entries take.
	seqs    map[string]uint64 // The Seq of each id in entries.
	subs    []*subscriber
	closed  bool
	gone    bool   // It was forgotten: there is another one by now, or will be.
	floor   uint64 // Seq of the newest entry when it began: numbers of one that was forgotten are not used again.
}

// errGone says that a log was forgotten between finding and using it.
var errGone = errors.New("memory: the log was forgotten")

// An entry is one message. Dropped ones stay as long as their id is to be known.
type entry struct {
	id      string
	time    time.Time
	data    []byte
	dropped bool
}

func (en *entry) size() int64 { return entryBytes + int64(len(en.id)+len(en.data)) }

// A subscriber is one call of Subscribe; its address tells it from others.
type subscriber struct{ f func(chat.Msg) }

// append stores a message and calls the subscribers, or finds that it was stored before.
func (l *log) append(id string, data []byte) (chat.Msg, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.gone:
		return chat.Msg{}, errGone
	case l.closed:
		return chat.Msg{}, errClosed()
	}
	if seq, ok := l.seqs[id]; ok {
		return l.msg(seq), nil
	}
	if l.seqs == nil {
		l.seqs = make(map[string]uint64)
	}
	l.last++
	en := entry{id: id, time: time.Now(), data: data}
	l.entries.push(en)
	l.seqs[id] = l.last
	l.addBytes(en.size())
	l.trim()
	msg := l.msg(l.last)
	l.call(msg)
	return msg, nil
}

// trim forgets what is too much, oldest first, but never the newest message.
func (l *log) trim() {
	for l.entries.len() > l.engine.cfg.RoomMessagesMax {
		l.forgetOldest()
	}
	for l.bytes > l.engine.cfg.RoomBytesMax && l.full < l.entries.len()-1 {
		l.dropAt(l.full)
		l.full++
	}
	for l.engine.logBytes.Load() > l.engine.cfg.LogBytesMax && l.entries.len() > 1 {
		l.forgetOldest()
	}
}

// forgetOldest forgets the oldest entry and its id.
func (l *log) forgetOldest() {
	en := l.entries.pop()
	delete(l.seqs, en.id)
	l.full = max(l.full-1, 0)
	l.addBytes(-en.size())
}

// dropAt forgets the data of the entry at i.
func (l *log) dropAt(i int) {
	en := l.entries.at(i)
	l.addBytes(-int64(len(en.data)))
	en.data, en.dropped = nil, true
}

func (l *log) addBytes(n int64) {
	l.bytes += n
	l.engine.logBytes.Add(n)
}

// first returns the Seq of the oldest entry; one more than last if there is none.
func (l *log) first() uint64 { return l.last + 1 - uint64(l.entries.len()) }

// msg returns the message of the entry with that Seq, which must be there.
func (l *log) msg(seq uint64) chat.Msg {
	en := l.entries.at(int(seq - l.first()))
	return chat.Msg{Room: l.room, Seq: seq, ID: en.id, Time: en.time, Data: en.data}
}

// call calls the subscribers with mu held, which makes it one call at a time and in order.
func (l *log) call(msg chat.Msg) {
	for _, s := range l.subs {
		s.f(msg)
	}
}

// read is Engine.Read.
func (l *log) read(after, before uint64, n int) ([]chat.Msg, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed()
	}
	low, high := l.first(), l.last
	if after >= low {
		if after >= high {
			return nil, nil
		}
		low = after + 1
	}
	newest := before != 0
	if newest {
		high = min(high, before-1)
	}
	var msgs []chat.Msg
	for low <= high && len(msgs) < n {
		seq := low
		if newest {
			seq = high
			high--
		} else {
			low++
		}
		if !l.entries.at(int(seq - l.first())).dropped {
			msgs = append(msgs, l.msg(seq))
		}
	}
	if newest {
		slices.Reverse(msgs)
	}
	return msgs, nil
}

func (l *log) head() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == l.floor {
		return 0
	}
	return l.last
}

// drop is Engine.Drop.
func (l *log) drop(upto, only uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed()
	}
	for i := range l.entries.len() {
		if seq := l.first() + uint64(i); seq <= upto || seq == only {
			l.dropAt(i)
		}
	}
	return nil
}

// send is Engine.Send.
func (l *log) send(data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed()
	}
	l.call(chat.Msg{Room: l.room, Time: time.Now(), Data: data})
	return nil
}

// subscribe is Engine.Subscribe.
func (l *log) subscribe(f func(chat.Msg)) (stop func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.gone:
		return nil, errGone
	case l.closed:
		return nil, errClosed()
	}
	s := &subscriber{f}
	l.subs = append(l.subs, s)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if i := slices.Index(l.subs, s); i >= 0 {
			l.subs = slices.Delete(l.subs, i, i+1)
		}
	}, nil
}

// forget gives everything back, unless there are subscribers, and returns the Seq of the newest entry.
func (l *log) forget() (last uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.subs) > 0 {
		return 0, false
	}
	l.gone = true
	l.addBytes(-l.bytes)
	l.entries, l.seqs, l.bytes = ring{}, nil, 0
	return l.last, true
}

// close gives everything back. Whoever still has the log is told that it is closed.
func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.addBytes(-l.bytes)
	l.entries, l.seqs, l.subs = ring{}, nil, nil
}
