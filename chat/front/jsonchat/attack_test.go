package jsonchat

import (
	"strings"
	"testing"

	"udpchat/chat/account"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/jsonchat"
)

// TestWrongBytesDoNotPayForTheFile: bytes that are not the file give back what they were charged, not what the file was,
// which another connection has sent meanwhile.
func TestWrongBytesDoNotPayForTheFile(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a := w.join("ann")
		w.join("bob")
		second, short := a.more("second"), a.more("short")
		text := strings.Repeat("x", 1000)
		frame := func(n, size int64) string {
			req := wire.SendMsg{Message: parcel(1, 2, "a.txt", text, n)}
			return string(wire.AppendFrame(nil, wire.Long, wire.AppendRequest(nil, req, a.token), size))
		}
		short.Send(frame(3, 1))
		second.Send(frame(1, 1000) + text[:999])
		if res := a.do(wire.SendMsg{Message: parcel(1, 2, "a.txt", text, 2)}, text); res.Err != "" {
			t.Fatalf("the file: %q", res.Err)
		}
		for _, c := range []*client{second, short} {
			c.Send("y")
			if res := c.answer(); res.Err != string(errFileParts) {
				t.Errorf("other bytes: got %q", res.Err)
			}
		}
		if u, err := w.accounts.Usage(t.Context(), "ann"); err != nil || u.Bytes != 1000 {
			t.Errorf("ann answers for %d bytes, %v; want 1000", u.Bytes, err)
		}
	})
}

// TestPasswordChangedWhileLoggingIn: who logs in with the old one at that moment is not logged in.
func TestPasswordChangedWhileLoggingIn(t *testing.T) {
	hook := stage.NewLogInHook()
	inWorldOn(t, Config{}, hook, func(w *world) {
		w.native("zoe").Close(w.ctx)
		delete(w.natives, "zoe")
		old, _ := passwd.Clear("zoe")
		fresh, _ := passwd.Clear("another")
		hook.Do = func() {
			if err := w.accounts.ChangePassword(w.ctx, account.Attempt{}, "zoe", old, fresh, ""); err != nil {
				t.Error(err)
			}
		}
		c := w.open("c")
		c.do(wire.Login{Identity: identity("zoe")}, "")
		if hook.Do != nil {
			t.Fatal("the password was not changed")
		}
		if res := c.do(wire.FetchMsg{}, ""); res.Err != string(errNotLoggedIn) {
			t.Errorf("then: got %q", res.Err)
		}
	})
}
