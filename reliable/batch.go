package reliable

import "time"

// A batch collects what the turns of one worker send, whichever connections they are of, so that many datagrams leave
// with one system call. A connection some of whose datagrams are in it gets no other turn before they have left, or its
// datagrams would overtake each other. A worker that has nothing else to do sends what it has: only what is busy
// waits for company.
type batch struct {
	e     *Endpoint
	mail  *mail // nil: empty
	turns []turnEnd
	since time.Time // when the first of turns began
}

// mail is the memory of a batch; a pool keeps it while nothing is to be sent.
type mail struct {
	bytes [batchBytes]byte
	used  int
	all   []outgoing
}

// An outgoing is a datagram to send.
type outgoing struct {
	Datagram
	from *Conn
}

// A turnEnd is the outcome of a turn that sent something.
type turnEnd struct {
	c     *Conn
	next  time.Time
	alive bool
}

// add puts a datagram into the batch.
func (b *batch) add(c *Conn, d Datagram) {
	if b.mail != nil && (len(b.mail.all) == batchDatagrams || len(b.mail.bytes)-b.mail.used < len(d.Bytes)) {
		b.send()
	}
	if b.mail == nil {
		b.mail = b.e.newMail()
	}
	m := b.mail
	n := copy(m.bytes[m.used:], d.Bytes)
	d.Bytes = m.bytes[m.used : m.used+n : m.used+n]
	m.used += n
	m.all = append(m.all, outgoing{d, c})
}

// send sends what was collected.
func (b *batch) send() {
	m := b.mail
	if m == nil {
		return
	}
	b.mail = nil
	b.e.sock.writeAll(m.all, func(d *outgoing, _ error) { d.from.sendFailed() })
	clear(m.all)
	m.all, m.used = m.all[:0], 0
	b.e.mailPool.Put(m)
}

// due reports whether the batch should be sent even though there is more to do.
func (b *batch) due(now time.Time) bool {
	return b.mail != nil && len(b.mail.all) >= batchDatagrams/2 || len(b.turns) > 0 && now.Sub(b.since) >= batchWait
}

func (e *Endpoint) newMail() *mail {
	if m, ok := e.mailPool.Get().(*mail); ok {
		return m
	}
	return new(mail)
}
