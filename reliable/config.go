package reliable

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"udpchat/reliable/internal/fec"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// Config says how an endpoint and its connections behave. The zero value is a good choice; a zero field means its
// default. It is copied; changing it later has no effect.
type Config struct {
	// Identity is the key by which clients know this endpoint. Nil: one is made that ends with the endpoint.
	Identity *Identity
	// Node tells this endpoint from others that have the same Identity and the same local address at the same time, on other
	// machines: the machine's name, for example. It must be the same after a restart, so that the endpoint can tell clients
	// that it has forgotten them, as it does if it has an Identity (see ErrForgotten). If two have the same, who knows the ID of
	// a connection of one can have the other help to end it.
	Node string
	// ServerKey is the key a server must have; Dial fails with a *KeyError if it has another. Zero: any.
	ServerKey Key
	// VerifyServer says what is wrong with a server's key; Dial fails with its error. It must not block, and may be called by
	// several goroutines at once. Nil: nothing. With neither, nobody can listen, but it is not known who is at the other end.
	VerifyServer func(Key) error
	// AlwaysCookie makes every client without a token prove its address by a cookie, which costs it a round trip. Without
	// it only those do who come while 64 others have not finished their handshake.
	AlwaysCookie bool
	// Tokens keeps what spares us cookies. Nil: the endpoint keeps them while it lives.
	Tokens TokenStore
	// HandshakeTimeout bounds Dial and AwaitCall where their context does not. Default 10 s.
	HandshakeTimeout time.Duration
	// IdleTimeout closes a connection from whose peer nothing was heard for so long, with an error that is Timeout().
	// A living peer is never closed by it: it is probed from half that time on. Default 60 s, at least 1 s.
	IdleTimeout time.Duration
	// KeepAlive sends a ping when nothing was sent for so long, to keep a NAT's mapping. Default 0: never.
	KeepAlive time.Duration
	// Linger is how long a closed connection tries to get its last bytes across. Default 5 s.
	Linger time.Duration
	// Redundancy is how much is sent beside the data so that losses need not be repaired by asking. Each side decides for
	// what it sends. Default RedundancyLatency.
	Redundancy Redundancy
	// MTUMax is the largest datagram sent, in bytes of UDP payload, once probes have shown that it arrives. Default, and at
	// most, 1,472; 1,200 or less: 1,200, and there are no probes; neither are there where the system cannot send datagrams
	// that must not be cut into fragments (all but Linux).
	MTUMax int
	// NoBatch makes one system call for each datagram, for systems whose calls for many at once are broken. Without it those
	// are used where the system has them.
	NoBatch bool
	// NoECN sends nothing that routers may mark (RFC 3168). Without it they may mark congestion instead of dropping, where
	// the system can tell marks and the way is found to bear them.
	NoECN bool
	// Backlog is how many connections may wait for Accept; more are refused. Default 1,024.
	Backlog int
	// ConnsMax is how many connections the endpoint has at once; more are refused. Default 65,536.
	ConnsMax int
	// Streams is how many streams of each lane a peer may have opened at once, at most 64 express and 4 bulk ones; more are
	// refused. Who allows any must accept and read them: until then an express stream may hold 0.4 MB, a bulk stream 1.8 MB. Default 0: none.
	Streams int
	// StreamBacklog has the streams of all connections accepted by Endpoint.StreamListener instead of Conn.AcceptStream, so
	// that no goroutine has to wait at each; it is how many may wait there, more are refused. Default 0: at each connection.
	StreamBacklog int
	// Plain takes datagrams that are plain text instead of ours: their first byte is an ASCII letter. It is called by the
	// endpoint's reader and must not block; b is valid only during the call, local is the address it was sent to (its
	// IP is unspecified where the system does not tell). Nil: they are dropped.
	Plain func(b []byte, from, local netip.AddrPort)
	// Logger gets life-cycle lines. Nil discards.
	Logger *slog.Logger
	// Random is the source of IDs, nonces and cookie secrets, and must be unguessable outside tests. It is used under a
	// lock. Nil means crypto/rand, which is what TLS takes in any case.
	Random io.Reader
	// Watch gets every packet before it is encrypted, for simulations. The bytes are valid only during the call. Nil:
	// nobody does.
	Watch func(packet []byte)
	// Trace gets everything that happens to the endpoint's connections; TraceTo writes it down. It is called by whoever runs
	// the connection, must not block, and may be called by several goroutines at once. Nil: nobody does, and nothing is spent
	// on it.
	Trace func(Event)
	// Planted is a mistake to make on purpose, for tests of the tests. The zero value makes none.
	Planted planted.Bug
}

// A Redundancy says what repair symbols are for.
type Redundancy uint8

// The kinds of redundancy.
const (
	// RedundancyLatency spends bytes, within a budget, so that hardly any message waits for a retransmission.
	RedundancyLatency = Redundancy(fec.Latency)
	// RedundancyEconomy spends a copy where there is loss.
	RedundancyEconomy = Redundancy(fec.Economy)
	// RedundancyOff leaves everything to retransmission.
	RedundancyOff = Redundancy(fec.Off)
)

// ParseRedundancy returns the kind that is called latency, economy or off.
func ParseRedundancy(name string) (Redundancy, error) {
	for i, n := range [...]string{"latency", "economy", "off"} {
		if n == name {
			return Redundancy(i), nil
		}
	}
	return 0, fmt.Errorf("reliable: redundancy %q: want latency, economy or off", name)
}

func (c Config) withDefaults() Config {
	setDefault(&c.HandshakeTimeout, 10*time.Second)
	setDefault(&c.IdleTimeout, time.Minute)
	c.IdleTimeout = max(c.IdleTimeout, time.Second)
	setDefault(&c.Linger, 5*time.Second)
	setDefault(&c.MTUMax, wire.DatagramBytesMax)
	c.MTUMax = min(max(c.MTUMax, wire.DatagramBytesBase), wire.DatagramBytesMax)
	setDefault(&c.Backlog, 1024)
	setDefault(&c.ConnsMax, 65536)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return c
}

// verify says what is wrong with a server's key.
func (c *Config) verify(key Key) error {
	if c.ServerKey != (Key{}) && key != c.ServerKey {
		return &KeyError{Want: c.ServerKey, Got: key}
	}
	if c.VerifyServer != nil {
		return c.VerifyServer(key)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
