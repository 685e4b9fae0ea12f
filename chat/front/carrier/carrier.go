// Package carrier serves programs that carry other programs' connections here over a reliable one, as 'udpchat proxy'
// does. What they carry comes on streams, which are sessions of their own: mostly of the chat protocols, which are then
// no business of this front-end. It keeps the connection those streams belong to, and joins streams to other local TCP
// services, targets, that the operator has named.
//
// Targets are for reliable connections only. Who may reach the server may reach them: the operator's list is the only
// permission there is.
package carrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/session"
	"udpchat/chat/wire/carrier"
	"udpchat/reliable/splice"
)

// Config says what may be carried.
type Config struct {
	// Targets are the addresses (HOST:PORT) of the local TCP services that streams may be joined to, by name; names must be
	// valid (carrier.ValidName of the wire package). Nil: none.
	Targets map[string]string

	// Logger gets a line when a target cannot be reached. Nil discards.
	Logger *slog.Logger
}

// A Front is the front-end. It is safe for concurrent use.
type Front struct {
	cfg    Config
	joined atomic.Int64 // streams that are joined, or about to be
}

// New returns the front-end.
func New(cfg Config) *Front {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Front{cfg: cfg}
}

var _ front.Front = (*Front)(nil)

// Name returns "carrier".
func (*Front) Name() string { return "carrier" }

// Match recognises the first word.
func (*Front) Match(prefix []byte) front.Match { return front.MatchWords(prefix, carrier.Prefix) }

// Serve keeps the session or joins it to its target.
func (f *Front) Serve(ctx context.Context, s *session.Session, _ *chat.Hub) error {
	stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	r, err := readRequest(s)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if err := f.check(s, r); err != nil {
		return errors.Join(err, s.Enqueue(carrier.Answer{Text: err.Error()}.Append(nil)))
	}
	if r.Connect {
		err = f.join(ctx, s, r.Target)
	} else {
		err = hold(s)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// readRequest reads the line and gives back what came with it.
func readRequest(s *session.Session) (r carrier.Request, err error) {
	_ = s.SetReadDeadline(time.Now().Add(requestTimeout)) // Where it fails the session has ended, and Read says why.
	b := make([]byte, 0, carrier.LineBytesMax)
	for {
		n, err := s.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		r, used, bad := carrier.ParseRequest(b)
		switch {
		case bad != nil:
			return r, bad
		case used > 0:
			s.Unread(b[used:])
			return r, s.SetReadDeadline(time.Time{})
		case err != nil:
			return r, err
		}
	}
}

// check says why a request is not granted.
func (f *Front) check(s *session.Session, r carrier.Request) error {
	if t := s.Transport(); t != session.TransportUDP && t != session.TransportStream {
		return fmt.Errorf("connections are carried over reliable UDP only, not over %s", t)
	}
	if _, ok := f.cfg.Targets[r.Target]; r.Target != "" && !ok {
		return fmt.Errorf("this server has no target %s", r.Target)
	}
	return nil
}

// hold keeps a session on which nothing more is said but pings.
func hold(s *session.Session) error {
	if err := s.Enqueue(carrier.Answer{OK: true}.Append(nil)); err != nil {
		return err
	}
	for b := make([]byte, 1); ; {
		n, err := s.Read(b)
		if string(b[:n]) != carrier.Ping[:n] {
			return errNotSilent
		}
		if err != nil {
			return err
		}
	}
}

// join joins the session to its target and returns when one of them has ended, or both.
func (f *Front) join(ctx context.Context, s *session.Session, target string) error {
	defer f.joined.Add(-1)
	if f.joined.Add(1) > joinedMax {
		return errors.Join(errFull, s.Enqueue(carrier.Answer{Text: errFull.Error()}.Append(nil)))
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", f.cfg.Targets[target])
	if err != nil {
		f.cfg.Logger.Warn("target not reached", "target", target, "err", err)
		// Where it is does not concern the peer.
		return errors.Join(err, s.Enqueue(carrier.Answer{Text: "the target " + target + " does not answer"}.Append(nil)))
	}
	err = s.Direct(func(peer net.Conn) error {
		past := time.Unix(1, 0)
		stop := context.AfterFunc(ctx, func() { _, _ = peer.SetDeadline(past), conn.SetDeadline(past) }) // Both end in any case.
		defer stop()
		if _, err := peer.Write(carrier.Answer{OK: true}.Append(nil)); err != nil {
			return errors.Join(err, conn.Close())
		}
		return splice.Join(peer, conn)
	})
	if err == nil {
		err = io.EOF
	}
	return err
}

// errNotSilent and errFull end sessions.
var (
	errNotSilent = errors.New("carrier: the peer says more on a connection it only holds")
	errFull      = errors.New("too many connections to targets")
)
