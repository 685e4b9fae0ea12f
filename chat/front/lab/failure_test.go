package lab

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/lab"
)

// A brokenEngine fails or blocks in Append when told to.
type brokenEngine struct {
	chat.Engine
	broken, blocked atomic.Bool
}

func (e *brokenEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if e.blocked.Load() {
		<-ctx.Done()
		return chat.Msg{}, ctx.Err()
	}
	if e.broken.Load() {
		return chat.Msg{}, errors.New("disk on fire")
	}
	return e.Engine.Append(ctx, room, id, data)
}

func TestInternalErrorIsAReferenceIntoTheLog(t *testing.T) {
	engine := &brokenEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		a.Send(joinText("room1", "ann"))
		w.got(a)
		engine.broken.Store(true)
		a.Send(chatText("1", "ann", "secret words"))
		got := w.got(a)
		m := regexp.MustCompile(`^ERROR_CODE: 13\nERROR_DESCRIPTION: internal error, reference ([0-9A-F]{4})\n$`).FindStringSubmatch(got)
		if m == nil {
			t.Fatalf("got %q, want an internal error with a reference", got)
		}
		log := w.Log()
		if strings.Count(log, "ref="+m[1]) != 1 || !strings.Contains(log, "disk on fire") || strings.Contains(log, "secret") {
			t.Errorf("got log %q, want the error once, with reference %s and without the text", log, m[1])
		}
		engine.broken.Store(false)
		a.Send(chatText("1", "ann", "again"))
		if got := w.got(a); !strings.Contains(got, "again") {
			t.Errorf("after it: got %q, want the text", got)
		}
	})
}

// TestShutdownDoesNotWaitForTheEngine: an engine that hangs holds the server up no longer than closeTimeout.
func TestShutdownDoesNotWaitForTheEngine(t *testing.T) {
	engine := &brokenEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		a.Send(joinText("room1", "ann"))
		w.got(a)
		engine.blocked.Store(true)
		a.Send(chatText("1", "ann", "stuck"))
		synctest.Wait()
		start := time.Now()
		w.Shutdown()
		w.Wait()
		if took := time.Since(start); took > closeTimeout {
			t.Errorf("got the end after %v, want it within %v", took, closeTimeout)
		}
		if got := w.got(a); !strings.HasPrefix(got, "ERROR_CODE: 11\n") {
			t.Errorf("got %q, want error 11", got)
		}
	})
}

// TestSlowMemberIsCutOff: one member does not read. It is closed, the others are told, and miss nothing.
func TestSlowMemberIsCutOff(t *testing.T) {
	inWorld(t, Config{RequestsPerSecond: -1}, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		slow := w.open("slow", session.TransportTCP, "10.0.0.3:50001")
		a.Send(joinText("room1", "ann"))
		synctest.Wait()
		slow.Send(joinText("room1", "bob"))
		w.got(a)
		w.got(slow)
		slow.Stick()
		const n = 100
		text := strings.Repeat("x", 20_000)
		for i := range n {
			a.Send(chatText("1", "ann", fmt.Sprintf("%d %s", i, text)))
		}
		var said, left int
		for _, r := range w.replies(a) {
			switch msg := r.(wire.ChatMessage); {
			case msg.Text == "bob has left this chatroom.":
				left++
			case strings.HasPrefix(msg.Text, fmt.Sprintf("%d x", said)):
				said++
			}
		}
		if said != n || left != 1 {
			t.Errorf("got %d texts in order and %d leave notices, want %d and 1", said, left, n)
		}
		if got := w.Ended(); len(got) != 1 || !strings.Contains(got[0], session.ErrSlow.Error()) {
			t.Errorf("got ends %q, want the slow one by %q", got, session.ErrSlow)
		}
	})
}

// A gatedEngine holds back the next Appends until the gate opens; later ones pass.
type gatedEngine struct {
	chat.Engine
	gate  atomic.Pointer[chan struct{}]
	holds atomic.Int32 // How many Appends are still to be held back.
}

func (e *gatedEngine) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	if gate := e.gate.Load(); gate != nil && e.holds.Add(-1) >= 0 {
		<-*gate
	}
	return e.Engine.Append(ctx, room, id, data)
}

// TestLeftComesWhenTheRoomSaysSo: what is said while a LEAVE is on its way arrives before LEFT, not behind it.
func TestLeftComesWhenTheRoomSaysSo(t *testing.T) {
	engine := &gatedEngine{Engine: memory.New(memory.Config{})}
	inWorldOn(t, Config{}, engine, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		b := w.open("b", session.TransportTCP, "10.0.0.3:50001")
		other := w.open("other", session.TransportTCP, "10.0.0.2:50002")
		a.Send(joinText("room1", "ann"))
		synctest.Wait()
		b.Send(joinText("room1", "bob"))
		w.got(a)
		gate := make(chan struct{})
		engine.holds.Store(1)
		engine.gate.Store(&gate)
		leave := string(wire.AppendLeave(nil, wire.Leave{Room: "1", JoinID: "1", Name: "ann"}))
		a.Send(leave)
		synctest.Wait()
		// The same from another connection: it is too late to leave, but LEFT is due.
		other.Send(leave)
		b.Send(chatText("1", "bob", "meanwhile"))
		synctest.Wait()
		close(gate)
		got := w.replies(a)
		want := []wire.Reply{
			wire.ChatMessage{RoomRef: "1", Name: "bob", Text: "meanwhile"},
			wire.Left{RoomRef: "1", JoinID: "1"},
			wire.ChatMessage{RoomRef: "1", Name: "ann", Text: "ann has left this chatroom."},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got, want := w.got(other), string(wire.AppendLeft(nil, wire.Left{RoomRef: "1", JoinID: "1"})); got != want {
			t.Errorf("the other connection: got %q, want %q", got, want)
		}
	})
}
