package compare

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"
)

// quicTransport is quic-go with its own congestion control, everything on one stream.
type quicTransport struct{}

func (quicTransport) Info() Info {
	return Info{
		Name: "quic", Text: "quic-go 0.65, one stream", Encrypted: true, Lanes: []Lane{LaneVirtual, LaneWire, LaneRealTime},
	}
}

const quicProtocol = "compare"

// quicConfig is quic-go's default, but patient: its own 5 s for a handshake are few on a link that loses 30 %.
func quicConfig(meter *quicMeter) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout: connectMax / 2, MaxIdleTimeout: 10 * time.Minute,
		Tracer: func(context.Context, bool, quic.ConnectionID) qlogwriter.Trace { return meter },
	}
}

func (quicTransport) Connect(ctx context.Context, f Field) (pair *Pair, err error) {
	serverTLS, err := quicServerTLS()
	if err != nil {
		return nil, err
	}
	ends, err := openSockets(f)
	if err != nil {
		return nil, err
	}
	meters := [2]*quicMeter{newQUICMeter(), newQUICMeter()}
	client, server := &quic.Transport{Conn: ends[Client]}, &quic.Transport{Conn: ends[Server]}
	closeAll := func() error {
		_ = client.Close() // These end goroutines; the connection is over.
		_ = server.Close()
		return ends.close()
	}
	listener, err := server.Listen(serverTLS, quicConfig(meters[Server]))
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	conn, err := client.Dial(ctx, net.UDPAddrFromAddrPort(f.Addr(Server)), &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{quicProtocol}, // The laboratory has no strangers.
	}, quicConfig(meters[Client]))
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	stream, err := conn.OpenStream()
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	return &Pair{
		Client: quicConn{stream, conn},
		Accept: func(ctx context.Context) (net.Conn, error) {
			conn, err := listener.Accept(ctx)
			if err != nil {
				return nil, fmt.Errorf("quic: %w", err)
			}
			stream, err := conn.AcceptStream(ctx)
			if err != nil {
				return nil, fmt.Errorf("quic: %w", err)
			}
			return quicConn{stream, conn}, nil
		},
		Split: func() Split {
			split := meters[Client].sum()
			split.add(meters[Server].sum())
			return split
		},
		Close: func() error {
			_ = conn.CloseWithError(0, "")
			_ = listener.Close()
			return closeAll()
		},
	}, nil
}

// quicConn is a stream seen as a net.Conn.
type quicConn struct {
	*quic.Stream
	conn *quic.Conn
}

func (c quicConn) LocalAddr() net.Addr  { return c.conn.LocalAddr() }
func (c quicConn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// quicServerTLS makes a server's certificate, which nobody checks.
func quicServerTLS() (*tls.Config, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("quic: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, fmt.Errorf("quic: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: private}}, NextProtos: []string{quicProtocol},
	}, nil
}

// A quicMeter says what the bytes are for that one side sends, from what quic-go tells of its packets.
type quicMeter struct {
	mu   sync.Mutex
	sums Split                   // guarded by mu, as is all below
	sent map[qlog.StreamID]int64 // by stream: how far it has been sent for the first time
}

func newQUICMeter() *quicMeter { return &quicMeter{sent: make(map[qlog.StreamID]int64)} }

func (m *quicMeter) sum() Split {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sums
}

// AddProducer makes the meter a qlogwriter.Trace, and the following a qlogwriter.Recorder.
func (m *quicMeter) AddProducer() qlogwriter.Recorder { return m }

// SupportsSchemas answers what quic-go asks.
func (m *quicMeter) SupportsSchemas(string) bool { return false }

// Close does nothing.
func (m *quicMeter) Close() error { return nil }

// RecordEvent takes what quic-go tells.
func (m *quicMeter) RecordEvent(e qlogwriter.Event) {
	sent, ok := e.(qlog.PacketSent)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	first, again := int64(0), int64(0)
	elicits := false
	for _, f := range sent.Frames {
		switch f := f.Frame.(type) {
		case *qlog.StreamFrame:
			end := f.Offset + f.Length
			fresh := min(f.Length, max(end-m.sent[f.StreamID], 0))
			m.sent[f.StreamID] = max(m.sent[f.StreamID], end)
			first += fresh
			again += f.Length - fresh
		case *qlog.AckFrame:
		default:
			elicits = true
		}
	}
	rest := uint64(int64(sent.Raw.Length)-first-again) + headerBytes
	m.sums.Payload += uint64(first)
	m.sums.Retransmits += uint64(again)
	switch {
	case first > 0:
		m.sums.Headers += rest
	case again > 0:
		m.sums.Retransmits += rest
	case elicits:
		m.sums.Headers += rest
	default:
		m.sums.Acks += rest
	}
}
