package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"udpchat/chat/wire/carrier"
	"udpchat/reliable"
)

// A conveyor is a reliable connection whose streams carry TCP connections.
type conveyor struct {
	conn *reliable.Conn
	used int // guarded by Proxy.mu; streams
}

// connect makes a reliable connection and agrees with the server on what it is for.
func connect(ctx context.Context, cfg Config) (*conveyor, error) {
	conn, err := cfg.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := agree(conn, cfg.Target); err != nil {
		conn.Abort(reliable.CodeNone, "")
		_ = conn.Close() // For its socket.
		return nil, err
	}
	return &conveyor{conn: conn}, nil
}

// agree tells the server what comes.
func agree(conn *reliable.Conn, target string) error {
	_ = conn.SetDeadline(time.Now().Add(answerTimeout)) // It has no errors.
	if _, err := conn.Write(carrier.Request{Target: target}.Append(nil)); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	if err := readAnswer(conn); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// wait returns when the connection has ended, and why.
func (c *conveyor) wait() error {
	n, err := c.conn.Read(make([]byte, 1))
	if n > 0 {
		err = ErrForeign
		c.conn.Abort(reliable.CodeProtocol, "nothing more was to be said here")
	}
	return err
}

// open begins a stream.
func (c *conveyor) open(target string) (net.Conn, error) {
	s, err := c.conn.OpenStream(reliable.Express)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if target == "" {
		return s, nil
	}
	if _, err := s.Write(carrier.Request{Connect: true, Target: target}.Append(nil)); err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return &joined{Stream: s}, nil
}

// A joined is a stream to a target, whose answer comes before everything else. What the client says need not wait for it.
type joined struct {
	*reliable.Stream
	answered bool // owned by the reader
}

// Read reads what comes after the answer.
func (j *joined) Read(p []byte) (int, error) {
	if !j.answered {
		if err := readAnswer(j.Stream); err != nil {
			return 0, err
		}
		j.answered = true
	}
	return j.Stream.Read(p)
}

// readAnswer reads the server's answer and nothing behind it.
func readAnswer(r io.Reader) error {
	var b []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, one); err != nil {
			return fmt.Errorf("proxy: no answer: %w", err)
		}
		b = append(b, one[0])
		switch a, n, err := carrier.ParseAnswer(b); {
		case err != nil:
			return ErrForeign
		case n > 0 && !a.OK:
			return &RefusedError{a.Text}
		case n > 0:
			return nil
		}
	}
}
