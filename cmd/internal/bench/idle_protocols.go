package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"udpchat/chat/wire/hashchat"
	"udpchat/chat/wire/im"
	"udpchat/chat/wire/jsonchat"
	"udpchat/chat/wire/relay"
)

// IdleProtocols are the protocols of which idle connections can be measured.
var IdleProtocols = []string{"lab", "native", "relay", "hashchat", "im", "jsonchat"}

// A greeting is what the client of a protocol says to be there, and what the server's answer ends with.
type greeting struct {
	say []byte
	end []byte
}

// greetingOf returns the greeting of the i-th client. All of a protocol are in one room, if it has any.
func greetingOf(protocol string, i int) (greeting, error) {
	name := fmt.Sprintf("idle%d", i)
	switch protocol {
	case "relay":
		say := relay.AppendRequest(nil, relay.Register{Role: relay.ToSend, Name: name}, relay.Form{})
		say = relay.AppendRequest(say, relay.Register{Role: relay.ToRecv, Name: name}, relay.Form{})
		return greeting{say, relay.AppendReply(nil, relay.Registered{Role: relay.ToRecv, Name: name}, relay.Form{})}, nil
	case "hashchat":
		return greeting{hashchat.AppendConnect(nil, hashchat.Connect{Name: name}), []byte{'\n'}}, nil
	case "im":
		say := im.AppendRequest(nil, im.Register{User: name, Password: "correct horse battery"})
		return greeting{say, []byte("[200] None")}, nil
	case "jsonchat":
		text := jsonchat.AppendRequest(nil, jsonchat.State{}, 0)
		return greeting{append(jsonchat.AppendFrame(nil, jsonchat.Long, text, 0), text...), []byte("not logged in\",\"body\":null}")}, nil
	}
	return greeting{}, fmt.Errorf("bench: no such protocol: %q", protocol)
}

// openOther opens an idle connection of one of the protocols without rooms. What the server says later is read and
// thrown away until the connection is closed.
func (c *crowd) openOther(ctx context.Context, cfg IdleConfig, i int) (*member, error) {
	g, err := greetingOf(cfg.Protocol, i)
	if err != nil {
		return nil, err
	}
	conn, err := c.dial.dial(ctx, cfg.Transport)
	if err != nil {
		return nil, err
	}
	m := &member{conn: conn}
	if err := conn.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return m, fmt.Errorf("bench: %w", err)
	}
	if _, err := conn.Write(g.say); err != nil {
		return m, fmt.Errorf("bench: greeting: %w", err)
	}
	var got []byte
	for buf := make([]byte, 512); !bytes.Contains(got, g.end); {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			return m, fmt.Errorf("bench: %s was answered %.100q: %w", cfg.Protocol, got, err)
		}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return m, fmt.Errorf("bench: %w", err)
	}
	// Ends when the crowd closes its connections, which waits for it.
	c.readers.Go(func() {
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.EOF) && !c.over.Load() {
			c.lost.Add(1)
		}
	})
	return m, nil
}
