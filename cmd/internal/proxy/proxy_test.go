package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	carrierfront "udpchat/chat/front/carrier"
	"udpchat/chat/server"
	"udpchat/chat/session"
	"udpchat/cmd/internal/port"
	"udpchat/reliable"
)

// An echo front-end says everything again, to the end, and then goodbye.
type echo struct{}

func (echo) Name() string             { return "echo" }
func (echo) Match([]byte) front.Match { return front.Yes }
func (echo) Serve(_ context.Context, s *session.Session, _ *chat.Hub) error {
	for b := make([]byte, 4096); ; {
		n, err := s.Read(b)
		if n > 0 {
			_ = s.Enqueue(append([]byte(nil), b[:n]...)) // The reader finds out.
		}
		if err != nil {
			_ = s.Enqueue([]byte(" goodbye"))
			return err
		}
	}
}

// A world is a server and a proxy in front of it, on loopback.
type world struct {
	*testing.T
	addr     string // of the server
	endpoint *reliable.Endpoint
	stopped  func() // ends the server
	proxy    *Proxy
	target   string
}

// serve starts a server at an address.
func (w *world) serve(addr string, targets map[string]string) {
	w.Helper()
	e, err := reliable.Listen(addr, reliable.Config{Streams: 64, StreamBacklog: 1024})
	if err != nil {
		w.Fatal(err)
	}
	fronts := []front.Front{carrierfront.New(carrierfront.Config{Targets: targets}), echo{}}
	srv := server.New(nil, server.Config{})
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = srv.Serve(context.Background(), server.Listener{Listener: e.Listener(), Transport: session.TransportUDP, Fronts: fronts})
	})
	serving.Go(func() {
		_ = srv.Serve(context.Background(), server.Listener{Listener: e.StreamListener(), Transport: session.TransportStream, Fronts: fronts})
	})
	w.addr, w.endpoint = e.Addr().String(), e
	w.stopped = sync.OnceFunc(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Shutdown(ctx)
		_ = e.Shutdown(ctx)
		serving.Wait()
	})
}

// connect returns a proxy in front of the server.
func (w *world) connect() (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	addr := w.addr // The server comes back there.
	return New(w.Context(), Config{Listener: l, Target: w.target, Dial: func(ctx context.Context) (*reliable.Conn, error) {
		return reliable.Dial(ctx, addr, reliable.Config{})
	}})
}

// patience is how long anything may take on a machine that is busy.
const patience = time.Minute

// run runs f with a server and a proxy.
func run(t *testing.T, target string, targets map[string]string, f func(w *world)) {
	ports, err := port.Free(1) // The server may come back there.
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, target: target}
	w.serve(fmt.Sprintf("127.0.0.1:%d", ports[0]), targets)
	p, err := w.connect()
	if err != nil {
		t.Fatal(err)
	}
	w.proxy = p
	ctx, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx) }()
	f(w)
	stop()
	if err := <-result; err != nil {
		t.Error(err)
	}
	w.stopped()
}

func (w *world) dial() *net.TCPConn {
	w.Helper()
	c, err := net.Dial("tcp", w.proxy.cfg.Listener.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// say has text come back.
func (w *world) say(c net.Conn, text string) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("said %q, got %q", text, got)
	}
	return nil
}

// More connections than one reliable connection has streams: all are carried, each by itself, to its end.
func TestManyConnectionsAreCarried(t *testing.T) {
	run(t, "", nil, func(w *world) {
		const clients = 2*streamsMax + 3
		var conns []*net.TCPConn
		for i := range clients {
			c := w.dial()
			if err := w.say(c, fmt.Sprint("I am ", i)); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
			conns = append(conns, c)
		}
		if n := w.endpoint.Stats().Conns; n != 3 {
			t.Errorf("%d reliable connections carry %d others, want 3", n, clients)
		}
		for i, c := range conns {
			io.WriteString(c, "end")
			c.CloseWrite()
			if got, err := io.ReadAll(c); string(got) != "end goodbye" || err != nil {
				t.Errorf("client %d: the rest is %q, %v", i, got, err)
			}
		}
		for range streamsMax { // There is room again, without another reliable connection.
			c := w.dial()
			if err := w.say(c, "again"); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		if n := w.endpoint.Stats().Conns; n != 3 {
			t.Errorf("then %d", n)
		}
	})
}

// When the server goes its connections are reset; when it is back the next one works.
func TestServerComesBack(t *testing.T) {
	run(t, "", nil, func(w *world) {
		c := w.dial()
		if err := w.say(c, "hello"); err != nil {
			t.Fatal(err)
		}
		w.stopped()
		if b, err := io.ReadAll(c); err == nil && string(b) != " goodbye" {
			t.Errorf("the connection ended in order, with %q", b)
		}
		w.serve(w.addr, nil)
		err := w.say(w.dial(), "hello again")
		for deadline := time.Now().Add(patience); err != nil; err = w.say(w.dial(), "hello again") { // Until the proxy has heard.
			if time.Now().After(deadline) {
				t.Fatalf("after the server came back: %v", err)
			}
			time.Sleep(10 * time.Millisecond) // Another goroutine's doing: there is nothing to wait on.
		}
	})
}

// A target beside the server is reached as if it were here.
func TestTarget(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() {
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	run(t, "web", map[string]string{"web": target.Addr().String()}, func(w *world) {
		c := w.dial()
		if err := w.say(c, "hello"); err != nil {
			t.Fatal(err)
		}
		c.CloseWrite()
		if rest, err := io.ReadAll(c); len(rest) != 0 || err != nil {
			t.Errorf("the rest is %q, %v", rest, err)
		}
		target.Close()
		if err := w.say(w.dial(), "hello"); err == nil {
			t.Error("a target that is gone answered")
		}
	})
}

func TestServersThatDoNotCarry(t *testing.T) {
	w := &world{T: t, target: "web"}
	w.serve("127.0.0.1:0", nil)
	_, err := w.connect()
	if e, ok := errors.AsType[*RefusedError](err); !ok || e.Text != "this server has no target web" {
		t.Errorf("no such target: got %v", err)
	}
	w.stopped()

	foreign, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	go func() {
		for {
			c, err := foreign.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "ERROR_CODE: 2\nERROR_DESCRIPTION: unknown message\n")
		}
	}()
	w.addr = foreign.Addr().String()
	if _, err := w.connect(); !errors.Is(err, ErrForeign) {
		t.Errorf("another program: got %v", err)
	}
}
