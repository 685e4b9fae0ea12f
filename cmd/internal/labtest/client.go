package labtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A client is one socket of a rule: what it sends, and an inbox of what came. It belongs to the goroutine that plays the
// rule; only receive runs on another.
type client struct {
	p     *player
	label string // In the transcript.
	name  string // CLIENT_NAME.
	conn  net.Conn
	ip    string // What it writes into CLIENT_IP,
	port  string // and into PORT.

	joined bool       // It has asked to join, so it says goodbye in the end.
	inbox  []*message // Everything parsed so far.
	blanks int        // Empty lines before the first message.

	arrived chan struct{} // Has one element after something came; capacity 1.
	reading sync.WaitGroup

	mu      sync.Mutex
	buf     []byte        // guarded by mu; received and not parsed
	total   int           // guarded by mu; bytes received
	reads   []int         // guarded by mu; the sizes of the first reads
	heardAt time.Duration // guarded by mu; when the last byte came
	end     error         // guarded by mu; why nothing more comes; nil while it may
	leaving bool          // guarded by mu; we close it ourselves
}

// newClient takes over an open socket.
func (p *player) newClient(label, name string, conn net.Conn) *client {
	c := &client{p: p, label: label, name: name, conn: conn, ip: "0", port: "0", arrived: make(chan struct{}, 1)}
	if p.net.transport != TCP {
		if local, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
			c.ip, c.port = p.net.local.String(), fmt.Sprint(local.Port())
		}
	}
	p.clients = append(p.clients, c)
	c.reading.Go(c.receive) // Owns reading; ends with the socket.
	return c
}

// receive reads until the socket ends.
func (c *client) receive() {
	b := make([]byte, readBytes)
	for {
		n, err := c.conn.Read(b)
		if err != nil && c.p.net.transport == Plain && !errors.Is(err, net.ErrClosed) {
			err = nil // A datagram was refused; the next one may not be.
			time.Sleep(time.Millisecond)
		}
		if n > 0 {
			c.store(b[:n])
		}
		if err != nil {
			c.finish(err)
			return
		}
	}
}

func (c *client) store(b []byte) {
	at := c.p.transcript.add(c.label, received, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += len(b)
	c.heardAt = at
	if len(c.reads) < 8 {
		c.reads = append(c.reads, len(b))
	}
	if c.total <= inboxBytesMax {
		c.buf = append(c.buf, b...)
	}
	c.wake()
}

func (c *client) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = err
	if !c.leaving {
		why := "the server closed the connection"
		if !errors.Is(err, io.EOF) {
			why += ": " + err.Error()
		}
		c.p.transcript.note(c.label, "%s", why)
	}
	c.wake()
}

func (c *client) wake() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// send writes b as one segment, or one datagram. An error means that the connection is gone, which shows when nothing
// comes back.
func (c *client) send(b string) {
	c.p.transcript.add(c.label, sent, []byte(b))
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.p.net.timeout)) // A server that does not read must not hold us up.
	if _, err := c.conn.Write([]byte(b)); err != nil {
		c.p.transcript.note(c.label, "not sent: %v", err)
	}
}

// pull parses what has come. last says that nothing more comes for now.
func (c *client) pull(last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last = last || c.end != nil
	for {
		m, n, blanks, ok := parse(c.buf, last)
		c.buf = c.buf[n:]
		if len(c.inbox) > 0 {
			c.inbox[len(c.inbox)-1].blanksAfter += blanks
		} else {
			c.blanks += blanks
		}
		if !ok || n == 0 {
			return
		}
		m.at = c.heardAt
		if len(c.inbox) < messagesMax {
			c.inbox = append(c.inbox, m)
		}
	}
}

// pending reports whether an incomplete message has been waiting since the lull began.
func (c *client) pending() (lull time.Duration, some bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.p.transcript.began) - c.heardAt, len(c.buf) > 0
}

// closed reports whether the server has ended the connection.
func (c *client) closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil
}

// received returns how many bytes have come.
func (c *client) received() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// await returns the first message in the inbox that matches and has not been claimed, waiting for it as long as the
// rule's patience lasts. It is nil if none came.
func (c *client) await(match func(*message) bool) *message {
	return c.awaitFor(c.p.patience(), match)
}

// awaitFor is await with its own limit.
func (c *client) awaitFor(limit time.Duration, match func(*message) bool) *message {
	begun := time.Now()
	for from := 0; ; {
		c.pull(false)
		if lull, some := c.pending(); some && lull >= lullTime {
			c.pull(true)
		}
		for ; from < len(c.inbox); from++ {
			if m := c.inbox[from]; !m.claimed && match(m) {
				m.claimed = true
				return m
			}
		}
		left := limit - time.Since(begun)
		if left <= 0 {
			// What is incomplete now stays so.
			c.pull(true)
			if from < len(c.inbox) {
				continue
			}
			c.p.waited(limit)
			return nil
		}
		if c.closed() {
			c.pull(true)
			if from < len(c.inbox) {
				continue
			}
			return nil
		}
		if _, some := c.pending(); some {
			left = min(left, lullTime/4)
		}
		c.p.wait(c.arrived, left)
	}
}

// awaitClose waits for the server to end the connection and reports whether it did.
func (c *client) awaitClose(limit time.Duration) bool {
	for begun := time.Now(); !c.closed(); {
		left := limit - time.Since(begun)
		if left <= 0 {
			c.p.waited(limit)
			return false
		}
		c.p.wait(c.arrived, left)
	}
	c.pull(true)
	return true
}

// messages returns what is in the inbox now, claimed or not, and matches.
func (c *client) messages(match func(*message) bool) []*message {
	c.pull(false)
	var found []*message
	for _, m := range c.inbox {
		if match(m) {
			found = append(found, m)
		}
	}
	return found
}

// position is the place of m among all messages of the socket.
func (c *client) position(m *message) int {
	for i, other := range c.inbox {
		if other == m {
			return i
		}
	}
	return -1
}

// shut closes our end and waits for the reader.
func (c *client) shut() {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	_ = c.conn.Close() // It may be closed.
	c.reading.Wait()
}

// Requests, in the dialect of the run.

func (c *client) joinText(room string) string { return c.p.joinText(room, c.ip, c.port, c.name) }

func (p *player) joinText(room, ip, port, name string) string {
	s := p.joinSeparator()
	return "JOIN_CHATROOM:" + s + room + "\nCLIENT_IP:" + s + ip + "\nPORT:" + s + port + "\nCLIENT_NAME:" + s + name + "\n"
}

// joinSeparator is what stands behind the colons of JOIN and DISCONNECT.
func (p *player) joinSeparator() string {
	if p.cfg.Dialect == Dialect2015 {
		return ""
	}
	return " "
}

func leaveText(ref, id, name string) string {
	return "LEAVE_CHATROOM: " + ref + "\nJOIN_ID: " + id + "\nCLIENT_NAME: " + name + "\n"
}

func chatText(ref, id, name, text string) string {
	return "CHAT: " + ref + "\nJOIN_ID: " + id + "\nCLIENT_NAME: " + name + "\nMESSAGE: " + text + "\n\n"
}

func (c *client) disconnectText() string {
	s := c.p.joinSeparator()
	return "DISCONNECT:" + s + c.ip + "\nPORT:" + s + c.port + "\nCLIENT_NAME:" + s + c.name + "\n"
}
