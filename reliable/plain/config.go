package plain

import (
	"net"
	"net/netip"
	"time"
)

// Config says how a Listener works. Only Send is required.
type Config struct {
	// Send sends one datagram from the given local address of the listening socket. It must not
	// block, must not keep b and must be safe for concurrent use. Its errors are counted as loss,
	// but for those that match net.ErrClosed.
	Send func(b []byte, to netip.AddrPort, local netip.Addr) error

	// Addr is what Listener.Addr returns.
	Addr net.Addr

	// TooLong is the answer to a datagram longer than DatagramBytesMax. Empty: no answer. Must not
	// be changed after New.
	TooLong []byte

	// IsAnswer reports whether a datagram is what a server says, not a client. Such are dropped, since
	// two servers that answer each other never stop, and one forged datagram is enough to begin it.
	// It is called under a lock and must not keep b. Nil: none is.
	IsAnswer func(b []byte) bool

	// IdleTimeout is how long a source may be silent. 0: IdleTimeoutDefault.
	IdleTimeout time.Duration

	// ConnsMax bounds the connections. 0: ConnsMaxDefault.
	ConnsMax int

	// UnprovenMax bounds the connections that are not proven. 0: UnprovenMaxDefault.
	UnprovenMax int

	// LimitLoopback treats loopback sources like all others: they must prove themselves.
	LimitLoopback bool
}

// withDefaults returns cfg with the defaults filled in. It panics when Send is missing.
func (cfg Config) withDefaults() Config {
	if cfg.Send == nil {
		panic("BUG: plain: Config.Send is nil")
	}
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = IdleTimeoutDefault
	}
	if cfg.ConnsMax <= 0 {
		cfg.ConnsMax = ConnsMaxDefault
	}
	if cfg.UnprovenMax <= 0 {
		cfg.UnprovenMax = UnprovenMaxDefault
	}
	return cfg
}
