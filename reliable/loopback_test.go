package reliable

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"
)

// pair returns two connected ends over real sockets on loopback.
func pair(t *testing.T) (client, server *Conn) {
	t.Helper()
	e, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	client, err = Dial(t.Context(), e.Addr().String(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Abort(0, ""); client.Close() })
	c, err := e.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, c.(*Conn)
}

// here returns those of the loopback addresses that this machine has: the first, and not always IPv6.
func here(t *testing.T, hosts ...string) (have []string) {
	t.Helper()
	for i, host := range hosts {
		pc, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		switch {
		case err == nil:
			pc.Close()
			have = append(have, host)
		case i == 0:
			t.Fatal(err)
		default:
			t.Logf("without %s: %v", host, err)
		}
	}
	return have
}

// patience is how long what must happen on real sockets may take, on whatever machine.
const patience = time.Minute

// Real sockets send large datagrams whole, where the system can.
func TestLoopbackFindsLargeDatagrams(t *testing.T) {
	client, server := pair(t)
	want := client.e.cfg.MTUMax
	for start := time.Now(); client.Stats().MTU != want && time.Since(start) < patience; {
		var wg sync.WaitGroup
		wg.Go(func() { client.Write(make([]byte, 1<<20)) })
		if _, err := io.ReadFull(server, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
	}
	if got := client.Stats().MTU; got != want {
		t.Errorf("datagrams of %d bytes, want %d", got, want)
	}
}

// Real sockets carry marks, where the system tells them.
func TestLoopbackBearsMarks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("marks are read and written on Linux alone")
	}
	client, server := pair(t)
	// A machine that stands still for long begins to doubt, and tries anew.
	good := func() bool { return client.Stats().Marks && server.Stats().Marks }
	for n, start := 0, time.Now(); n < 50 || !good() && time.Since(start) < patience; n++ {
		for _, dir := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
			dir.from.Write([]byte("hello"))
			if _, err := io.ReadFull(dir.to, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]*Conn{"client": client, "server": server} {
		if s := c.Stats(); !s.Marks || s.MarkedSent == 0 || s.MarksFailed != 0 {
			t.Errorf("%s: %d marked packets, known to arrive: %v, failed %d times", name, s.MarkedSent, s.Marks, s.MarksFailed)
		}
	}
}

func TestLoopbackBothWays(t *testing.T) {
	client, server := pair(t)
	const size = 4 << 20
	var wg sync.WaitGroup
	for _, dir := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
		data := make([]byte, size)
		rand.Read(data)
		wg.Go(func() {
			if _, err := dir.from.Write(data); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			got := make([]byte, size)
			if _, err := io.ReadFull(dir.to, got); err != nil {
				t.Error(err)
			} else if !bytes.Equal(got, data) {
				t.Error("other bytes came out than went in")
			}
		})
	}
	wg.Wait()
	t.Logf("client %+v", client.Stats())
}

func TestLoopbackCloseDeliversWhatWasWritten(t *testing.T) {
	client, server := pair(t)
	go func() {
		client.Write([]byte("last words"))
		client.Close()
	}()
	got, err := io.ReadAll(server)
	if err != nil || string(got) != "last words" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v, want net.ErrClosed", err)
	}
}

func TestWildcardSocketKnowsWhichAddressWasMeant(t *testing.T) {
	texts := make(chan netip.AddrPort, 1)
	e, err := Listen(":0", Config{Plain: func(_ []byte, _, local netip.AddrPort) { texts <- local }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	port := e.sock.local().Port()
	for _, host := range here(t, "127.0.0.1", "127.0.0.7", "::1") {
		to := netip.AddrPortFrom(netip.MustParseAddr(host), port)
		c, err := Dial(t.Context(), to.String(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.LocalAddr().String(); got != to.String() {
			t.Errorf("local address %s, want %s", got, to)
		}
		if got := c.RemoteAddr().String(); got != to.String() {
			t.Errorf("remote address %s, want %s", got, to)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		u, err := net.Dial("udp", to.String())
		if err != nil {
			t.Fatal(err)
		}
		u.Write([]byte("HELO"))
		if got := <-texts; got != to {
			t.Errorf("plain text to %s seemed to go to %s", to, got)
		}
		u.Close()
	}
}

func TestCallOverLoopback(t *testing.T) {
	server, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	listener, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	awaited := make(chan *Conn, 1)
	go func() {
		c, err := listener.AwaitCall(ctx, server.sock.local())
		if err != nil {
			t.Error(err)
		}
		awaited <- c
	}()
	called, err := server.Call(ctx, listener.sock.local())
	if err != nil {
		t.Fatal(err)
	}
	called.Write([]byte("it is me"))
	c := <-awaited
	got := make([]byte, 8)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "it is me" {
		t.Fatalf("got %q, %v", got, err)
	}
	if c.LocalAddr().String() != listener.Addr().String() {
		t.Errorf("dialled back from %v, want %v", c.LocalAddr(), listener.Addr())
	}
}
