// Package splice joins two connections, so that what one peer says the other hears, as if there were nothing in between:
// each direction ends by itself, and what breaks on one side breaks on the other.
//
//	err := splice.Join(tcp, stream)
//
// It knows the connections of package net, those below others (NetConn) and streams that can be aborted. It keeps 16 KiB
// for each direction while it runs and starts one goroutine.
package splice

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// copyBytes is how much is on its way between the two connections in each direction: several messages, little to hold.
const copyBytes = 16 << 10

// abortCode is what the peer of an aborted stream is told: nothing in particular.
const abortCode = 0

// Join copies between a and b in both directions until both have ended, and closes both. The end of what a says is passed
// on to b while b goes on, and the other way round, if the connections can do so. When either fails both are broken off,
// and Join returns why; it returns nil when both have ended in order. A deadline in the past on either ends it.
func Join(a, b net.Conn) error {
	var (
		once   sync.Once
		reason error
		back   sync.WaitGroup
	)
	fail := func(err error) {
		once.Do(func() {
			reason = err
			Abort(a)
			Abort(b)
		})
	}
	run := func(to, from net.Conn) {
		if err := carry(to, from); err != nil {
			fail(err)
		}
	}
	back.Go(func() { run(a, b) }) // Owns one direction; awaited below. It ends with the connections at the latest.
	run(b, a)
	back.Wait()
	if reason != nil {
		return fmt.Errorf("splice: %w", reason)
	}
	return ignoreClosed(errors.Join(a.Close(), b.Close()))
}

// carry copies one direction and passes its end on.
func carry(to, from net.Conn) error {
	buf := make([]byte, copyBytes)
	// Without the shortcuts of package net, which are for pairs of sockets.
	if _, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buf); err != nil {
		return err
	}
	return ignoreClosed(closeWrite(to))
}

// closeWrite says on a connection that can that we have said everything.
func closeWrite(conn net.Conn) error {
	for {
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			return half.CloseWrite()
		}
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil // The peer finds out when both have ended.
		}
		conn = outer.NetConn()
	}
}

// Abort closes a connection so that its peer notices that this was no ordinary end.
func Abort(conn net.Conn) {
	inner := conn
	for {
		outer, ok := inner.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		inner = outer.NetConn()
	}
	switch c := inner.(type) {
	case interface{ Abort(code uint32) }:
		c.Abort(abortCode)
	case interface{ SetLinger(sec int) error }:
		_ = c.SetLinger(0) // It is closed in any case.
	}
	_ = conn.Close() // Nobody can do anything about an error.
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
