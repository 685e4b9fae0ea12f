package reliable

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A Conn is a reliable, ordered stream of bytes each way over an Endpoint's socket. It is a net.Conn: all methods are
// safe for concurrent use.
//
// One goroutine, the loop, owns the connection's Machine; the methods hand bytes to it and take bytes from it.
type Conn struct {
	e       *Endpoint
	m       *Machine // owned by loop
	remote  netip.AddrPort
	local   netip.AddrPort
	control []byte // makes datagrams leave from local; nil: the system chooses
	key     helloKey
	server  bool          // the peer dialled
	call    *outgoingCall // the hello answered it; owned by loop; nil: none
	owner   bool          // the endpoint was made for this connection alone

	wake   chan struct{} // something changed: the loop must look
	opened chan struct{} // closed when the handshake is over
	ended  chan struct{} // closed when the loop has ended

	readable, writable    chan struct{} // one token: look again
	readLimit, writeLimit deadline
	mu                    sync.Mutex
	inbox                 []*datagram // guarded by mu
	spare                 []*datagram // owned by loop; empty, for the next inbox
	in, out               fifo        // guarded by mu
	closed                bool        // guarded by mu; Close was called
	abort                 bool        // guarded by mu; and nothing more is to be delivered
	closeCode             uint32      // guarded by mu
	closeText             string      // guarded by mu
	err                   error       // guarded by mu; why it ended
	stats                 ConnStats   // guarded by mu; as of the loop's last turn
	dropped               Drops       // guarded by mu; of datagrams that did not reach the machine
}

// A datagram is a pooled buffer; who holds it last returns it to the endpoint.
type datagram struct {
	buf [readBytes]byte
	n   int
}

func newConn(e *Endpoint, remote, local netip.AddrPort) *Conn {
	c := &Conn{
		e: e, remote: remote, local: local, control: e.sock.control(local.Addr()),
		wake: make(chan struct{}, 1), opened: make(chan struct{}), ended: make(chan struct{}),
		readable: make(chan struct{}, 1), writable: make(chan struct{}, 1),
	}
	return c
}

// emit sends a datagram to the peer.
func (c *Conn) emit(d Datagram) {
	if c.e.sock.write(d.Bytes, c.control, c.remote) != nil {
		c.mu.Lock()
		c.dropped[DropSendFailed]++ // As good as lost on the way.
		c.mu.Unlock()
	}
}

// path is the way to the peer.
func (c *Conn) path() Path { return Path{Remote: c.remote, Local: c.local.Addr()} }

// post puts a datagram into the inbox. It takes d only if it returns true.
func (c *Conn) post(d *datagram) bool {
	c.mu.Lock()
	full := len(c.inbox) == inboxDatagrams
	if full {
		c.dropped[DropInboxFull]++
	} else {
		c.inbox = append(c.inbox, d)
	}
	c.mu.Unlock()
	if !full {
		notify(c.wake)
	}
	return !full
}

// loop owns the machine; it ends when the connection has.
func (c *Conn) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		c.feed(now)
		c.m.Advance(now)
		c.publish()
		next, alive := c.m.NextAt(now)
		if !alive {
			break
		}
		timer.Reset(time.Until(next))
		select {
		case <-c.wake:
		case <-timer.C:
		}
	}
	c.e.remove(c)
	close(c.ended)
}

// feed hands the machine what came in since the last turn: datagrams, bytes to send, the wish to close.
func (c *Conn) feed(now time.Time) {
	c.mu.Lock()
	batch := c.inbox
	c.inbox = c.spare
	closed, abort, code, text := c.closed, c.abort, c.closeCode, c.closeText
	if n := c.out.len(); n > 0 {
		c.out.drop(c.m.Write(c.out.bytes()))
		if c.out.len() < n {
			notify(c.writable)
		}
	}
	c.mu.Unlock()
	for _, d := range batch {
		c.m.Handle(now, Datagram{Path: c.path(), Bytes: d.buf[:d.n]})
		c.e.release(d)
	}
	c.spare = nil
	if cap(batch) <= spareDatagrams {
		clear(batch)
		c.spare = batch[:0]
	}
	switch {
	case abort:
		c.m.Abort(now, code, text)
	case closed: // What is left in out follows while the machine lingers.
		c.m.Close(now, code, text)
	}
}

// publish makes what the machine has visible to readers and writers.
func (c *Conn) publish() {
	err := c.m.Err()
	c.mu.Lock()
	if c.closed {
		c.in = fifo{} // Nobody may read any more; taking the bytes keeps the peer's window open until it hears.
	}
	got := c.pull(err != nil)
	c.stats = c.m.Stats()
	c.err = err
	c.mu.Unlock()
	c.publishHandshake()
	if got || err != nil {
		notify(c.readable)
	}
	if err != nil {
		notify(c.writable)
	}
}

// publishHandshake tells who waits for it that the handshake is over. A client may have said and closed all within the
// turn that opened the connection: what it said is still to be read.
func (c *Conn) publishHandshake() {
	if b := c.m.takeToken(); b != nil {
		c.e.tokens.StoreToken(c.remote, b)
	}
	if isClosed(c.opened) || !c.m.Open() && !(c.server && c.m.keys != nil) {
		return
	}
	close(c.opened)
	if c.server {
		c.e.opened(c)
	}
}

