package reliable

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"udpchat/reliable/internal/wire"
)

// A server must not send to an address that a stranger named: a call is at most three small packets that ask whoever
// listens there to dial back. The dialled connection proves the address, like any other (SPEC.md 4.9).

// broadcast reaches everybody on the local network, and sockets may send to it.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// An outgoingCall waits for the hello that answers it, or for the connection that comes of a meeting.
type outgoingCall struct {
	to     netip.AddrPort  // not of a meeting, whose peer may be anywhere
	asker  netip.Addr      // zero: nobody in particular
	verify func(Key) error // what is wrong with the key of who answers; nil: it need not prove any
	meet   bool            // it is a meeting
	hellos int             // guarded by Endpoint.mu; of a meeting: connections begun
	result chan *Conn      // holds one

	mu   sync.Mutex
	over bool // guarded by mu; nobody waits any more
}

// answer gives the connection to who called; one that comes too late, or second, is not wanted.
func (c *outgoingCall) answer(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		select {
		case c.result <- conn:
			return
		default:
		}
	}
	conn.Abort(CodeNoCall, "the call is over")
}

// giveUp makes every answer come too late, also one that is on its way to us from the reader.
func (c *outgoingCall) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	select {
	case conn := <-c.result:
		conn.Abort(CodeNoCall, "the call was given up")
	default:
	}
}

// Call has the endpoint at the address to dial back to us, and returns that connection. It gives up when ctx is done or
// after Config.HandshakeTimeout.
func (e *Endpoint) Call(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	return e.call(ctx, to, netip.Addr{}, netip.Addr{})
}

// call is Call from one of our addresses, and for the host that asked for it; the zero values mean any and nobody.
func (e *Endpoint) call(ctx context.Context, to netip.AddrPort, local, asker netip.Addr) (*Conn, error) {
	to = unmap(to)
	if !to.IsValid() || to.Port() == 0 || to.Addr().IsUnspecified() || to.Addr().IsMulticast() || to.Addr() == broadcast {
		return nil, fmt.Errorf("reliable: cannot call %v", to)
	}
	var b [8]byte
	if _, err := io.ReadFull(e.cfg.Random, b[:]); err != nil {
		return nil, fmt.Errorf("reliable: drawing a nonce: %w", err)
	}
	nonce := wire.CallNonce(binary.BigEndian.Uint64(b[:]) | 1) // Never 0.
	call := &outgoingCall{to: to, asker: asker, result: make(chan *Conn, 1)}
	if err := e.addCall(nonce, call); err != nil {
		return nil, fmt.Errorf("reliable: calling %v: %w", to, err)
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.HandshakeTimeout)
	defer cancel()
	conn, err := e.ring(ctx, nonce, call, Path{Remote: to, Local: local})
	e.mu.Lock()
	delete(e.calls, nonce)
	e.mu.Unlock()
	if err != nil {
		call.giveUp()
		return nil, fmt.Errorf("reliable: calling %v: %w", to, err)
	}
	return conn, nil
}

func (e *Endpoint) addCall(nonce wire.CallNonce, call *outgoingCall) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return net.ErrClosed
	case len(e.calls) >= callsMax || e.callsLikeLocked(call) >= callsPerHostMax:
		return errTooManyOut
	}
	e.calls[nonce] = call
	return nil
}

// callsLikeLocked returns how many calls go to the same host or were asked for by the same host, whichever are more.
// Hosts can have any number of ports, so ports do not count. This machine is not counted: it needs no protection
// from itself, and tests have many clients on it.
func (e *Endpoint) callsLikeLocked(call *outgoingCall) int {
	to, from := 0, 0
	for _, c := range e.calls {
		if c.to.Addr() == call.to.Addr() && !call.to.Addr().IsLoopback() {
			to++
		}
		if call.asker.IsValid() && c.asker == call.asker && !call.asker.IsLoopback() {
			from++
		}
	}
	return max(to, from)
}

// ring sends the CALL packets and waits for the answer.
func (e *Endpoint) ring(ctx context.Context, nonce wire.CallNonce, call *outgoingCall, path Path) (*Conn, error) {
	packet := wire.AppendCall(nil, nonce)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent := 0; ; {
		select {
		case conn := <-call.result:
			return conn, nil
		case <-timer.C:
			e.count(func(s *EndpointStats) { s.CallsSent++ })
			if err := e.sock.write(Datagram{Path: path, Bytes: packet}); err != nil {
				return nil, err
			}
			if sent < len(callGaps) {
				timer.Reset(callGaps[sent])
				sent++
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-e.closing:
			return nil, net.ErrClosed
		}
	}
}

// AwaitCall waits for a CALL packet from the server at the address from and dials back, from this endpoint's socket.
// Only one may wait for the same server. It gives up when ctx is done.
func (e *Endpoint) AwaitCall(ctx context.Context, from netip.AddrPort) (*Conn, error) {
	from = unmap(from)
	calls := make(chan wire.CallNonce, callQueue)
	e.mu.Lock()
	taken := e.awaited[from] != nil
	if !taken {
		e.awaited[from] = calls
	}
	e.mu.Unlock()
	if taken {
		return nil, fmt.Errorf("%w: %v", errCallOpen, from)
	}
	defer func() {
		e.mu.Lock()
		delete(e.awaited, from)
		e.mu.Unlock()
	}()
	var last wire.CallNonce
	for {
		select {
		case nonce := <-calls:
			if nonce == last {
				continue // A repetition of one that we answered in vain.
			}
			last = nonce
			conn, err := e.dial(ctx, from, nonce)
			if _, refused := errors.AsType[*RefusedError](err); refused {
				continue // An old or forged call; the real one may still come.
			}
			return conn, err
		case <-ctx.Done():
			return nil, fmt.Errorf("reliable: awaiting a call from %v: %w", from, ctx.Err())
		case <-e.closing:
			return nil, fmt.Errorf("reliable: awaiting a call from %v: %w", from, net.ErrClosed)
		}
	}
}
