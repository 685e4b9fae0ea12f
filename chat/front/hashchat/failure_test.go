package hashchat

import (
	"strings"
	"testing"

	"udpchat/chat/front/internal/stage"
)

func inBad(t *testing.T, f func(w *stage.World, engine *stage.BadEngine, ann *stage.Conn)) {
	engine := stage.NewBadEngine()
	stage.InOn(t, cast, nil, engine, func(w *stage.World) {
		ann := w.Open("ann", "hashchat", "tcp")
		ann.Send("CONNECT#ann\n")
		w.Got(ann)
		f(w, engine, ann)
	})
}

// There is no word for it, so the client hears nothing, and the operator does.
func TestEngineThatFailsIsLogged(t *testing.T) {
	inBad(t, func(w *stage.World, engine *stage.BadEngine, ann *stage.Conn) {
		engine.Fails.Store(true)
		ann.Send("SEND#*#hi\n")
		if got := w.Got(ann); got != "" || strings.Count(w.Log(), "level=ERROR") != 1 {
			t.Errorf("got %q and log %q", got, w.Log())
		}
		bob := w.Open("bob", "hashchat", "tcp")
		bob.Send("CONNECT#bob\n")
		if got := w.Got(bob); got != "CLOSE#\n" {
			t.Errorf("connecting: got %q", got)
		}
		engine.Fails.Store(false)
		ann.Send("SEND#*#there?\n")
		if got := w.Got(ann); got != "MESSAGE#ann#there?\n" {
			t.Errorf("afterwards: got %q", got)
		}
	})
}

// A panic about one line ends that session, and the others see it leave.
func TestPanicLeavesNoGhost(t *testing.T) {
	inBad(t, func(w *stage.World, engine *stage.BadEngine, ann *stage.Conn) {
		bob := w.Open("bob", "hashchat", "tcp")
		bob.Send("CONNECT#bob\n")
		w.Got(ann)
		engine.Panics.Store(true)
		bob.Send("SEND#*#hi\n")
		w.Got(bob)
		engine.Panics.Store(false)
		if got := w.Ended(); len(got) != 1 || !strings.HasPrefix(got[0], "bob: panic: ") {
			t.Errorf("got ends %q", got)
		}
		ann.Send("SEND#bob#hi\nSEND#ann#hi\n")
		if got := w.Got(ann); got != "MESSAGE#ann#hi\n" {
			t.Errorf("ann got %q", got)
		}
	})
}
