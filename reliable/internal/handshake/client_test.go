package handshake

import (
	"testing"
	"time"

	"udpchat/reliable/internal/wire"
)

func TestClientRepeatsQuicklyThenSlowly(t *testing.T) {
	c := newPair(t, nil).client
	now, hellos := start, 0
	for now.Before(start.Add(5 * time.Second)) {
		if _, due := c.AppendDue(now, nil); !due {
			t.Fatalf("nothing due at NextAt, %v after the start", now.Sub(start))
		}
		hellos++
		if hellos == 2 && now.Sub(start) > 50*time.Millisecond {
			t.Errorf("the first repetition came only after %v", now.Sub(start))
		}
		now = c.NextAt()
	}
	if hellos < 10 || hellos > 20 {
		t.Errorf("%d hellos in 5 s, want 10 to 20", hellos)
	}
}

func TestClientAnswersACookieOnceAtOnce(t *testing.T) {
	c := newPair(t, nil).client
	c.AppendDue(start, nil)
	at := start.Add(20 * time.Millisecond)
	r := wire.Retry{Dest: clientID, Nonce: wire.Nonce{9}, Cookie: []byte("abc")}
	if !c.HandleRetry(at, r) {
		t.Fatal("our retry was not recognised")
	}
	b, due := c.AppendDue(at, nil)
	if h, err := wire.ParseHello(b); !due || err != nil || string(h.Cookie) != "abc" {
		t.Fatalf("got hello %+v, due %v, %v, want it at once with the cookie", h, due, err)
	}
	c.HandleRetry(at, r)
	if _, due := c.AppendDue(at, nil); due {
		t.Error("a repeated retry was answered again at once")
	}
	if c.HandleRetry(at, wire.Retry{Dest: clientID, Cookie: []byte("x")}) || c.HandleRetry(at, wire.Retry{Dest: 7, Nonce: wire.Nonce{9}}) {
		t.Error("a stranger's retry was taken for ours")
	}
	piece := wire.Piece{Total: 100, Data: []byte("x")}
	if _, ours, _ := c.HandleAccept(at, wire.Accept{Dest: clientID, Source: 3, Piece: piece}); ours {
		t.Error("a stranger's accept was taken for ours")
	}
}
