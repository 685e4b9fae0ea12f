package plain

import (
	"net/netip"
	"time"
)

// request is what is remembered of the last datagram a source sent, in order to know a repeat of
// it. It is guarded by the Listener's mutex. Zero: no datagram.
type request struct {
	sum         uint64        // hash of the datagram, with the Listener's secret seed
	at          time.Duration // when it came
	set         bool
	read        bool // Read has returned it, so it may have answers
	answers     []datagram
	answerBytes int
}

// datagram is one to be sent.
type datagram struct {
	b  []byte
	to netip.AddrPort
}

// fresh reports whether a datagram that comes now may be a repeat of r.
func (r *request) fresh(now time.Duration) bool { return r.set && now-r.at < RepeatWindow }

// is reports whether a datagram that comes now with the given hash is a repeat of r.
func (r *request) is(now time.Duration, sum uint64) bool { return r.fresh(now) && r.sum == sum }

// repeatLocked returns the answers to send again because a repeat came: none while the first copy
// waits to be read, as there are none yet.
func (c *Conn) repeatLocked() []datagram {
	var again []datagram
	for _, a := range c.last.answers {
		if c.spendLocked(len(a.b)) {
			again = append(again, a)
			c.l.stats.RepeatedAnswers++
		}
	}
	return again
}

// NoteAnswer says that b is an answer to the datagram that Read returned last, so that a repeat
// of it gets b again. It does not send b: Write does. The connection keeps b, so the caller must
// not change it. Answers beyond AnswersMax and AnswerBytesMax are not kept, and neither is an
// answer that comes later than RepeatWindow or when the next datagram waits already, as there is
// no repeat then that could ask for it.
func (c *Conn) NoteAnswer(b []byte) { c.noteAnswer(b, c.remote) }

func (c *Conn) noteAnswer(b []byte, to netip.AddrPort) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	now, r := c.l.now(), &c.last
	switch {
	case c.err != nil || !r.read || !r.fresh(now):
		return
	case len(r.answers) >= AnswersMax || r.answerBytes+len(b) > AnswerBytesMax:
		return
	}
	r.answers = append(r.answers, datagram{b, to})
	r.answerBytes += len(b)
	c.l.answered[c] = struct{}{}
	c.l.armLocked(now, now+RepeatWindow)
}
