package stage

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"udpchat/chat/session"
)

// callPanics is in the place of a connection's name where a call panics.
const callPanics = "\x00panic"

// Listen has a client expect calls at addr; the connection that each of them then makes is called name.
func (w *World) Listen(addr, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listening[netip.MustParseAddrPort(addr)] = name
}

// PanicAt has every call to addr panic, as a mistake in a transport might.
func (w *World) PanicAt(addr string) { w.Listen(addr, callPanics) }

// Calls returns whom front-ends have called so far, in that order.
func (w *World) Calls() []netip.AddrPort {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// sessionConfig is what the transport's sessions are made with. Those of UDP can call back.
func (w *World) sessionConfig(c *Conn, transport string) session.Config {
	cfg := session.Config{Transport: transport}
	if transport == session.TransportUDP || transport == session.TransportPlain {
		cfg.Call = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			return w.call(ctx, c, transport, addr)
		}
	}
	return cfg
}

// call is what the transports do for session.Call: over udp whoever listens at addr dials back, else nobody answers;
// plain datagrams can be sent to any port of the same host.
func (w *World) call(ctx context.Context, from *Conn, transport string, addr netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	w.calls = append(w.calls, addr)
	name, ok := w.listening[addr]
	w.mu.Unlock()
	switch {
	case name == callPanics:
		panic("test: call")
	case transport == session.TransportPlain && addr.Addr() != from.remote.Addr():
		return nil, errors.New("not the peer's host")
	case !ok && transport == session.TransportUDP:
		<-ctx.Done()
		return nil, ctx.Err()
	case !ok:
		name = addr.String()
	}
	return w.add(name, transport, addr.String()).server(), nil
}

// add makes the connection called name from remote.
func (w *World) add(name, transport, remote string) *Conn {
	c := newConn(name, remote, transport == session.TransportPlain)
	c.stream = transport == session.TransportStream
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c
}

// server returns c as the server has it.
func (c *Conn) server() net.Conn {
	switch {
	case c.datagrams:
		return plainConn{c}
	case c.stream:
		return streamConn{c}
	}
	return c
}
