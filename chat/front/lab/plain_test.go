package lab

import (
	"strings"
	"testing"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/lab"
)

// TestPlainMemberThatSpeaksFromItsCallbackPortStays: a client joined from one port, had itself called back at another,
// and spoke only from there. After five minutes it was thrown out for its silence.
func TestPlainMemberThatSpeaksFromItsCallbackPortStays(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a := w.open("a", session.TransportPlain, "10.0.0.2:50001")
		w.Listen("10.0.0.2:7000", "cb")
		a.Send(joinAtText("room1", "ann", "10.0.0.2:7000"))
		w.got(a)
		joined, ok := w.replies(w.Conn("cb"))[0].(wire.Joined)
		if !ok {
			t.Fatal("got no JOINED at the callback port")
		}
		// What comes from the callback port is a connection of its own, as for every source of datagrams.
		for i, c := range []struct {
			from, id string
			want     int // Signs of life in all.
		}{
			{"10.0.0.2:7000", joined.JoinID, 1},
			{"10.0.0.2:7001", joined.JoinID, 2},
			{"10.0.0.2:7002", "12345", 2},        // Nobody's, or a guess.
			{"10.0.0.66:7000", joined.JoinID, 2}, // Another host.
		} {
			src := w.open("src"+c.from, session.TransportPlain, c.from)
			src.Send(string(wire.AppendChat(nil, wire.Chat{Room: "1", JoinID: c.id, Name: "ann", Text: "hello"})))
			w.got(src)
			if got := w.Conn("cb").LifeSigns(); got != c.want {
				t.Errorf("step %d, from %s: got %d signs of life, want %d", i, c.from, got, c.want)
			}
		}
		if got := w.got(w.Conn("cb")); strings.Count(got, "MESSAGE: hello\n") < 2 {
			t.Errorf("got %q, want what it said", got)
		}
	})
}
