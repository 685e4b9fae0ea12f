package relay

import (
	"fmt"
	"strings"
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

// SEND to ALL waits for the users of all servers, and for nobody else.
func TestSendToAllOnSeveralServers(t *testing.T) {
	const failed = "ERROR 102 Unable to send\n\n"
	forwarded := "FORWARD ann\nContent-length: 2\n\nhi"
	beside(t, func(w, w2 *stage.World, ann, bob *stage.Conn) {
		cat, dan := enter(w, "cat"), enter(w2, "dan")
		w.Got(ann)
		say := func() {
			t.Helper()
			ann.Send(send("ALL", "hi"))
			time.Sleep(writeGap)
			want(t, "bob", w2, bob, forwarded)
			want(t, "dan", w2, dan, forwarded)
			want(t, "cat", w, cat, forwarded)
			want(t, "before the receipts", w, ann, "")
		}
		answers := func(c *stage.Conn, text string) {
			c.Send(text)
			time.Sleep(writeGap)
		}
		const received = "RECEIVED ann\n\n"
		for _, order := range [][]*stage.Conn{{bob, dan, cat}, {cat, dan, bob}, {dan, cat, bob}} {
			say()
			for i, c := range order {
				want(t, "before the last receipt", w, ann, "")
				answers(c, received)
				if i == len(order)-1 {
					want(t, "after it", w, ann, "SENT ALL\n\n")
				}
			}
		}
		say()
		answers(bob, "ERROR 103 Header incomplete\n\n")
		answers(cat, received)
		answers(dan, received)
		want(t, "one answers with an error", w, ann, failed)
		say()
		answers(cat, received)
		answers(dan, received)
		time.Sleep(receiptTimeout + time.Second)
		want(t, "one does not answer", w, ann, failed)
		answers(bob, received) // Too late.
		say()
		answers(cat, received)
		answers(dan, received)
		bob.Lose()
		time.Sleep(time.Second)
		want(t, "one has left", w, ann, "SENT ALL\n\n")
		w2.Hub.Close() // As if that server were dead.
		ann.Send(send("ALL", "hi"))
		time.Sleep(writeGap)
		answers(cat, received)
		time.Sleep(5 * time.Second)
		want(t, "the other server is gone", w, ann, "")
		time.Sleep(10 * time.Second)
		want(t, "the other server is gone, a while later", w, ann, failed)
		time.Sleep(5 * time.Second)
		w.Got(cat)
		ann.Send(send("ALL", "hi"))
		time.Sleep(writeGap)
		answers(cat, received)
		want(t, "when it is known to be gone", w, ann, "SENT ALL\n\n")
	})
}

// Whoever registers and sends at once is answered as well: the other server may not have heard of it.
func TestSendToAllAtOnce(t *testing.T) {
	beside(t, func(w, w2 *stage.World, ann, bob *stage.Conn) {
		for range 20 {
			c := w.Open("c", "relay", "tcp")
			c.Send(fmt.Sprintf(register, "carl") + send("ALL", "x"))
			time.Sleep(2 * writeGap)
			ann.Send("RECEIVED carl\n\n")
			bob.Send("RECEIVED carl\n\n")
			time.Sleep(2 * writeGap)
			if got := w.Got(c); !strings.HasSuffix(got, "SENT ALL\n\n") {
				t.Fatalf("got %q", got)
			}
			c.Lose()
			time.Sleep(time.Second)
		}
	})
}
