package native

import (
	"errors"
	"slices"
	"testing"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
)

// Every log-in there is, and what it may and may not do to another.
func TestLogInLogOut(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("Ann")
		ann.refused(wire.CodeLoggedIn, wire.LogIn{Token: ann.token})
		other := w.begin("other")
		other.refused(wire.CodeNameTaken, wire.Register{Name: "ann", Password: "x"})
		other.refused(wire.CodeBadName, wire.Register{Name: "a/b", Password: "x"})
		other.refused(wire.CodeBadLogin, wire.LogIn{Name: "ann", Password: "wrong"})
		other.refused(wire.CodeBadLogin, wire.LogIn{Name: "nobody", Password: "wrong"})
		other.refused(wire.CodeBadToken, wire.LogIn{Token: "wrong"})
		in := ask[wire.LoggedIn](other, wire.LogIn{Name: "ANN", Password: "secret-Ann", Label: "phone"})
		if in.Account != "ann" || in.Show != "Ann" || in.Device == ann.device || in.Token == "" || in.Own == "" || in.Guest {
			t.Errorf("got %+v", in)
		}
		list := ask[wire.TokenList](ann, wire.Tokens{})
		if len(list.Devices) != 2 || !slices.ContainsFunc(list.Devices, func(d wire.Device) bool { return d.Label == "phone" && !d.Current }) {
			t.Errorf("devices: %+v", list)
		}
		ask[wire.Done](other, wire.LogOut{})
		other.refused(wire.CodeNotLoggedIn, wire.Conversations{})
		if again := ask[wire.LoggedIn](other, wire.LogIn{Token: in.Token}); again.Device != in.Device || again.Token != "" {
			t.Errorf("by token: got %+v", again)
		}
		ask[wire.Done](other, wire.LogOut{Forget: true})
		other.refused(wire.CodeBadToken, wire.LogIn{Token: in.Token})

		guest := ask[wire.LoggedIn](other, wire.Guest{Name: "visitor"})
		if !guest.Guest || guest.Expires == 0 || guest.Token == "" {
			t.Errorf("guest: got %+v", guest)
		}
		other.refused(wire.CodeNotAllowed, wire.Password{Old: "a", New: "b"})
	})
}

// Three wrong passwords lock, the client is told for how long, and a token still opens.
func TestWrongPasswordsLock(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		other := w.begin("other")
		var last wire.Error
		for range 4 {
			last = ask[wire.Error](other, wire.LogIn{Name: "ann", Password: "wrong"})
		}
		if last.Code != wire.CodeLocked || last.RetryAfter == 0 {
			t.Errorf("got %+v, want locked and for how long", last)
		}
		w.again(ann, "ann again")
	})
}

// A device has one session: a new one ends the older, which is told why.
func TestSameDeviceAgainEndsOlderSession(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		w.again(ann, "ann again")
		if why := push[wire.Error](ann, nil); why.Code != wire.CodeLoggedIn {
			t.Errorf("got %+v", why)
		}
		if err := w.end(ann); !errors.Is(err, ErrReplaced) {
			t.Errorf("ended with %v", err)
		}
	})
}

// A revoked token ends the sessions of its device, and so does another password for all other devices.
func TestRevokedDevicesEnd(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		log := func(name string) *client {
			c := w.begin(name)
			in := ask[wire.LoggedIn](c, wire.LogIn{Name: "ann", Password: "secret-ann"})
			c.device, c.token = in.Device, in.Token
			return c
		}
		phone, tablet := log("phone"), log("tablet")
		ann.refused(wire.CodeBadToken, wire.Revoke{Device: "nonsense"})
		ask[wire.Done](ann, wire.Revoke{Device: phone.device})
		if err := w.end(phone); !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked: ended with %v", err)
		}
		ann.refused(wire.CodeBadLogin, wire.Password{Old: "wrong", New: "new"})
		ask[wire.Done](ann, wire.Password{Old: "secret-ann", New: "new"})
		if err := w.end(tablet); !errors.Is(err, ErrRevoked) {
			t.Errorf("another password: ended with %v", err)
		}
		late := w.begin("late")
		late.refused(wire.CodeBadToken, wire.LogIn{Token: tablet.token})
		ask[wire.LoggedIn](late, wire.LogIn{Name: "ann", Password: "new"})
		if ann.isClosed() {
			t.Error("the one that changed the password was ended, too")
		}
	})
}

// A client that is newer by a version is served in ours, whatever else it says.
func TestNewerClientIsServed(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		c := w.open("c", session.TransportTLS).read()
		c.write([]byte(Greeting))
		hello := []byte{0x83, 1, 1, 0xa3, 1, 2, 2, 1, 0x18, 99, 0x63, 'n', 'e', 'w'} // Version 2, lowest 1, and a field 99.
		c.write(frame(hello))
		if welcome, ok := c.answer(1).(wire.Welcome); !ok || welcome.Version != 1 {
			t.Errorf("got %+v", welcome)
		}
		c.last = 1
		c.refused(wire.CodeUnknownType, wire.Unknown{Of: 500})
		ask[wire.LoggedIn](c, wire.Guest{Name: "newcomer"})
	})
}
