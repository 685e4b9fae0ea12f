package hashchat

import (
	"fmt"
	"testing"
	"time"

	"udpchat/chat/front/internal/stage"
)

// Of two servers that share their rooms, each lists those who are on the other, and takes to them what is said to them.
func TestTwoServersAreOneRoom(t *testing.T) {
	in(t, nil, func(w *stage.World) {
		w2 := w.Beside(cast, nil)
		ann := w.Open("ann", "hashchat", "tcp")
		ann.Send("CONNECT#ann\n")
		got := func(what string, w *stage.World, c *stage.Conn, want string) {
			t.Helper()
			if got := w.Got(c); got != want {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		got("ann comes", w, ann, "ONLINE#ann\n")
		bob := w2.Open("bob", "hashchat", "tcp")
		bob.Send("CONNECT#bob\n")
		got("bob comes", w2, bob, "ONLINE#ann,bob\n")
		got("bob comes, for ann", w, ann, "ONLINE#ann,bob\n")
		ann.Send("SEND#bob#over there\nSEND#cat#nobody\n")
		got("to one", w2, bob, "MESSAGE#ann#over there\n")
		ann.Send("SEND#*#to all\n")
		got("to all", w2, bob, "MESSAGE#ann#to all\n")
		bob.Send("SEND#ann,bob#both\n")
		got("to oneself and another", w2, bob, "MESSAGE#bob#both\n")
		got("what ann hears", w, ann, "MESSAGE#ann#to all\nMESSAGE#bob#both\n")
		second := w.Open("second", "hashchat", "tcp") // The same name, on the other server.
		second.Send("CONNECT#bob\n")
		got("another bob", w, second, "ONLINE#ann,bob\n")
		ann.Send("SEND#bob#hi you two\n")
		got("one bob", w2, bob, "MESSAGE#ann#hi you two\n")
		got("the other", w, second, "MESSAGE#ann#hi you two\n")
		bob.Lose()
		got("one of two bobs goes", w, ann, "")
		w2.Shutdown()
		second.Send("CLOSE#\n")
		got("the last one, too", w, ann, "ONLINE#ann\n")
	})
}

// A server that dies takes its people with it, twelve seconds later.
func TestServerThatDiesTakesItsPeopleWithIt(t *testing.T) {
	in(t, nil, func(w *stage.World) {
		w2 := w.Beside(cast, nil)
		ann := w.Open("ann", "hashchat", "tcp")
		ann.Send("CONNECT#ann\n")
		for i := range 3 {
			w2.Open(fmt.Sprint(i), "hashchat", "tcp").Send(fmt.Sprintf("CONNECT#n%d\n", i))
			w.Got(ann)
		}
		w2.Hub.Close() // As if it were dead: nothing comes from it.
		time.Sleep(10 * time.Second)
		if got := w.Got(ann); got != "" {
			t.Errorf("got %q although it may yet come back", got)
		}
		time.Sleep(5 * time.Second)
		if got := w.Got(ann); got != "ONLINE#ann\n" {
			t.Errorf("got %q", got)
		}
		ann.Send("SEND#n1#are you there?\nSEND#ann#me\n")
		if got := w.Got(ann); got != "MESSAGE#ann#me\n" {
			t.Errorf("afterwards: got %q", got)
		}
	})
}
