package client

import (
	"errors"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

func TestRefusedLogInEndsDial(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		_, err := w.tryDial(Config{Account: "ann", Password: "wrong"})
		if e, ok := errors.AsType[native.Error](err); !ok || e.Code != native.CodeBadLogin {
			w.Errorf("Dial: %v", err)
		}
		if _, err := w.tryDial(Config{Account: "ann"}); !errors.Is(err, ErrNoAccount) {
			w.Errorf("Dial without a password: %v", err)
		}
	})
}

// What answers in another protocol is found out by its first bytes, what says nothing at all after helloWait; neither is
// tried again.
func TestServersOfOtherProtocolsEndDial(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		for _, says := range []string{"[400] Error. Invalid command\n", "\x00\x00\x00U{}", "HTTP/1.1 400 Bad Request\r\n", "\xff"} {
			w.server.set(func() { w.server.foreign = says })
			began := time.Now()
			if _, err := w.tryDial(Config{}); !errors.Is(err, ErrForeign) || time.Since(began) > time.Second {
				w.Errorf("a server that says %q: %v after %v", says, err, time.Since(began))
			}
		}
		w.server.set(func() { w.server.foreign, w.server.mute = "", func(native.Request) bool { return true } })
		began := time.Now()
		if _, err := w.tryDial(Config{}); !errors.Is(err, ErrNoAnswer) || time.Since(began) > helloWait+time.Second {
			w.Errorf("a server that says nothing: %v after %v", err, time.Since(began))
		}
		// One that has answered is of this protocol, and may have many passwords to look at.
		w.server.set(func() {
			w.server.mute = func(r native.Request) bool { _, hello := r.(native.Hello); return !hello }
		})
		began = time.Now()
		if _, err := w.tryDial(Config{}); !errors.Is(err, ErrNoAnswer) || time.Since(began) < loginWait {
			w.Errorf("a server that does not let us in: %v after %v", err, time.Since(began))
		}
		w.server.set(func() { w.server.mute = nil })
		if err := w.dial(Config{}).Close(); err != nil {
			w.Error(err)
		}
	})
}

func TestRevokedTokenEndsTheClient(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		c := w.dial(Config{State: &memoryState{saved: Saved{Name: "x"}}})
		k := collect(c)
		w.server.set(func() { clear(w.server.tokens) })
		c.cfg.Password, c.m.cfg.Password = "", ""
		m, err := c.Send("lobby", "x")
		if err != nil {
			w.Fatal(err)
		}
		w.server.mu.Lock()
		for ss := range w.server.sessions {
			ss.conn.Close()
		}
		w.server.mu.Unlock()
		k.task.Wait()
		if !errors.Is(c.Err(), ErrLoggedOut) {
			w.Errorf("Err = %v", c.Err())
		}
		if err := m.Wait(w.Context()); err == nil && m.Status().State != Stored {
			w.Errorf("message: %+v", m.Status())
		}
		c.Close()
	})
}
