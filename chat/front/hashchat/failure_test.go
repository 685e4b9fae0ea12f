package hashchat

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"udpchat/chat"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/store/memory"
)

// A badEngine fails or panics on demand.
type badEngine struct {
	chat.Engine
	fails, panics atomic.Bool
}

func (e *badEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	switch {
	case e.panics.Load():
		panic("test: engine")
	case e.fails.Load():
		return chat.Msg{}, fmt.Errorf("test: disk on fire")
	}
	return e.Engine.Append(ctx, room, id, data)
}

func inBad(t *testing.T, f func(w *stage.World, engine *badEngine, ann *stage.Conn)) {
	engine := &badEngine{Engine: memory.New(memory.Config{})}
	stage.InOn(t, cast, nil, engine, func(w *stage.World) {
		ann := w.Open("ann", "hashchat", "tcp")
		ann.Send("CONNECT#ann\n")
		w.Got(ann)
		f(w, engine, ann)
	})
}

// There is no word for it, so the client hears nothing, and the operator does.
func TestEngineThatFailsIsLogged(t *testing.T) {
	inBad(t, func(w *stage.World, engine *badEngine, ann *stage.Conn) {
		engine.fails.Store(true)
		ann.Send("SEND#*#hi\n")
		if got := w.Got(ann); got != "" || strings.Count(w.Log(), "level=ERROR") != 1 {
			t.Errorf("got %q and log %q", got, w.Log())
		}
		bob := w.Open("bob", "hashchat", "tcp")
		bob.Send("CONNECT#bob\n")
		if got := w.Got(bob); got != "CLOSE#\n" {
			t.Errorf("connecting: got %q", got)
		}
		engine.fails.Store(false)
		ann.Send("SEND#*#there?\n")
		if got := w.Got(ann); got != "MESSAGE#ann#there?\n" {
			t.Errorf("afterwards: got %q", got)
		}
	})
}

// A panic about one line ends that session, and the others see it leave.
func TestPanicLeavesNoGhost(t *testing.T) {
	inBad(t, func(w *stage.World, engine *badEngine, ann *stage.Conn) {
		bob := w.Open("bob", "hashchat", "tcp")
		bob.Send("CONNECT#bob\n")
		w.Got(ann)
		engine.panics.Store(true)
		bob.Send("SEND#*#hi\n")
		w.Got(bob)
		engine.panics.Store(false)
		if got := w.Ended(); len(got) != 1 || !strings.HasPrefix(got[0], "bob: panic: ") {
			t.Errorf("got ends %q", got)
		}
		ann.Send("SEND#bob#hi\nSEND#ann#hi\n")
		if got := w.Got(ann); got != "MESSAGE#ann#hi\n" {
			t.Errorf("ann got %q", got)
		}
	})
}
