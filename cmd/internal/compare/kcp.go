package compare

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/reliable"
	"udpchat/reliable/simulate"
)

// kcpTransport is KCP: the core alone where it can be, kcp-go's UDPSession where there are sockets or its FEC is wanted.
type kcpTransport struct {
	name, text   string
	data, parity int // shards of the FEC; 0: none
}

func (t kcpTransport) Info() Info {
	i := Info{Name: t.name, Text: t.text, Repeatable: t.parity == 0, Lanes: []Lane{LaneVirtual, LaneWire, LaneRealTime}}
	if !i.Repeatable && !kcpSchedKnown() {
		i.Lanes = []Lane{LaneRealTime, LaneWire}
	}
	return i
}

// Connect makes a session on both sides. KCP has no handshake: the server's session begins with the first datagram.
func (t kcpTransport) Connect(_ context.Context, f Field) (*Pair, error) {
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	var metered [2]*kcpSocket
	for side, pc := range ends {
		metered[side] = &kcpSocket{PacketConn: pc, fec: t.parity > 0}
	}
	listener, err := kcp.ServeConn(nil, t.data, t.parity, metered[Server])
	if err != nil {
		return nil, fmt.Errorf("kcp: %w", err)
	}
	client, err := kcp.NewConn4(kcpConv, net.UDPAddrFromAddrPort(f.Addr(Server)), nil, t.data, t.parity, false, metered[Client])
	if err != nil {
		return nil, fmt.Errorf("kcp: %w", err)
	}
	t.set(client)
	server := &kcpServer{listener: listener}
	return &Pair{
		Client: client,
		Accept: func(ctx context.Context) (net.Conn, error) {
			s, err := server.accept(ctx)
			if err != nil {
				return nil, fmt.Errorf("kcp: %w", err)
			}
			t.set(s)
			return s, nil
		},
		Split: func() Split {
			split := metered[Client].split()
			split.add(metered[Server].split())
			return split
		},
		Close: func() error {
			_ = client.Close() // It says only whether it was closed before.
			_ = listener.Close()
			err := ends.close()
			server.close()
			return err
		},
	}, nil
}

// A kcpServer has the sessions of a listener: the one that is wanted, and one more for each address that the client moved to, since
// kcp-go knows a session by its address. Nobody reads those, but their goroutines end only with Close.
type kcpServer struct {
	listener *kcp.Listener

	mu     sync.Mutex
	first  *kcp.UDPSession        // guarded by mu, as is all below
	strays chan []*kcp.UDPSession // all others, when the listener is closed; nil before first is there
}

func (s *kcpServer) accept(ctx context.Context) (*kcp.UDPSession, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.listener.SetDeadline(time.Unix(1, 0)) }) // It never fails.
	defer stop()
	first, err := s.listener.AcceptKCP()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first, s.strays = first, make(chan []*kcp.UDPSession, 1)
	go func() { s.strays <- acceptRest(s.listener) }() // Ends with the listener, for which close waits.
	return first, nil
}

// close ends all sessions. The listener and its socket are closed.
func (s *kcpServer) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*kcp.UDPSession
	if s.first == nil {
		rest = acceptRest(s.listener)
	} else {
		rest = append(<-s.strays, s.first)
	}
	for _, session := range rest {
		_ = session.Close()
	}
}

// acceptRest accepts until the listener is closed and has none left. Of a closed listener AcceptKCP picks at random between a
// session and the news that it is closed, so only when it has said so many times in a row there are none.
func acceptRest(l *kcp.Listener) (all []*kcp.UDPSession) {
	for misses := 0; misses < kcpMissesMax; misses++ {
		if s, err := l.AcceptKCP(); err == nil {
			all, misses = append(all, s), 0
		}
	}
	return all
}

// kcpMissesMax makes it one in a billion that a session is missed.
const kcpMissesMax = 75

func (t kcpTransport) set(s *kcp.UDPSession) {
	s.SetNoDelay(kcpNoDelay, kcpInterval, kcpResend, kcpNC)
	s.SetWindowSize(kcpWindow, kcpWindow)
	s.SetWriteDelay(false)
}

// machines runs the core without a session. Only a KCP without FEC has one.
func (t kcpTransport) machines(d *simulate.Duel, _ Spec) func() Split {
	var meters [2]kcpMeter
	peer := func(side Side, remote netip.AddrPort, emit func(reliable.Datagram)) *kcpPeer {
		return newKCPPeer(remote, &meters[side], emit)
	}
	d.Dial = func(_ time.Time, path reliable.Path, emit func(reliable.Datagram)) (simulate.Peer, error) {
		return peer(Client, path.Remote, emit), nil
	}
	d.Answer = func(now time.Time, first reliable.Datagram, emit func(reliable.Datagram)) (simulate.Peer, error) {
		p := peer(Server, first.Path.Remote, emit)
		p.Handle(now, first)
		return p, nil
	}
	return func() Split {
		split := meters[Client].split
		split.add(meters[Server].split)
		return split
	}
}
