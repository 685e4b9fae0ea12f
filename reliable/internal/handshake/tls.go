package handshake

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"

	"udpchat/reliable/internal/wire"
)

// Reasons why a handshake fails.
var (
	errNoKey      = errors.New("handshake: the server has no certificate")
	errIncomplete = errors.New("handshake: the peer's part is incomplete, or has no X25519 key")
	errProtocol   = errors.New("handshake: the server speaks something else inside TLS")
	errNames      = errors.New("handshake: the connection IDs were changed on the way")
)

// An exchange is one side's TLS. crypto/tls works in a goroutine of its own but only while one of our methods runs; it
// ends with the handshake or with close.
type exchange struct {
	quic  *tls.QUICConn
	peer  []byte // what the peer must have sent as its parameters
	suite uint16
	// By level, what crypto/tls wants to be sent and the secrets it has handed out.
	initial, handshake, application level
}

type level struct{ data, read, write []byte }

// newExchange starts TLS. Ours are the names and numbers from clear datagrams that this side answers for, and peer those
// of the other: they travel as TLS parameters too, so that the handshake fails if anybody changed them.
func newExchange(quic *tls.QUICConn, ours, peer []byte) (*exchange, error) {
	x := &exchange{quic: quic, peer: peer}
	quic.SetTransportParameters(ours)
	if err := quic.Start(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("handshake: %w", err), x.close())
	}
	return x, x.collect()
}

// handle gives TLS what the peer said.
func (x *exchange) handle(l tls.QUICEncryptionLevel, data []byte) error {
	if err := x.quic.HandleData(l, data); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return x.collect()
}

// collect takes what TLS has for us.
func (x *exchange) collect() error {
	for {
		e := x.quic.NextEvent()
		at := x.at(e.Level)
		switch e.Kind {
		case tls.QUICNoEvent:
			return nil
		case tls.QUICErrorEvent:
			return fmt.Errorf("handshake: %w", e.Err)
		case tls.QUICWriteData:
			at.data = append(at.data, e.Data...)
		case tls.QUICSetReadSecret:
			at.read, x.suite = bytes.Clone(e.Data), e.Suite
		case tls.QUICSetWriteSecret:
			at.write, x.suite = bytes.Clone(e.Data), e.Suite
		case tls.QUICTransportParameters:
			if !bytes.Equal(e.Data, x.peer) {
				return errNames
			}
		case tls.QUICTransportParametersRequired, tls.QUICHandshakeDone, tls.QUICRejectedEarlyData,
			tls.QUICResumeSession, tls.QUICStoreSession:
		}
	}
}

func (x *exchange) at(l tls.QUICEncryptionLevel) *level {
	switch l {
	case tls.QUICEncryptionLevelHandshake:
		return &x.handshake
	case tls.QUICEncryptionLevelApplication:
		return &x.application
	default:
		return &x.initial
	}
}

// keys returns the keys of the connection once both secrets are there.
func (x *exchange) keys() (*Keys, error) {
	if x.application.read == nil || x.application.write == nil {
		return nil, errIncomplete
	}
	return newKeys(x.suite, x.application.write, x.application.read)
}

// close ends TLS wherever it is.
func (x *exchange) close() error {
	if x.quic == nil {
		return nil
	}
	_ = x.quic.Close() // It reports that the handshake was not finished, which is why it is closed.
	x.quic = nil
	return nil
}

// clientNames are the parameters of a client, serverNames those of a server.
func clientNames(h wire.Hello) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 32), uint64(h.Source))
	b = append(b, h.Nonce[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(h.Call))
}

func serverNames(source wire.ConnID) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(source))
}
