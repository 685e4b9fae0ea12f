package bench

import (
	"context"
	"fmt"
	"net"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
	"udpchat/reliable/message"
)

// openNative opens an idle connection of the native protocol: a guest that has joined a room.
func (d *dialler) openNative(ctx context.Context, transport, room string) (*member, error) {
	conn, err := d.dialEncrypted(ctx, transport)
	if err != nil {
		return nil, err
	}
	m := &member{conn: conn}
	if err := conn.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return m, fmt.Errorf("bench: %w", err)
	}
	if _, err := conn.Write([]byte("UC1\n")); err != nil {
		return m, fmt.Errorf("bench: greeting: %w", err)
	}
	in := message.NewReader(conn, message.Config{})
	defer in.Close()
	for i, req := range []native.Request{
		native.Hello{Version: native.Version, VersionMin: native.VersionMin}, native.Guest{Name: "idle"}, native.Join{Room: room},
	} {
		if err := ask(conn, in, uint64(i+1), req); err != nil {
			return m, fmt.Errorf("bench: %T: %w", req, err)
		}
	}
	return m, conn.SetDeadline(time.Time{})
}

// ask sends a request and waits for its answer.
func ask(conn net.Conn, in *message.Reader, id uint64, req native.Request) error {
	if _, err := conn.Write(message.Append(nil, native.AppendRequest(nil, id, req))); err != nil {
		return err
	}
	for {
		b, err := in.Next()
		if err != nil {
			return err
		}
		head, reply, err := native.DecodeReply(b)
		if err != nil {
			return err
		}
		if refused, ok := reply.(native.Error); ok {
			return refused
		}
		if head.ID == id {
			return nil
		}
	}
}

// dialEncrypted is dial with TLS over TCP.
func (d *dialler) dialEncrypted(ctx context.Context, transport string) (net.Conn, error) {
	if transport != "tcp" {
		return d.dial(ctx, transport)
	}
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	return reliable.DialTLS(ctx, d.server.String(), reliable.Config{})
}
