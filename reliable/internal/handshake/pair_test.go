package handshake

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

// A pair is a client and a server whose datagrams the test carries.
type pair struct {
	*testing.T
	client *Client
	server *Server
}

const (
	clientID = wire.ConnID(1)
	serverID = wire.ConnID(2)
)

func newPair(t *testing.T, verify func(Key) error) *pair {
	t.Helper()
	if verify == nil {
		verify = func(Key) error { return nil }
	}
	c, err := NewClient(start, ClientConfig{Source: clientID, Nonce: wire.Nonce{9}, Call: 5, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{T: t, client: c}
	t.Cleanup(func() {
		p.client.Close()
		if p.server != nil {
			p.server.Close()
		}
	})
	return p
}

// identity returns the identity of a private key that everybody can guess.
func identity(t testing.TB, seed byte) *Identity {
	t.Helper()
	id, err := NewIdentity(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// hello returns the client's next datagram as it comes and as it is read.
func (p *pair) hello(at time.Time) ([]byte, wire.Hello) {
	p.Helper()
	b, due := p.client.AppendDue(at, nil)
	if !due {
		p.Fatal("no hello is due")
	}
	h, err := wire.ParseHello(b)
	if err != nil {
		p.Fatal(err)
	}
	return b, h
}

// answer has the server answer a hello. The answer must not be longer.
func (p *pair) answer(id *Identity, b []byte, h wire.Hello) wire.Accept {
	p.Helper()
	if p.server == nil {
		p.server = NewServer(id, serverID, h, nil)
	}
	answer, err := p.server.HandleHello(h, len(b), nil)
	if err != nil {
		p.Fatal(err)
	}
	if len(answer) > len(b) {
		p.Errorf("hello of %d bytes answered by %d", len(b), len(answer))
	}
	a, err := wire.ParseAccept(answer)
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// keys runs the whole handshake.
func (p *pair) keys(id *Identity) (client, server *Keys, result *Result) {
	p.Helper()
	b, h := p.hello(start)
	r, ours, err := p.client.HandleAccept(start, p.answer(id, b, h))
	if err != nil || r == nil || !ours {
		p.Fatalf("HandleAccept: %v, ours %v, %v", r, ours, err)
	}
	server, err = p.server.HandleFinished(r.Finished)
	if err != nil {
		p.Fatal(err)
	}
	return r.Keys, server, r
}

func TestHandshakeTakesOneDatagramEachWay(t *testing.T) {
	p := newPair(t, nil)
	id := identity(t, 1)
	client, server, r := p.keys(id)
	if r.Key != id.Key() || r.Server != serverID {
		t.Errorf("key %v of %v, want %v of %v", r.Key, r.Server, id.Key(), serverID)
	}
	for i, k := range [][2]*Keys{{client, server}, {server, client}} {
		sealed := k[0].Protect([]byte("header and body"), 6, 7)
		if bytes.Contains(sealed, []byte("body")) {
			t.Error("the body travels in clear")
		}
		if body, ok := k[1].Open(start, sealed, 6, 7, false); !ok || string(body) != " and body" {
			t.Errorf("direction %d: got %q, %v", i, body, ok)
		}
	}
	first := r.First.Protect([]byte("header and body"), 6, 1)
	if body, ok := p.server.Finish().Open(first, 6, 1); !ok || string(body) != " and body" {
		t.Errorf("first packet: got %q, %v", body, ok)
	}
}

func TestRepeatedHelloGetsTheSameAnswer(t *testing.T) {
	p := newPair(t, nil)
	b, h := p.hello(start)
	first := p.answer(identity(t, 1), b, h)
	again, h2 := p.hello(p.client.NextAt())
	if !bytes.Equal(b, again) {
		t.Errorf("repeated hello %x, want %x", again, b)
	}
	if second := p.answer(nil, again, h2); !bytes.Equal(second.Piece.Data, first.Piece.Data) {
		t.Error("the second answer is another one")
	}
}

// A server with a long chain of certificates has more to say than an unproven address may get: the client asks for the
// rest, in larger hellos.
func TestLongAnswerComesInPieces(t *testing.T) {
	p := newPair(t, nil)
	id := identity(t, 1)
	cert := &id.config.Certificates[0]
	for range 10 {
		cert.Certificate = append(cert.Certificate, cert.Certificate[0])
	}
	now := start
	for n := 1; ; n++ {
		b, h := p.hello(now)
		r, _, err := p.client.HandleAccept(now, p.answer(id, b, h))
		if err != nil {
			t.Fatal(err)
		}
		if r != nil {
			t.Logf("%d bytes in %d pieces", len(p.server.flight), n)
			return
		}
		if n > 5 {
			t.Fatal("no end after 5 pieces")
		}
	}
}

// A client with much to say cuts it. The server puts it together whatever is repeated, and answers when all is there.
func TestLongHelloComesInPieces(t *testing.T) {
	p := newPair(t, nil)
	// The size of a hello with post-quantum keys: an ALPN list does for it.
	whole := bytes.Clone(p.client.tls.initial.data)
	p.client.tls.initial.data = append(whole, make([]byte, 2000)...)
	var pieces []wire.Hello
	for now := start; len(pieces) < 4; now = p.client.NextAt() {
		for {
			b, due := p.client.AppendDue(now, nil)
			if !due {
				break
			}
			h, err := wire.ParseHello(b)
			if err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, h)
		}
	}
	a := assembly{max: helloBytesMax}
	for _, i := range []int{0, 0, 1, 1} {
		if _, err := a.add(pieces[i].Piece); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.b, p.client.tls.initial.data) {
		t.Errorf("put together %d bytes of %d", len(a.b), len(p.client.tls.initial.data))
	}
}

func TestTooLongFlightsAreRefused(t *testing.T) {
	for name, pieces := range map[string][]wire.Piece{
		"too long":  {{Total: helloBytesMax + 1, Data: []byte("x")}},
		"empty":     {{}},
		"two sizes": {{Total: 10, Data: []byte("x")}, {Total: 11, Offset: 1, Data: []byte("x")}},
	} {
		a := assembly{max: helloBytesMax}
		var err error
		for _, p := range pieces {
			_, err = a.add(p)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClientRefusesAnotherKey(t *testing.T) {
	wrong := errors.New("wrong key")
	var seen Key
	p := newPair(t, func(k Key) error { seen = k; return wrong })
	id := identity(t, 1)
	b, h := p.hello(start)
	r, _, err := p.client.HandleAccept(start, p.answer(id, b, h))
	if r != nil || err != wrong || seen != id.Key() {
		t.Errorf("got %v, %v with key %v, want its own error with %v", r, err, seen, id.Key())
	}
}

// Who sits in between can rewrite the names in the clear datagrams and their check, but not what TLS says of them.
func TestHandshakeFailsWhenNamesWereChanged(t *testing.T) {
	for name, mutate := range map[string]func(h *wire.Hello, a *wire.Accept){
		"client's ID": func(h *wire.Hello, _ *wire.Accept) { h.Source++ },
		"nonce":       func(h *wire.Hello, _ *wire.Accept) { h.Nonce[3]++ },
		"call":        func(h *wire.Hello, _ *wire.Accept) { h.Call++ },
		"server's ID": func(_ *wire.Hello, a *wire.Accept) { a.Source++ },
	} {
		p := newPair(t, nil)
		b, h := p.hello(start)
		var a wire.Accept
		mutate(&h, &a)
		p.server = NewServer(identity(t, 1), serverID, h, nil)
		answer, err := p.server.HandleHello(h, len(b), nil)
		if err != nil {
			continue
		}
		a, err = wire.ParseAccept(answer)
		if err != nil {
			t.Fatal(err)
		}
		a.Dest, a.Nonce = clientID, wire.Nonce{9}
		mutate(&h, &a)
		if r, _, err := p.client.HandleAccept(start, a); err == nil || r != nil {
			t.Errorf("%s was changed and nobody noticed", name)
		}
	}
}

// Every bit of the server's part matters: it fails, and never with a panic.
func TestHandshakeFailsWithAnyFlippedBit(t *testing.T) {
	id := identity(t, 1)
	for i := 0; ; i += 7 {
		p := newPair(t, nil)
		b, h := p.hello(start)
		a := p.answer(id, b, h)
		if i >= len(a.Piece.Data)*8 {
			return
		}
		a.Piece.Data[i/8] ^= 1 << (i % 8)
		if r, _, err := p.client.HandleAccept(start, a); err == nil || r != nil {
			t.Errorf("bit %d: %v, %v", i, r, err)
		}
		p.client.Close()
		p.server.Close()
	}
}

func TestServerRefusesAWrongFinished(t *testing.T) {
	p := newPair(t, nil)
	b, h := p.hello(start)
	r, _, err := p.client.HandleAccept(start, p.answer(identity(t, 1), b, h))
	if err != nil {
		t.Fatal(err)
	}
	r.Finished[20] ^= 1
	if keys, err := p.server.HandleFinished(r.Finished); err == nil {
		t.Errorf("got %v", keys)
	}
}

// FuzzServer hands anything to a server as a client hello, and FuzzClient to a client as the server's part.
func FuzzServer(f *testing.F) {
	p := &pair{T: &testing.T{}}
	p.client, _ = NewClient(start, ClientConfig{Source: clientID, Verify: func(Key) error { return nil }})
	f.Add(p.client.tls.initial.data)
	p.client.Close()
	f.Fuzz(func(t *testing.T, hello []byte) {
		if len(hello) > helloBytesMax {
			return
		}
		h := wire.Hello{Source: clientID, Piece: wire.Piece{Total: uint16(len(hello)), Data: hello}}
		s := NewServer(identity(t, 1), serverID, h, nil)
		defer s.Close()
		if b, err := s.HandleHello(h, wire.HelloBytesMin, nil); err != nil && len(b) > 0 {
			t.Errorf("%v, and answered %x", err, b)
		}
	})
}

func FuzzClient(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, flight []byte) {
		if len(flight) > flightBytesMax {
			return
		}
		p := newPair(t, nil)
		a := wire.Accept{Dest: clientID, Source: serverID, Nonce: wire.Nonce{9}, Piece: wire.Piece{Total: uint16(len(flight)), Data: flight}}
		if r, _, err := p.client.HandleAccept(start, a); r != nil || err == nil {
			t.Errorf("a made-up handshake ended with %v, %v", r, err)
		}
	})
}
