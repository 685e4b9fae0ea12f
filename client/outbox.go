package client

import (
	"errors"
	"slices"
	"time"

	"udpchat/chat/wire/native"
)

// An outbox keeps our messages until the server has stored or refused them. It sends them in the order they were said,
// several at a time, and after a loss all that are not answered again, with the numbers they have: the server stores a
// number once. It is pure: it is told the time and what came, and hands out what to send.
type outbox struct {
	device string        // Whose numbers these are.
	queue  []*Message    // In the order of their numbers.
	bytes  int           // Of the queue.
	flying int           // How many of the queue are on their way over this connection.
	pause  time.Time     // Nothing is sent before; zero: now.
	slowed time.Time     // When the server found us too fast last.
	halted bool          // One was refused: nothing is sent until all others are answered, so that the order holds.
	every  time.Duration // Between two messages, since the server found us too fast; 0: none.
	due    time.Time     // When the next one may be sent then.
	number func() (uint64, error)
	skip   func(used uint64) error // Has number go on far above one that was used before.
}

// add takes a message, with a number of its own from now on.
func (o *outbox) add(m *Message, now time.Time) error {
	if len(o.queue) >= outboxMax || o.bytes+m.bytes() > outboxBytesMax && len(o.queue) > 0 {
		return ErrFull
	}
	if err := o.name(m, now); err != nil {
		return err
	}
	o.queue = append(o.queue, m)
	o.bytes += m.bytes()
	return nil
}

// name gives a message its number.
func (o *outbox) name(m *Message, now time.Time) error {
	counter, err := o.number()
	if err != nil {
		return err
	}
	m.made, m.done = now, make(chan struct{})
	m.becomes(o.device, counter)
	return nil
}

// restore takes a message that has its number already and was to go another way, to its place in the order.
func (o *outbox) restore(m *Message) {
	at := slices.IndexFunc(o.queue, func(other *Message) bool { return other.counter > m.counter })
	if at < 0 {
		at = len(o.queue)
	}
	o.queue = slices.Insert(o.queue, at, m)
	o.bytes += m.bytes()
	m.change(func(s *Status) { s.State = Queued })
}

// next returns the message to send now, nil if there is none. It is on its way then.
func (o *outbox) next(now time.Time) *Message {
	if o.flying == 0 {
		o.halted = false
	}
	if o.halted || o.flying >= flyingMax || now.Before(o.pause) || o.every > 0 && now.Before(o.due) {
		return nil
	}
	for {
		at := slices.IndexFunc(o.queue, func(m *Message) bool { return !m.flying })
		if at < 0 {
			return nil
		}
		m := o.queue[at]
		if m.reused {
			o.anew()
			continue
		}
		if m.denied && m.passed {
			o.renumber(m)
			continue
		}
		m.flying, m.ever, m.denied, m.sent = true, true, false, now
		o.flying++
		if o.every > 0 {
			o.due = later(o.due, now.Add(-paceBurst*o.every)).Add(o.every)
		}
		m.change(func(s *Status) { s.State, s.Sends = Sent, s.Sends+1 })
		return m
	}
}

