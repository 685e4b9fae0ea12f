package reliable

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"udpchat/reliable/internal/handshake"
	"udpchat/reliable/internal/wire"
)

// NewClientMachine returns the client's side of a new connection. Path is the way to the server; emit sends a datagram. Abort must be called if the machine is given up before it has ended.
func NewClientMachine(cfg Config, shared *Shared, now time.Time, path Path, emit func(Datagram)) (*Machine, error) {
	cfg = cfg.withDefaults()
	return newClient(&cfg, shared, now, path, asking{}, emit)
}

// asking is what a hello has beside the names of the connection.
type asking struct {
	call     wire.CallNonce // that it answers; 0: none
	proof    []byte         // a token of the server's; nil: none
	identity *Identity      // the client's own, if it must prove a key; nil: it need not
}

func newClient(cfg *Config, shared *Shared, now time.Time, path Path, ask asking, emit func(Datagram)) (*Machine, error) {
	m := newMachine(cfg, shared, now, path, emit)
	id, err := newConnID(m.cfg.Random)
	if err != nil {
		return nil, err
	}
	var nonce wire.Nonce
	if _, err := io.ReadFull(m.cfg.Random, nonce[:]); err != nil {
		return nil, fmt.Errorf("reliable: drawing a nonce: %w", err)
	}
	m.local, m.dialled = id, true
	m.client, err = handshake.NewClient(now, handshake.ClientConfig{
		Source: id, Nonce: nonce, Call: ask.call, Token: ask.proof, Verify: m.cfg.verify, Identity: ask.identity,
	})
	if err != nil {
		return nil, fmt.Errorf("reliable: %w", err)
	}
	m.helloUntil = now.Add(m.cfg.HandshakeTimeout)
	return m, nil
}

// NewServerMachine returns the server's side of the connection that a hello asks for. The hello is answered by the first
// Advance. Abort must be called if the machine is given up before it has ended.
func NewServerMachine(cfg Config, shared *Shared, now time.Time, hello Datagram, emit func(Datagram)) (*Machine, error) {
	cfg = cfg.withDefaults()
	return newServer(&cfg, shared, now, hello, nil, emit)
}

// newServer is NewServerMachine for a client that must prove a key with which verify finds nothing wrong; nil: it need not.
func newServer(cfg *Config, shared *Shared, now time.Time, hello Datagram, verify func(Key) error, emit func(Datagram)) (*Machine, error) {
	h, err := wire.ParseHello(hello.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reliable: %w", err)
	}
	m := newMachine(cfg, shared, now, hello.Path, emit)
	if m.local, err = newConnID(m.cfg.Random); err != nil {
		return nil, err
	}
	identity, err := shared.ids.of(m.cfg)
	if err != nil {
		return nil, err
	}
	m.remote, m.state = h.Source, stateHalf
	m.server = handshake.NewServer(identity, m.local, h, verify)
	m.hello = bytes.Clone(hello.Bytes)
	m.helloUntil = now.Add(halfOpenLife)
	return m, nil
}

func newMachine(cfg *Config, shared *Shared, now time.Time, path Path, emit func(Datagram)) *Machine {
	m := &Machine{
		cfg: cfg, shared: shared, emit: emit, start: now, now: now, path: path,
		heardAt: now, spokeAt: now, probeAt: now, restAt: now.Add(idleState),
	}
	m.main = &MachineStream{m: m}
	m.streams = []*MachineStream{m.main}
	m.restartMTU()
	return m
}

// newConnID draws an ID that is not zero.
func newConnID(random io.Reader) (wire.ConnID, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, fmt.Errorf("reliable: drawing a connection ID: %w", err)
		}
		id := wire.ConnID(0)
		for _, c := range b {
			id = id<<8 | wire.ConnID(c)
		}
		if id != 0 {
			return id, nil
		}
	}
}
