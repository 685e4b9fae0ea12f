package netem

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// echoServer answers every datagram with its sender's address and the datagram, until the test ends.
func echoServer(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(append([]byte(from.String()+" "), b[:n]...), from) // Loss is part of the test.
		}
	})
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// startProxy runs a proxy in front of to until the test ends, or stop is called.
func startProxy(t *testing.T, cfg ProxyConfig, to netip.AddrPort) (p *Proxy, stop func()) {
	t.Helper()
	cfg.Listen, cfg.To = "127.0.0.1:0", to.String()
	p, err := NewProxy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = func() {
		cancel()
		wg.Wait()
	}
	t.Cleanup(stop)
	return p, stop
}

func dialProxy(t *testing.T, p *Proxy) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// patience is how long what must happen may take, on whatever machine.
const patience = time.Minute

// ask sends what and returns the answer, "" if none comes.
func ask(t *testing.T, conn *net.UDPConn, what []byte, wait time.Duration) string {
	t.Helper()
	if _, err := conn.Write(what); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	conn.SetReadDeadline(time.Now().Add(wait))
	n, err := conn.Read(b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// eventually waits for something the kernel brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestProxyForwardsUnchangedAndKeepsClientsApart(t *testing.T) {
	p, _ := startProxy(t, ProxyConfig{Seed: 1}, echoServer(t))
	sources := make(map[string]bool)
	for range 3 {
		conn := dialProxy(t, p)
		for _, size := range []int{0, 1, 1200, 20_000} {
			sent := bytes.Repeat([]byte{0x80, 0xff, 0}, size/3+1)[:size]
			source, got, _ := strings.Cut(ask(t, conn, sent, patience), " ")
			if got != string(sent) {
				t.Errorf("%d bytes came back as %d bytes", size, len(got))
			}
			sources[source] = true
		}
	}
	if len(sources) != 3 {
		t.Errorf("the server saw %v, want three sources", sources)
	}
	s := p.Stats()
	if s.ClientsNow != 3 || s.ClientsSeen != 3 || s.Up.Delivered != 12 || s.Down.Delivered != 12 || s.Up.Dropped() != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestProxyDelaysByTheRealClock(t *testing.T) {
	p, _ := startProxy(t, ProxyConfig{Profile: both("", "", Params{Delay: 30 * time.Millisecond})}, echoServer(t))
	conn := dialProxy(t, p)
	start := time.Now()
	if ask(t, conn, []byte("x"), patience) == "" {
		t.Fatal("no answer")
	}
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("a round trip took %v, want at least 60ms", took)
	}
}

// The first client's losses are those of a link with the same seed, and every one is recorded.
func TestProxyLosesAndRecordsAsTheLinkDecides(t *testing.T) {
	const datagrams = 500
	var mu sync.Mutex
	var records []Record
	profile := Profile{Up: Params{Loss: 0.3}}
	p, stop := startProxy(t, ProxyConfig{Profile: profile, Seed: 11, Record: func(r Record) {
		mu.Lock()
		defer mu.Unlock()
		records = append(records, r)
	}}, echoServer(t))
	conn := dialProxy(t, p)
	for i := range datagrams {
		if _, err := conn.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 || i == datagrams-1 { // The kernel holds so many, and drops what is more.
			eventually(t, "all datagrams", func() bool { return p.Stats().Up.Pushed == uint64(i+1) })
		}
	}
	stats := p.Stats()
	stop()
	mu.Lock()
	defer mu.Unlock()
	var up []Record
	for _, r := range records {
		if r.Direction == "up" {
			up = append(up, r)
		}
	}
	if len(up) != datagrams {
		t.Fatalf("%d records, want %d", len(up), datagrams)
	}
	lost := uint64(0)
	for i, v := range run(NewLink(profile.Up, 11, Up), datagrams, time.Millisecond, 1) {
		if up[i].Verdict != v.Fate.String() || up[i].Ordinal != v.Ordinal || up[i].Client != conn.LocalAddr().String() {
			t.Fatalf("record %d is %+v, the link says %+v", i, up[i], v)
		}
		if v.Fate != Kept {
			lost++
		}
	}
	if stats.Up.DroppedFor[DroppedLoss] != lost || lost == 0 {
		t.Errorf("%d lost, want %d", stats.Up.DroppedFor[DroppedLoss], lost)
	}
	line, err := json.Marshal(up[0])
	if err != nil || !bytes.Contains(line, []byte(`"direction":"up"`)) || !bytes.Contains(line, []byte(`"size_bytes":1`)) {
		t.Errorf("%s, %v", line, err)
	}
}

func TestProxyMovesToANewSourceAddress(t *testing.T) {
	// What is on the way while it moves is lost. It moves again and again: a slow machine may miss the first.
	move := Params{Events: []Event{{Kind: Move, First: 100 * time.Millisecond, Every: time.Second, For: time.Millisecond}}}
	p, _ := startProxy(t, ProxyConfig{Profile: both("", "", move)}, echoServer(t))
	conn := dialProxy(t, p)
	sources := make(map[string]bool)
	eventually(t, "the move", func() bool {
		if answer := ask(t, conn, []byte("x"), 50*time.Millisecond); answer != "" {
			source, _, _ := strings.Cut(answer, " ")
			sources[source] = true
		}
		return len(sources) == 2
	})
}

func TestProxyForgetsIdleClients(t *testing.T) {
	p, _ := startProxy(t, ProxyConfig{}, echoServer(t))
	conn := dialProxy(t, p)
	if ask(t, conn, []byte("x"), patience) == "" {
		t.Fatal("no answer")
	}
	p.mu.Lock()
	for _, c := range p.clients {
		c.seen -= clientIdleAfter // As if that much time had passed.
	}
	p.expireLocked()
	p.mu.Unlock()
	p.wakePump()
	eventually(t, "forgetting", func() bool { return p.Stats().ClientsNow == 0 })
	if s := p.Stats(); s.Up.Delivered != 1 || s.Down.Delivered != 1 {
		t.Errorf("the counts went with the client: %+v", s)
	}
	if ask(t, conn, []byte("again"), patience) == "" {
		t.Error("a client that comes back gets no answer")
	}
}

func TestProxyBoundsItsClients(t *testing.T) {
	p, _ := startProxy(t, ProxyConfig{}, echoServer(t))
	p.mu.Lock()
	for i := range clientsMax {
		p.newClientLocked(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1))
	}
	p.mu.Unlock()
	conn := dialProxy(t, p)
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refusal", func() bool { return p.Stats().Refused == 1 })
	if got := p.Stats().ClientsNow; got != clientsMax {
		t.Errorf("%d clients", got)
	}
}

