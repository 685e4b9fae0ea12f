package handshake

import (
	"errors"
	"testing"

	"udpchat/reliable/internal/wire"
)

// mutual runs a handshake in which the server wants the client's key, too.
func mutual(t *testing.T, own *Identity, verify func(Key) error) (s *Server, r *Result, hello, answer int, err error) {
	t.Helper()
	c, err := NewClient(start, ClientConfig{
		Source: clientID, Nonce: wire.Nonce{9}, Call: 5, Verify: func(Key) error { return nil }, Identity: own,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	first, _ := c.AppendDue(start, nil)
	h, err := wire.ParseHello(first)
	if err != nil {
		t.Fatal(err)
	}
	s = NewServer(identity(t, 1), serverID, h, verify)
	t.Cleanup(s.Close)
	b, err := s.HandleHello(h, max(len(first), mutualHelloBytes), nil) // Whoever asks in vain may have asked at length.
	if err != nil {
		t.Fatal(err)
	}
	a, err := wire.ParseAccept(b)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err = c.HandleAccept(start, a); err != nil || r == nil {
		t.Fatalf("one answer was not enough: %v, %v", r, err)
	}
	_, err = s.HandleFinished(r.Finished)
	return s, r, len(first), len(b), err
}

// Both sides prove their keys in one round trip, one datagram each way, none of which is answered by more.
func TestBothSidesProveTheirKeys(t *testing.T) {
	own := identity(t, 2)
	s, r, hello, answer, err := mutual(t, own, func(Key) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if s.ClientKey() != own.Key() || r.Key != identity(t, 1).Key() {
		t.Errorf("the server knows %v, the client %v", s.ClientKey(), r.Key)
	}
	if answer > hello || len(r.Finished) > 600 {
		t.Errorf("a hello of %d bytes is answered by %d; then come %d", hello, answer, len(r.Finished))
	}
}

func TestServerRefusesAClientsKey(t *testing.T) {
	no := errors.New("not that one")
	for name, own := range map[string]*Identity{"another key": identity(t, 2), "none": nil} {
		verify := func(Key) error { return no }
		if own == nil {
			verify = func(Key) error { return nil }
		}
		if _, _, _, _, err := mutual(t, own, verify); err == nil || own != nil && !errors.Is(err, no) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
