package front

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"udpchat/chat/session"
)

// A Decoder is what a Loop needs to know of a text protocol's decoder: it cuts a stream into messages, some of which
// may lack their end.
type Decoder interface {
	// Feed adds bytes of the stream. It copies them.
	Feed(b []byte)
	// Pending reports whether silence may end what is held.
	Pending() bool
	// Flush declares that what is pending is at its end.
	Flush()
}

// A Loop reads a session for a front-end, on the goroutine of its Serve. All fields but Ended must be set; they are
// constant while it runs.
type Loop struct {
	Session *session.Session
	Decoder Decoder

	// Take carries out all messages that the decoder has whole. An error ends the session.
	Take func(ctx context.Context) error

	// Ended returns why the session is to end although its connection lives, or nil. Whoever changes its answer calls
	// Wake. nil: there is no such reason.
	Ended func() error

	// IdleFlush is the silence after which what is pending is at its end; so is the end of the stream. 0: nothing ends
	// but by its proper end, because on reliable streams a pause may be a lost packet.
	IdleFlush time.Duration

	buf      []byte
	deadline bool // A read deadline is set.
}

// Run reads until the session or ctx ends, and returns why, never nil. Very many idle sessions wait in it for something
// to read: what else there is to do is done in functions of its own, so that it does not add to their stacks.
func (l *Loop) Run(ctx context.Context) error {
	l.buf = make([]byte, readBytes)
	stop := context.AfterFunc(ctx, l.Wake)
	defer stop()
	for {
		if err := l.ready(ctx); err != nil {
			return err
		}
		n, err := l.Session.Read(l.buf)
		if err := l.took(ctx, n, err); err != nil {
			return err
		}
	}
}

// Wake has Run look at Ended. It may be called anywhere.
func (l *Loop) Wake() {
	_ = l.Session.SetReadDeadline(time.Unix(1, 0)) // An error says that the session has ended: it is awake.
}

// ready prepares for what comes next. It returns an error when the session is to end.
//
//go:noinline
func (l *Loop) ready(ctx context.Context) error {
	if pending := l.IdleFlush > 0 && l.Decoder.Pending(); pending || l.deadline {
		var at time.Time
		if pending {
			at = time.Now().Add(l.IdleFlush)
		}
		l.deadline = pending
		_ = l.Session.SetReadDeadline(at) // If it fails the connection has ended; Read knows better why.
	}
	return l.Stopped(ctx) // After the deadline, which may have undone a Wake.
}

// took takes what came, which may be silence. It returns an error when the session is to end.
//
//go:noinline
func (l *Loop) took(ctx context.Context, n int, readErr error) error {
	l.Decoder.Feed(l.buf[:n])
	if err := l.Take(ctx); err != nil {
		return err
	}
	if err := l.Stopped(ctx); err != nil {
		return err
	}
	silent := timedOut(readErr)
	if l.IdleFlush > 0 && (silent || errors.Is(readErr, io.EOF)) && l.Decoder.Pending() {
		l.Decoder.Flush()
		if err := l.Take(ctx); err != nil {
			return err
		}
	}
	if silent {
		l.deadline = true // Also if it was a Wake that came to nothing.
		return nil
	}
	return readErr
}

// Stopped returns why Run is about to return although the connection lives, or nil.
func (l *Loop) Stopped(ctx context.Context) error {
	if l.Ended != nil {
		if err := l.Ended(); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Await waits until b lets one more request through, at rate and burst, or until the session or ctx ends. A front-end that
// reads no faster than a rate waits like this.
func (l *Loop) Await(ctx context.Context, b *Bucket, rate float64, burst int) error {
	for {
		d := b.Delay(time.Now(), rate, burst)
		if d == 0 {
			return nil
		}
		if err := l.pause(ctx, d); err != nil {
			return err
		}
	}
}

// pause waits for d, or until the session or ctx ends.
func (l *Loop) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.Session.Done():
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Quiet returns d on transports where silence may end a message, and 0 on reliable streams over UDP.
func Quiet(s *session.Session, d time.Duration) time.Duration {
	switch s.Transport() {
	case session.TransportUDP, session.TransportStream:
		return 0
	}
	return d
}