// nextAt returns when there is something to send that has to wait now; zero: there is nothing.
func (o *outbox) nextAt() time.Time {
	if o.halted && o.flying > 0 || o.flying >= flyingMax || len(o.queue) == o.flying {
		return time.Time{}
	}
	if o.every > 0 {
		return later(o.pause, o.due)
	}
	return o.pause
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stored notes that the server has m: it has said so, or shown it to us in the log.
func (o *outbox) stored(m *Message, seq uint64, at, now time.Time) {
	if !o.take(m) {
		return // Known already.
	}
	for _, other := range o.queue {
		if other.Log == m.Log && other.counter < m.counter {
			other.passed = true
		}
	}
	if o.every -= o.every / paceFaster; o.every < paceLeast/4 {
		o.every = 0
	}
	m.change(func(s *Status) { s.State, s.Seq, s.Time, s.After, s.Err = Stored, seq, at, now.Sub(m.made), nil })
}

// refused notes that the server has not stored m. What passes is tried again: then m keeps its place, unless others have
// passed it meanwhile. It reports whether m has failed. If the log has shown that m is stored, the server only could not say so.
func (o *outbox) refused(m *Message, e native.Error, now time.Time) (failed bool) {
	if !slices.Contains(o.queue, m) {
		return false
	}
	wait := e.RetryAfter.Duration()
	if wait == 0 {
		wait = sayRetry
	}
	switch e.Code {
	case native.CodeRateLimited:
		if now.Sub(o.slowed) >= paceHold { // Those sent before we knew say nothing new.
			o.every, o.slowed = min(max(2*o.every, paceLeast), paceMost), now
		}
	case native.CodeUnavailable:
		if !m.sent.After(o.slowed) || o.blocked(m) {
			wait = 0
		}
	case native.CodeShuttingDown:
	case native.CodeInternal:
		if m.tries++; m.tries > sayTriesMax {
			o.fail(m, e)
			return true
		}
	case native.CodeStale:
		o.fail(m, errors.Join(ErrUnknown, e))
		return true
	case native.CodeReused:
		if err := o.skip(m.counter); err != nil {
			o.fail(m, err)
			return true
		}
		m.reused = true
		if m.tries++; m.tries <= sayTriesMax {
			wait = 0
		}
	default:
		o.fail(m, e)
		return true
	}
	if m.flying {
		m.flying = false
		o.flying--
	}
	o.halted = true
	m.denied = e.Code != native.CodeUnavailable // With that one it may be stored all the same (SPEC.md 7).
	if until := now.Add(wait); until.After(o.pause) {
		o.pause = until
	}
	m.change(func(s *Status) { s.State, s.Err = Queued, e })
	return false
}

// blocked reports whether the server refuses m only because one before it in its log was refused (SPEC.md 5).
func (o *outbox) blocked(m *Message) bool {
	return slices.ContainsFunc(o.queue, func(other *Message) bool {
		return other.Log == m.Log && other.counter < m.counter && !other.flying
	})
}

// renumber gives m, which the server has refused and therefore has not, a new number behind all others.
func (o *outbox) renumber(m *Message) {
	counter, err := o.number()
	if err != nil {
		o.fail(m, err)
		return
	}
	at := slices.Index(o.queue, m)
	o.queue = append(slices.Delete(o.queue, at, at+1), m)
	m.becomes(o.device, counter)
	m.passed = false
}

// anew gives new numbers to all that the server has not for sure, and leaves them in their order: one of them had a number
// that was used before.
func (o *outbox) anew() {
	for _, m := range slices.Clone(o.queue) {
		m.reused = false
		if m.flying || m.ever && !m.denied {
			continue
		}
		counter, err := o.number()
		if err != nil {
			o.fail(m, err)
			continue
		}
		m.becomes(o.device, counter)
		m.passed = false
	}
}

// fail gives m up.
func (o *outbox) fail(m *Message, err error) {
	if o.take(m) {
		m.change(func(s *Status) { s.State, s.Err = Failed, err })
	}
}

// take removes m from the queue and reports whether it was there.
func (o *outbox) take(m *Message) bool {
	at := slices.Index(o.queue, m)
	if at < 0 {
		return false
	}
	o.queue = slices.Delete(o.queue, at, at+1)
	o.bytes -= m.bytes()
	if m.flying {
		m.flying = false
		o.flying--
	}
	return true
}

// lost notes that the connection has ended: what was on its way will be sent again.
func (o *outbox) lost() {
	for _, m := range o.queue {
		if m.flying {
			m.flying = false
			m.change(func(s *Status) { s.State = Queued })
		}
	}
	o.flying, o.pause, o.halted = 0, time.Time{}, false
}

// become notes which device we are. If it is another one than before, what the server may have from the former one cannot
// be sent again, because it would be another message; what it cannot have gets numbers of the new device. It returns what
// has failed.
func (o *outbox) become(device string) (failed []*Message) {
	former := o.device
	o.device = device
	if former == "" || former == device {
		for _, m := range o.queue {
			m.becomes(device, m.counter)
		}
		return nil
	}
	for _, m := range slices.Clone(o.queue) {
		err := ErrUnknown
		if !m.ever {
			var number uint64
			if number, err = o.number(); err == nil {
				m.becomes(device, number)
				continue
			}
		}
		o.fail(m, err)
		failed = append(failed, m)
	}
	return failed
}

// end fails everything that is left. It returns what has failed.
func (o *outbox) end(err error) []*Message {
	failed := slices.Clone(o.queue)
	for _, m := range failed {
		why := err
		if m.ever {
			why = errors.Join(ErrUnknown, err)
		}
		o.fail(m, why)
	}
	return failed
}

// find returns our message by its number, nil if it is not in the queue.
func (o *outbox) find(device string, counter uint64) *Message {
	for _, m := range o.queue {
		if m.counter == counter && m.device == device {
			return m
		}
	}
	return nil
}
