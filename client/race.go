package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"udpchat/reliable"
)

// Transports.
const (
	UDP = "udp" // Reliable UDP.
	TCP = "tcp" // TLS over TCP.
)

// A dialFunc opens a connection over one of the transports.
type dialFunc func(ctx context.Context, transport string) (Conn, error)

// race dials over the first transport, over the next one when headStart has passed or the first has failed, and returns
// the connection that is there first. The others are given up. A server with the wrong key ends the race: it will not
// have another one over another transport, and must not be passed over in silence.
func race(ctx context.Context, order []string, headStart time.Duration, dial dialFunc) (Conn, string, error) {
	type result struct {
		conn      Conn
		transport string
		err       error
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result, len(order))
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	var runners sync.WaitGroup
	running := 0
	launch := func() {
		if len(order) == 0 {
			return
		}
		transport := order[0]
		order, running = order[1:], running+1
		timer.Reset(headStart)
		// Owns one attempt; ends with it, or soon after cancel.
		runners.Go(func() {
			conn, err := dial(ctx, transport)
			results <- result{conn, transport, err}
		})
	}
	var won result
	var errs []error
	for launch(); running > 0 && won.conn == nil; {
		select {
		case won = <-results:
			running--
			if won.err == nil {
				break
			}
			if errs = append(errs, won.err); final(won.err) {
				order, running = nil, 0
			} else if running == 0 {
				launch()
			}
		case <-timer.C:
			launch()
		}
	}
	cancel()
	runners.Wait()
	close(results)
	for late := range results { // One that was as quick, but not quick enough.
		if late.conn != nil {
			late.conn.Drop()
		}
	}
	if won.conn == nil {
		return nil, "", errors.Join(errs...)
	}
	return won.conn, won.transport, nil
}

// final reports whether an error of one transport answers for all.
func final(err error) bool {
	_, wrongKey := errors.AsType[*reliable.KeyError](err)
	_, refused := errors.AsType[*UntrustedError](err)
	return wrongKey || refused
}

// An order remembers which transport reached the server.
type order struct {
	tcpUntil time.Time // TCP goes first until then; zero: it does not.
}

// next returns the transports in the order they are tried. only, if not empty, is the one allowed.
func (o *order) next(now time.Time, only string) []string {
	switch {
	case only != "":
		return []string{only}
	case now.Before(o.tcpUntil):
		return []string{TCP, UDP}
	}
	return []string{UDP, TCP}
}

// won notes which one reached the server.
func (o *order) won(now time.Time, transport string) {
	o.tcpUntil = time.Time{}
	if transport == TCP {
		o.tcpUntil = now.Add(memoryOfTCP)
	}
}
