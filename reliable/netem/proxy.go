package netem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ProxyConfig says what a proxy does.
type ProxyConfig struct {
	Listen  string  // UDP address to listen on, like ":5000"; port 0 means any free one.
	To      string  // The server, HOST:PORT; looked up once.
	Profile Profile // The link of every client, to itself.
	// Seed is that of the first client; the others get numbers derived from it. A link starts with its
	// client's first datagram.
	Seed uint64
	// Record is called with every verdict, in order, on the goroutine of Run. nil: nobody wants to know.
	Record func(Record)
	// Logger gets clients coming and going, and errors. nil discards.
	Logger *slog.Logger
}

// Record is a verdict of a proxy, ready to be written as JSON.
type Record struct {
	Client    string   `json:"client"`    // Source address.
	Direction string   `json:"direction"` // "up" (from the client) or "down".
	AtMs      float64  `json:"at_ms"`     // When it came, since the client's first datagram.
	Ordinal   uint64   `json:"ordinal"`   // How many came before it in this direction; a copy has its original's.
	SizeBytes int      `json:"size_bytes"`
	Verdict   string   `json:"verdict"`              // "kept", or why it was dropped.
	DeliverMs *float64 `json:"deliver_ms,omitempty"` // When it goes on, if kept.
	Changes   []string `json:"changes,omitempty"`    // "corrupted", "truncated", "copied", "held", "reordered".
}

// Proxy is a bad link between UDP clients and a server, datagram by datagram, whatever they speak. Each
// client source gets a link and a socket towards the server, so the server sees a different address
// for each, and its answers find back.
type Proxy struct {
	cfg    ProxyConfig
	log    *slog.Logger
	server netip.AddrPort
	listen *net.UDPConn
	start  time.Time
	wake   chan struct{}  // Capacity 1: there is something new for the pump.
	wg     sync.WaitGroup // Readers.

	mu      sync.Mutex
	driver  Driver // All below is guarded by mu.
	clients map[netip.AddrPort]*proxyClient
	out     []outgoing // Came out of the links, to be written by the pump.
	records []Record   // To be handed on by the pump.
	later   []func()   // To be called by the pump without the lock: log lines, closing.
	stats   ProxyStats
	closed  bool
}

// ProxyStats is what a proxy did so far.
type ProxyStats struct {
	Up, Down Counts // Sums over all clients, past and present.

	ClientsNow, ClientsSeen int
	Refused                 uint64 // Datagrams from sources beyond the limit.
	Stray                   uint64 // Datagrams from the server to an address a client no longer has.
	SocketErrors            uint64 // Reads and writes the kernel refused, like to a closed port.
	RecordsLost             uint64 // Verdicts nobody was told of, because Record was too slow.
}

// NewProxy opens the listening socket and looks up the server. Run makes it work; without Run, Close it.
func NewProxy(cfg ProxyConfig) (*Proxy, error) {
	for _, dir := range []Direction{Up, Down} {
		if err := cfg.Profile.Params(dir).Validate(); err != nil {
			return nil, err
		}
	}
	server, err := net.ResolveUDPAddr("udp", cfg.To)
	if err == nil && (server.IP == nil || server.Port == 0) {
		err = errors.New("want HOST:PORT")
	}
	if err != nil {
		return nil, fmt.Errorf("netem: server address %q: %w", cfg.To, err)
	}
	local, err := net.ResolveUDPAddr("udp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("netem: listening address %q: %w", cfg.Listen, err)
	}
	listen, err := net.ListenUDP("udp", local)
	if err != nil {
		return nil, fmt.Errorf("netem: %w", err)
	}
	enlargeBuffers(listen)
	p := &Proxy{
		cfg: cfg, log: cfg.Logger, server: unmap(server.AddrPort()), listen: listen, start: time.Now(),
		wake:    make(chan struct{}, 1),
		clients: make(map[netip.AddrPort]*proxyClient),
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.driver.At(expireEvery, p.expireLocked)
	return p, nil
}

// enlargeBuffers asks for large socket buffers. A refusal cannot matter: small ones work too.
func enlargeBuffers(conn *net.UDPConn) {
	_ = conn.SetReadBuffer(socketBufferBytes)
	_ = conn.SetWriteBuffer(socketBufferBytes)
}

// Addr returns the address it listens on.
func (p *Proxy) Addr() netip.AddrPort { return p.listen.LocalAddr().(*net.UDPAddr).AddrPort() }

// Server returns the address of the server.
func (p *Proxy) Server() netip.AddrPort { return p.server }

// Run forwards until ctx ends, and then closes everything and returns nil. What is still on the way
// then is lost. It returns an error if the listening socket fails. Call it once.
func (p *Proxy) Run(ctx context.Context) error {
	failed := make(chan error, 1)
	// Owns reading from clients; ends when Close closes the socket.
	p.wg.Go(func() { failed <- p.readClients() })
	err := p.pump(ctx, failed)
	p.Close()
	p.wg.Wait()
	p.handOn() // The last verdicts.
	return err
}

// Close closes all sockets, which ends Run. It does not wait.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	var conns []*net.UDPConn
	for _, c := range p.clients {
		if c.conn != nil {
			conns = append(conns, c.conn)
		}
	}
	p.mu.Unlock()
	for _, conn := range conns {
		conn.Close() // Nothing is buffered in it that an error could be about.
	}
	if err := p.listen.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("netem: %w", err)
	}
	return nil
}

// Stats returns what happened so far.
func (p *Proxy) Stats() ProxyStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.ClientsNow = len(p.clients)
	for _, c := range p.clients {
		stats.Up.Add(c.up.link.Counts())
		stats.Down.Add(c.down.link.Counts())
	}
	return stats
}

// readClients pushes what clients send.
func (p *Proxy) readClients() error {
	return p.readSocket(p.listen, func(data []byte, from netip.AddrPort) {
		c := p.clients[from]
		if c == nil {
			c = p.newClientLocked(from)
		}
		if c == nil {
			p.stats.Refused++
			return
		}
		c.seen = p.driver.now
		c.up.Send(data)
	})
}

// readSocket reads conn until it is closed and calls push for every datagram, with mu held and the
// driver's clock set.
func (p *Proxy) readSocket(conn *net.UDPConn, push func(data []byte, from netip.AddrPort)) error {
	buf := make([]byte, datagramBytesMax+1)
	for errs := 0; ; {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		p.mu.Lock()
		if err != nil {
			p.stats.SocketErrors++
			errs++
		} else {
			errs = 0
			p.driver.RunUntil(time.Since(p.start))
			push(buf[:n], from)
		}
		p.mu.Unlock()
		if errs > socketErrorsMax {
			return fmt.Errorf("netem: %w", err)
		}
		p.wakePump()
	}
}

func (p *Proxy) wakePump() {
	select {
	case p.wake <- struct{}{}:
	default: // It will come anyway.
	}
}
