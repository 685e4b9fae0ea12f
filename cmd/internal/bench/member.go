package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"udpchat/chat/wire/lab"
	"udpchat/reliable"
)

// A dialler opens connections of one transport to one server.
type dialler struct {
	server netip.AddrPort

	mu        sync.Mutex
	endpoints []*reliable.Endpoint // guarded by mu; sockets shared by reliable connections
	used      int                  // guarded by mu; connections of the last endpoint
}

func newDialler(server string) (*dialler, error) {
	udp, err := resolve(server)
	if err != nil {
		return nil, err
	}
	a := udp.AddrPort()
	return &dialler{server: netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}, nil
}

// dial opens a connection over "tcp" or "udp".
func (d *dialler) dial(ctx context.Context, transport string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if transport == "tcp" {
		var nd net.Dialer
		return nd.DialContext(ctx, "tcp", d.server.String())
	}
	e, err := d.endpoint()
	if err != nil {
		return nil, err
	}
	return e.Dial(ctx, d.server)
}

func (d *dialler) endpoint() (*reliable.Endpoint, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.endpoints) == 0 || d.used == connsPerEndpoint {
		e, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		d.endpoints = append(d.endpoints, e)
		d.used = 0
	}
	d.used++
	return d.endpoints[len(d.endpoints)-1], nil
}

func (d *dialler) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for _, e := range d.endpoints {
		wg.Go(func() { _ = e.Shutdown(ctx) }) // The run is over: what could not be said does not matter.
	}
	wg.Wait()
}

// A member is one client in the room.
type member struct {
	conn   net.Conn
	in     *bufio.Reader
	name   string
	room   string // ROOM_REF
	joinID string
	stops  bool // stops reading when the crowd is told to
}

// join enters the room and reads the reply.
func join(conn net.Conn, room, name string) (*member, error) {
	m := &member{conn: conn, in: bufio.NewReaderSize(conn, 4<<10), name: name}
	if err := conn.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	req := lab.Join{Room: room, ClientIP: "0", Port: "0", Name: name}
	if _, err := conn.Write(lab.AppendJoin(nil, req, lab.Spaced)); err != nil {
		return nil, fmt.Errorf("bench: joining: %w", err)
	}
	for range 5 {
		line, err := m.in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("bench: joining: %w", err)
		}
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch key {
		case "ERROR_CODE":
			description, _ := m.in.ReadString('\n') // The code is said already.
			return nil, fmt.Errorf("bench: joining: error %s, %q", value, description)
		case "ROOM_REF":
			m.room = value
		case "JOIN_ID":
			m.joinID = value
		}
	}
	return m, conn.SetDeadline(time.Time{})
}

// marker begins the text of a measured message: marker, the planned time in ns, padding.
const marker = "MESSAGE: @"

// A heard message is one that was sent to measure, or a notice that somebody left.
type heard struct {
	planned time.Time
	left    bool
}

// say sends a message of about size bytes whose text carries its planned time.
func (m *member) say(planned time.Time, size int) error {
	text := "@" + strconv.FormatInt(planned.UnixNano(), 10) + " "
	text += strings.Repeat("x", max(0, size-len(text)))
	_, err := m.conn.Write(lab.AppendChat(nil, lab.Chat{Room: m.room, JoinID: m.joinID, Name: m.name, Text: text}))
	if err != nil {
		return fmt.Errorf("bench: sending: %w", err)
	}
	return nil
}

// next reads up to the next message that counts.
func (m *member) next() (heard, error) {
	for {
		line, err := m.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return heard{}, err
		}
		switch {
		case bytes.HasPrefix(line, []byte(marker)):
			return heard{planned: plannedTime(line[len(marker):])}, nil
		case bytes.HasPrefix(line, []byte("MESSAGE: member")) && bytes.Contains(line, []byte(" has left ")):
			return heard{left: true}, nil
		}
	}
}

// plannedTime reads the decimal number that begins b.
func plannedTime(b []byte) time.Time {
	var ns int64
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		ns = ns*10 + int64(c-'0')
	}
	return time.Unix(0, ns)
}
