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
// the connection that is there first. The others are given up. One that fails is tried again, every raceAgain, until all
// have failed, but not if the server is there and turns us away. A server with the wrong key ends the race: it will not have
// another one over another transport, and must not be passed over in silence.
func race(ctx context.Context, order []string, headStart time.Duration, dial dialFunc) (Conn, string, error) {
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result)
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	var runners sync.WaitGroup
	launched := 0
	launch := func() {
		if launched == len(order) {
			return
		}
		transport := order[launched]
		launched++
		timer.Reset(headStart)
		runners.Go(func() { run(ctx, transport, dial, results) }) // Owns one transport; ends with its success or a refusal, or soon after cancel.
	}
	failed := make(map[string]error)
	var won result
	over := false
	for launch(); won.conn == nil && !over; {
		select {
		case r := <-results:
			if r.err == nil {
				won = r
				break
			}
			failed[r.transport] = r.err
			over = final(r.err) || len(failed) == len(order)
			if !over && len(failed) == launched {
				launch()
			}
		case <-timer.C:
			launch()
		}
	}
	cancel()
	go func() { runners.Wait(); close(results) }() // Ends when they have heard of it.
	for late := range results {
		if late.conn != nil {
			late.conn.Drop() // It was as quick, but not quick enough.
		}
	}
	if won.conn != nil {
		return won.conn, won.transport, nil
	}
	var errs []error
	for _, transport := range order {
		errs = append(errs, failed[transport]) // Nil if it was not tried.
	}
	return nil, "", errors.Join(errs...)
}

// A result is what came of one attempt.
type result struct {
	conn      Conn
	transport string
	err       error
}

// run dials over one transport until it succeeds, we are turned away or ctx is done, and tells what came of each attempt.
func run(ctx context.Context, transport string, dial dialFunc, results chan<- result) {
	for {
		conn, err := dial(ctx, transport)
		results <- result{conn, transport, err}
		if err == nil || turnedAway(err) {
			return
		}
		pause := time.NewTimer(raceAgain)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
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