// A server that is not there must not end the proxy: it may start later.
func TestProxySurvivesAServerThatIsNotThere(t *testing.T) {
	gone, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	addr := gone.LocalAddr().(*net.UDPAddr)
	gone.Close()
	p, _ := startProxy(t, ProxyConfig{}, addr.AddrPort())
	conn := dialProxy(t, p)
	for range 20 {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all datagrams", func() bool { return p.Stats().Up.Delivered == 20 })
	server, err := net.ListenUDP("udp4", addr)
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	defer server.Close()
	server.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 10)
	for {
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		n, _, err := server.ReadFromUDP(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:n]) == "hello" {
			return
		}
	}
}

func TestNewProxyRefusesNonsense(t *testing.T) {
	for _, cfg := range []ProxyConfig{
		{Listen: "127.0.0.1:0", To: "nowhere"},
		{Listen: "127.0.0.1:0", To: ":4000"},
		{Listen: "127.0.0.1:0", To: "127.0.0.1:0"},
		{Listen: "127.0.0.1:notaport", To: "127.0.0.1:1"},
		{Listen: "127.0.0.1:0", To: "127.0.0.1:1", Profile: Profile{Down: Params{Loss: 2}}},
	} {
		if p, err := NewProxy(cfg); err == nil {
			p.Close()
			t.Errorf("%+v makes a proxy", cfg)
		}
	}
	p, err := NewProxy(ProxyConfig{Listen: "127.0.0.1:0", To: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// BenchmarkProxyPingPong is what the proxy adds to a round trip when the link does nothing.
func BenchmarkProxyPingPong(b *testing.B) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	p, err := NewProxy(ProxyConfig{Listen: "127.0.0.1:0", To: server.LocalAddr().String()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	client, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.Addr()))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 1200)
	for b.Loop() {
		client.Write(buf)
		n, from, err := server.ReadFromUDPAddrPort(buf)
		if err != nil {
			b.Fatal(err)
		}
		server.WriteToUDPAddrPort(buf[:n], from)
		if _, err := client.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}
