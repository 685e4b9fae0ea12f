package relay

import (
	"testing"
	"time"

	"udpchat/chat/front/internal/stage"
)

// beside runs f with two servers that share their rooms, and a user on each.
func beside(t *testing.T, f func(w, w2 *stage.World, ann, bob *stage.Conn)) {
	in(t, func(w *stage.World) {
		w2 := w.Beside(makeFront, nil)
		ann, bob := enter(w, "ann"), enter(w2, "bob")
		w.Got(ann) // Now they have heard of each other.
		f(w, w2, ann, bob)
	})
}

func want(t *testing.T, what string, w *stage.World, c *stage.Conn, want string) {
	t.Helper()
	if got := w.Got(c); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// SEND to a user of another server is answered with what the user says there, or with ERROR 102 if it says nothing.
func TestSendToAUserOfAnotherServer(t *testing.T) {
	beside(t, func(w, w2 *stage.World, ann, bob *stage.Conn) {
		for _, c := range []struct{ receipt, answer string }{
			{"RECEIVED ann\n\n", "SENT bob\n\n"},
			{"ERROR 103 Header incomplete\n\n", "ERROR 103 Header incomplete\n\n"},
			{"ERROR 102 Unable to send\n\n", "ERROR 102 Unable to send\n\n"},
		} {
			ann.Send(send("bob", "hi"))
			time.Sleep(time.Second)
			want(t, "before the receipt", w, ann, "")
			want(t, "bob", w2, bob, "FORWARD ann\nContent-length: 2\n\nhi")
			bob.Send(c.receipt)
			time.Sleep(writeGap)
			want(t, "after the receipt", w, ann, c.answer)
		}
		ann.Send(send("bob", "hi"))
		time.Sleep(receiptTimeout - time.Second)
		want(t, "without one", w, ann, "")
		time.Sleep(2 * time.Second)
		want(t, "without one, later", w, ann, "ERROR 102 Unable to send\n\n")
		w2.Got(bob)
		ann.Send(send("eve", "hi"))
		time.Sleep(writeGap)
		want(t, "to nobody", w, ann, "ERROR 102 Unable to send\n\n")
		bob.Lose()
		w2.Wait()
		time.Sleep(time.Second)
		ann.Send(send("bob", "hi"))
		time.Sleep(writeGap)
		want(t, "to one who has gone", w, ann, "ERROR 102 Unable to send\n\n")
	})
}

// Nobody can register by the name of a user of another server.
func TestNameOfAUserOfAnotherServerIsTaken(t *testing.T) {
	beside(t, func(w, w2 *stage.World, ann, bob *stage.Conn) {
		c := w.Open("c", "relay", "tcp")
		c.Send("REGISTER TORECV bob\n\n")
		want(t, "while bob is there", w, c, "ERROR 100 Malformed username\n\n")
		bob.Lose()
		w2.Wait()
		time.Sleep(time.Second)
		c.Send("REGISTER TORECV bob\n\n")
		want(t, "when bob has gone", w, c, "REGISTERED TORECV bob\n\n")
	})
}
