package lab

import (
	"context"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
)

// A buggyEngine panics about certain words, or about everything. It stands for our mistakes anywhere below a request.
type buggyEngine struct {
	chat.Engine
	always atomic.Bool
}

func (e *buggyEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if e.always.Load() || strings.Contains(room+string(data), "boom") {
		panic("test: \x1b[31mboom")
	}
	return e.Engine.Append(ctx, room, id, data)
}

// inBuggyWorld runs f with a connection "a" over UDP, a client "ann" of it that is called back as "cb", and a witness in
// the same room.
func inBuggyWorld(t *testing.T, f func(w *world, engine *buggyEngine, a, cb, witness *stage.Conn)) {
	engine := &buggyEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		witness := w.open("witness", session.TransportTCP, "10.0.0.9:50001")
		witness.Send(joinText("room1", "teller"))
		a := w.open("a", session.TransportUDP, "10.0.0.2:50001")
		w.Listen("10.0.0.2:7000", "cb")
		synctest.Wait()
		a.Send(joinAtText("room1", "ann", "10.0.0.2:7000"))
		w.got(witness)
		cb := w.Conn("cb")
		w.got(cb)
		f(w, engine, a, cb, witness)
	})
}

// TestPanicOnACallbackConnectionEndsOnlyThat: it ended the server with everybody on it, because nobody recovers from
// what happens on a goroutine of our own.
func TestPanicOnACallbackConnectionEndsOnlyThat(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, a, cb, witness *stage.Conn) {
		cb.Send(chatText("1", "ann", "boom"))
		if got := w.got(witness); !strings.Contains(got, "ann has left") {
			t.Errorf("the others got %q, want that ann has left", got)
		}
		if _, closed := cb.Take(); !closed {
			t.Error("the callback connection is open")
		}
		log := w.Log()
		if strings.Count(log, "level=") != 1 || !regexp.MustCompile(`level=ERROR msg="callback panicked" ref=[0-9A-F]{4} .*stack=`).MatchString(log) ||
			strings.ContainsRune(log, '\x1b') {
			t.Errorf("got log %q, want the panic once, with a reference", log)
		}
		w.Listen("10.0.0.2:7000", "again")
		a.Send(joinAtText("room1", "ann", "10.0.0.2:7000") + "HELO a\n")
		if got := w.got(a); !strings.HasPrefix(got, "HELO a\n") {
			t.Errorf("the first connection got %q, want its HELO", got)
		}
		if got := w.got(w.Conn("again")); !strings.HasPrefix(got, "JOINED_CHATROOM: room1\n") {
			t.Errorf("the next callback got %q, want JOINED", got)
		}
	})
}

// TestPanicAboutTheFirstJoinOfACallback: the connection is there, but not known to be yet.
func TestPanicAboutTheFirstJoinOfACallback(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, a, _, _ *stage.Conn) {
		w.Listen("10.0.0.2:7001", "second")
		for range 2 {
			a.Send(joinAtText("boom", "bob", "10.0.0.2:7001"))
			w.got(a)
		}
		if calls := w.Calls(); len(calls) != 3 {
			t.Errorf("got calls %v, want one for ann and two for bob", calls)
		}
		if s := w.Hub.Stats(); s.Users != 2 {
			t.Errorf("got %d users, want ann and the witness", s.Users)
		}
	})
}

// TestPanicInACallIsAnswered: the client that waits to be called back hears that it will not be.
func TestPanicInACallIsAnswered(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, a, _, _ *stage.Conn) {
		w.PanicAt("10.0.0.2:7001")
		a.Send(joinAtText("room1", "bob", "10.0.0.2:7001"))
		got := w.got(a)
		m := regexp.MustCompile(`^ERROR_CODE: 13\nERROR_DESCRIPTION: internal error, reference ([0-9A-F]{4})\n$`).FindStringSubmatch(got)
		if m == nil || !strings.Contains(w.Log(), "ref="+m[1]) {
			t.Errorf("got %q and log %q, want error 13 with a reference into the log", got, w.Log())
		}
	})
}

// TestPanicLeavesNoGhost: the server recovers from a panic in Serve, but the client stayed in its rooms for ever, and so
// did those of its callback connections.
func TestPanicLeavesNoGhost(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, a, cb, witness *stage.Conn) {
		a.Send(joinText("room1", "bob") + joinText("room1", "cat"))
		w.got(witness)
		a.Send(chatText("1", "bob", "boom"))
		got := w.got(witness)
		for _, name := range []string{"ann", "bob", "cat"} {
			if strings.Count(got, name+" has left") != 1 {
				t.Errorf("the others got %q, want that %s has left", got, name)
			}
		}
		for _, c := range []*stage.Conn{a, cb} {
			if _, closed := c.Take(); !closed {
				t.Errorf("connection %s is open", c.Name)
			}
		}
		if ended := w.Ended(); len(ended) != 1 || !strings.HasPrefix(ended[0], "a: panic: test: ") {
			t.Errorf("got ends %q, want the panic handed on", ended)
		}
	})
}

// TestPanicsWhileLeavingLeaveNoGhost: not even the leave notices work.
func TestPanicsWhileLeavingLeaveNoGhost(t *testing.T) {
	inBuggyWorld(t, func(w *world, engine *buggyEngine, a, cb, _ *stage.Conn) {
		a.Send(joinText("room1", "bob") + joinText("room1", "cat"))
		w.got(a)
		engine.always.Store(true)
		a.Send(chatText("1", "bob", "hello"))
		synctest.Wait()
		if s := w.Hub.Stats(); s.Users != 1 || s.Members != 1 {
			t.Errorf("got %d users and %d members, want only the witness", s.Users, s.Members)
		}
		for _, c := range []*stage.Conn{a, cb} {
			if _, closed := c.Take(); !closed {
				t.Errorf("connection %s is open", c.Name)
			}
		}
		engine.always.Store(false)
	})
}

// TestPanicOfAPlainClientThatIsCalledBack: its callback has no goroutine, and is not known yet either.
func TestPanicOfAPlainClientThatIsCalledBack(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, _, _, _ *stage.Conn) {
		p := w.open("p", session.TransportPlain, "10.0.0.3:50001")
		p.Send(joinAtText("boom", "bob", "10.0.0.3:7000"))
		synctest.Wait()
		if s, ended := w.Hub.Stats(), w.Ended(); s.Users != 2 || len(ended) != 1 {
			t.Errorf("got %d users and ends %q, want ann and the witness, and the end of p", s.Users, ended)
		}
	})
}

// TestCallbacksDoNotFillTheLog: every one of them had a line, and a client may have as many as it likes.
func TestCallbacksDoNotFillTheLog(t *testing.T) {
	inBuggyWorld(t, func(w *world, _ *buggyEngine, _, cb, witness *stage.Conn) {
		cb.Lose()
		if got := w.got(witness); !strings.Contains(got, "ann has left") || w.Log() != "" {
			t.Errorf("the others got %q, and the log is %q, want a notice and no line", got, w.Log())
		}
	})
}
