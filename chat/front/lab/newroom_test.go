package lab

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front/internal/stage"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/lab"
)

func leaveText(room, name string) string {
	return string(wire.AppendLeave(nil, wire.Leave{Room: room, JoinID: "1", Name: name}))
}

// TestOneConnectionCannotUseUpAllRooms: going in and out of ever new rooms took the places of all rooms there can be,
// within seconds, and nobody could make one any more until the server was started again.
func TestOneConnectionCannotUseUpAllRooms(t *testing.T) {
	inWorld(t, Config{RequestsPerSecond: -1}, func(w *world) {
		a := w.open("a", session.TransportUDP, "10.0.0.2:50001")
		w.Listen("10.0.0.2:7000", "cb")
		const tries = 1000
		for i := range tries {
			room := fmt.Sprintf("room-%d", i)
			a.Send(joinText(room, "ann") + leaveText(room, "ann"))
			a.Send(joinAtText("cb-"+room, "cat", "10.0.0.2:7000") + leaveText("cb-"+room, "cat"))
			synctest.Wait()
		}
		if got := w.Hub.Stats().Rooms; got != newRoomsBurst {
			t.Errorf("got %d rooms of one connection, want %d", got, newRoomsBurst)
		}
		refused := append(w.replies(a), w.replies(w.Conn("cb"))...)
		if got, want := count(refused, wire.CodeRateLimited), 2*tries-newRoomsBurst; got != want {
			t.Errorf("got %d refusals, want %d", got, want)
		}
		if want := (wire.ErrorReply{Code: wire.CodeRateLimited, Description: "too many new rooms"}); !slices.Contains(refused, wire.Reply(want)) {
			t.Errorf("got no %v", want)
		}
		b := w.open("b", session.TransportTCP, "10.0.0.3:50001")
		for _, c := range []struct {
			who        *stage.Conn
			room, what string
			after      time.Duration
			want       bool
		}{
			{b, "bobs", "a new room of somebody else", 0, true},
			{a, "bobs", "a room that is there", 0, true},
			{a, "room-0", "a room that was left", 0, true},
			{a, "new-1", "a new room after ten seconds", 10 * time.Second, true},
			{a, "new-2", "one more", 0, false},
		} {
			time.Sleep(c.after)
			c.who.Send(joinText(c.room, "bob"))
			_, joined := w.replies(c.who)[0].(wire.Joined)
			if joined != c.want {
				t.Errorf("%s: joined is %v, want %v", c.what, joined, c.want)
			}
		}
	})
}

// TestRefusedJoinsDoNotCountAsNewRooms: a client that mistypes is not locked out for it.
func TestRefusedJoinsDoNotCountAsNewRooms(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		for range 2 * newRoomsBurst {
			a.Send(joinText("bad\x01name", "ann"))
		}
		if got := count(w.replies(a), wire.CodeBadName); got != 2*newRoomsBurst {
			t.Errorf("got %d refusals of the name, want %d", got, 2*newRoomsBurst)
		}
		for i := range 64 {
			a.Send(joinText(fmt.Sprint("room", i), "ann"))
		}
		w.got(a)
		a.Send(joinText("one too many", "ann"))
		if got := w.replies(a); count(got, wire.CodeTooMany) != 1 {
			t.Errorf("got %v, want the error of a client that is in enough rooms", got)
		}
	})
}
