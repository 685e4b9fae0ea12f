package handshake

import (
	"crypto/tls"
	"encoding/binary"

	"udpchat/reliable/internal/wire"
)

// A Server is the server's side of one handshake. It works when the whole hello is there, once; after that it answers
// every hello from what it keeps.
type Server struct {
	identity *Identity
	source   wire.ConnID
	first    wire.Hello // for its names
	hello    assembly
	tls      *exchange // nil: the hello is not whole
	flight   []byte
	finish   *Seal
	verify   func(Key) error // nil: the client need not prove anything
	client   Key             // what it has proven
}

// NewServer returns the server for a hello, which it wants to see again in HandleHello. Source is the ID the server
// listens for. Verify, if not nil, makes the client prove a key, too, and says what is wrong with it (SPEC.md 4.11); it must
// not block.
func NewServer(identity *Identity, source wire.ConnID, first wire.Hello, verify func(Key) error) *Server {
	first.Cookie, first.Piece = nil, wire.Piece{}
	return &Server{identity: identity, source: source, first: first, hello: assembly{max: helloBytesMax}, verify: verify}
}

// Same reports whether a hello is one of this handshake.
func (s *Server) Same(h wire.Hello) bool {
	return h.Source == s.first.Source && h.Nonce == s.first.Nonce && h.Call == s.first.Call
}

// HandleHello takes a hello of this handshake that came as a datagram of size bytes, and appends what to answer: nothing,
// or a datagram that is not longer (SPEC.md 4.1). An error means that the handshake failed, for good.
func (s *Server) HandleHello(h wire.Hello, size int, b []byte) ([]byte, error) {
	if s.tls == nil {
		hello, err := s.hello.add(h.Piece)
		if err != nil || hello == nil {
			return b, err
		}
		if err := s.answer(hello); err != nil {
			return b, err
		}
	}
	p := cut(s.flight, int(h.Want), min(size, wire.DatagramBytesBase)-wire.AcceptBytes)
	if len(p.Data) == 0 {
		return b, nil
	}
	return wire.AppendAccept(b, wire.Accept{Dest: h.Source, Source: s.source, Nonce: h.Nonce, Piece: p}), nil
}

// answer makes the server's part: the length of its server hello, the server hello, and the rest sealed.
func (s *Server) answer(hello []byte) error {
	config := s.identity.config
	if s.verify != nil {
		config = s.identity.mutualConfig(func(key Key) error {
			s.client = key
			return s.verify(key)
		})
	}
	x, err := newExchange(tls.QUICServer(&tls.QUICConfig{TLSConfig: config}), serverNames(s.source), clientNames(s.first))
	if err != nil {
		return err
	}
	s.tls = x
	if err := x.handle(tls.QUICEncryptionLevelInitial, hello); err != nil {
		return err
	}
	if x.handshake.write == nil || x.handshake.read == nil || len(x.handshake.data) == 0 {
		return errIncomplete
	}
	seal, err := newSeal(x.suite, x.handshake.write)
	if err != nil {
		return err
	}
	if s.finish, err = newSeal(x.suite, x.handshake.read); err != nil {
		return err
	}
	flight := binary.BigEndian.AppendUint16(nil, uint16(len(x.initial.data)))
	flight = append(flight, x.initial.data...)
	s.flight = append(flight, seal.Protect(x.handshake.data, 0, 0)...)
	if len(s.flight) > flightBytesMax {
		return errTooLong
	}
	s.hello = assembly{}
	return nil
}

// Finish opens the packets that carry the client's Finished; nil while there can be none.
func (s *Server) Finish() *Seal { return s.finish }

// HandleFinished takes the end of the client's handshake and returns the keys. The client has then seen our part at the
// address it came from.
func (s *Server) HandleFinished(data []byte) (*Keys, error) {
	if err := s.tls.handle(tls.QUICEncryptionLevelHandshake, data); err != nil {
		return nil, err
	}
	return s.tls.keys()
}

// ClientKey returns the key the client has proven to have, after HandleFinished; zero: none was wanted.
func (s *Server) ClientKey() Key { return s.client }

// Close ends the server. It must be called, whatever came of it.
func (s *Server) Close() {
	if s.tls != nil {
		_ = s.tls.close()
	}
}