// pull moves readable bytes into the buffer, up to its limit; at the end of the connection all of them, which the
// window bounds.
func (c *Conn) pull(all bool) (got bool) {
	for all || c.in.len() < recvBufferBytes {
		buf := c.e.scratch()
		n := c.m.Read(buf[:])
		if n > 0 {
			c.in.write(buf[:n])
			got = true
		}
		c.e.scratchPool.Put(buf)
		if n == 0 {
			break
		}
	}
	return got
}

// Read reads bytes in order. At the end it returns io.EOF if the peer closed without giving a reason to worry, otherwise
// why the connection ended: a *CloseError, or an error that is Timeout() when the peer was lost.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if c.readLimit.passed() {
			return 0, os.ErrDeadlineExceeded
		}
		if n, err := c.tryRead(p); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		select {
		case <-c.readable:
		case <-c.readLimit.wait():
		}
	}
}

func (c *Conn) tryRead(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		notify(c.readable) // For the next reader.
		return 0, c.endError()
	}
	if c.in.len() > 0 {
		full := c.in.len() >= recvBufferBytes
		n := c.in.read(p)
		if c.in.len() > 0 {
			notify(c.readable)
		}
		if full && c.in.len() < recvBufferBytes {
			notify(c.wake) // The loop stopped taking bytes from the machine.
		}
		return n, nil
	}
	if c.err == nil {
		return 0, nil
	}
	notify(c.readable)
	return 0, c.endError()
}

// endError is what Read and Write report when nothing more can be done. It needs the lock.
func (c *Conn) endError() error {
	switch e := c.err.(type) {
	case nil:
		return net.ErrClosed
	case *CloseError:
		if e.Remote && e.Code == CodeNone && !c.closed {
			return io.EOF
		}
	}
	return c.err
}

// Write queues p and returns when all of it is queued; it blocks while too much is waiting. That it returns does not mean
// that the peer has anything.
func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for {
		if c.writeLimit.passed() {
			return written, os.ErrDeadlineExceeded
		}
		n, err := c.tryWrite(p[written:])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
		select {
		case <-c.writable:
		case <-c.writeLimit.wait():
		}
	}
}

func (c *Conn) tryWrite(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closed {
		notify(c.writable) // For the next writer.
		err := c.endError()
		if err == io.EOF {
			err = c.err
		}
		return 0, err
	}
	n := min(len(p), sendBufferBytes-c.out.len())
	c.out.write(p[:n])
	if n > 0 {
		notify(c.wake)
	}
	if c.out.len() < sendBufferBytes {
		notify(c.writable)
	}
	return n, nil
}

// Close ends the connection in order: everything written is still delivered, in the background, for at most
// Config.Linger; then the peer's Read returns io.EOF. It returns at once, unless the connection came from the function
// Dial: then it waits, and reports if not everything was delivered.
func (c *Conn) Close() error { return c.CloseWithReason(CodeNone, "") }

// CloseWithReason is Close with a code and a text for the peer, which gets them as a *CloseError.
func (c *Conn) CloseWithReason(code uint32, text string) error {
	c.finish(code, text, false)
	if !c.owner {
		return nil
	}
	<-c.ended
	err := c.e.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == errLinger {
		return errLinger
	}
	return err
}

// Abort ends the connection at once. What the peer has not acknowledged may be lost.
func (c *Conn) Abort(code uint32, text string) { c.finish(code, text, true) }

func (c *Conn) finish(code uint32, text string, abort bool) {
	c.mu.Lock()
	if !c.closed {
		c.closed, c.closeCode, c.closeText = true, code, text
	}
	c.abort = c.abort || abort
	c.mu.Unlock()
	notify(c.wake)
	notify(c.readable)
	notify(c.writable)
}

// waitOpen returns when the handshake is over, or why there is no connection.
func (c *Conn) waitOpen(ctx context.Context) error {
	select {
	case <-c.opened:
		return nil
	case <-c.ended:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-ctx.Done():
		c.Abort(CodeNone, "")
		<-c.ended
		return ctx.Err()
	}
}

// ServerKey returns the key the server has proven to have. It is the zero key on the server's own side.
func (c *Conn) ServerKey() Key {
	if !isClosed(c.opened) {
		return Key{}
	}
	return c.m.serverKey // Does not change after opened was closed.
}

// LocalAddr returns the address the peer sends to, as far as the system tells it.
func (c *Conn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines; see net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readLimit.set(t)
	c.writeLimit.set(t)
	return nil
}

// SetReadDeadline sets when Read gives up with an error that is Timeout(). The zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error { c.readLimit.set(t); return nil }

// SetWriteDeadline is SetReadDeadline for Write.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.writeLimit.set(t); return nil }

// Stats returns the connection's figures so far; after its end, the last ones.
func (c *Conn) Stats() ConnStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Drops.add(&c.dropped)
	return s
}

// Call has the peer's listener at the address to dial back to us, from the local address of this connection; see
// Endpoint.Call.
func (c *Conn) Call(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	return c.e.call(ctx, to, c.local.Addr(), c.remote.Addr())
}

// notify leaves a token in c unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
