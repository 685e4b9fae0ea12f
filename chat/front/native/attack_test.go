package native

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

// Rooms that accounts enter are for ever, so one who makes them and leaves them again must not use up the server's.
func TestNobodyMakesRoomsWithoutEnd(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		second := w.begin("second")
		ask[wire.LoggedIn](second, wire.LogIn{Name: "ann", Password: "secret-ann"})
		made := 0
		for i := range 2 * newRoomsBurst {
			c := ann
			if i%2 == 1 {
				c = second
			}
			room := fmt.Sprint("room ", i)
			switch m := c.answer(c.send(wire.Join{Room: room})).(type) {
			case wire.Place:
				made++
				ask[wire.Done](c, wire.Leave{Log: room})
			case wire.Error:
				if m.Code != wire.CodeRateLimited || m.RetryAfter == 0 {
					t.Fatalf("got %+v", m)
				}
			}
		}
		if made != newRoomsBurst {
			t.Errorf("made %d rooms, want %d", made, newRoomsBurst)
		}
		ask[wire.Place](ann, wire.Join{Room: "room 0"}) // That there is one already costs nothing.
	})
}

// An account to whom a file was not granted must not come by space that nobody answers for: bytes that are not the file
// take back what they were charged, not what the file was.
func TestWrongBytesDoNotPayForTheFile(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		b, sum := content(1000)
		right := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 1000})
		wrong := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 1000})
		short := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 500})
		for i, t := range []struct {
			wire.Ticket
			b []byte
		}{{right, b}, {wrong, make([]byte, 1000)}, {short, make([]byte, 500)}} {
			up, _ := w.ticket(fmt.Sprint("up", i), t.Token, 0)
			up.chunks(t.b, 0)
			up.answer(up.send(wire.Finish{}))
			up.hangUp()
			w.end(up)
		}
		if u, err := w.accounts.Usage(t.Context(), "ann"); err != nil || u.Bytes != 1000 {
			t.Errorf("ann answers for %d bytes, %v; want 1000", u.Bytes, err)
		}
	})
}

// Tickets that were asked for before anything came must not add up to more than the quota.
func TestUploadsAtTheSameTimeShareTheQuota(t *testing.T) {
	inWorld(t, setUp{files: true, quota: 1000}, func(w *world) {
		ann := w.register("ann")
		var all []wire.Ticket
		for i := range 4 {
			_, sum := content(600 + i)
			all = append(all, ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 600}))
		}
		begun := 0
		for i, ticket := range all {
			up, m := w.ticket(fmt.Sprint("up", i), ticket.Token, 0)
			switch m := m.(type) {
			case wire.Transferring:
				begun++
				up.chunks(make([]byte, 599), 0)
				up.answer(up.send(wire.Ping{}))
			case wire.Error:
				if m.Code != wire.CodeQuota {
					t.Errorf("got %+v", m)
				}
			}
			up.hangUp()
			w.end(up)
		}
		if begun != 1 {
			t.Errorf("%d uploads of 600 bytes have begun for 1000 bytes of quota", begun)
		}
	})
}

// A token that is revoked, or a password that is changed, while somebody logs in with it begins no session.
func TestRevokedWhileLoggingIn(t *testing.T) {
	for name, revoke := range map[string]func(w *world, ann *client) error{
		"token": func(w *world, ann *client) error {
			if err := w.accounts.Revoke(t.Context(), "ann", ann.device); err != nil {
				return err
			}
			return w.front.expel("ann", ann.device, "")
		},
		"password": func(w *world, ann *client) error {
			old, _ := passwd.Clear("secret-ann")
			fresh, _ := passwd.Clear("something else")
			if err := w.accounts.ChangePassword(context.Background(), account.Attempt{}, "ann", old, fresh, ""); err != nil {
				return err
			}
			return w.front.expel("ann", "", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			hook := new(stage.LogInHook)
			inWorld(t, setUp{engine: func(e chat.Engine) chat.Engine { hook.Engine = e; return hook }}, func(w *world) {
				ann := w.register("ann")
				ann.hangUp()
				w.end(ann)
				hook.Do = func() {
					if err := revoke(w, ann); err != nil {
						t.Error(err)
					}
				}
				c := w.begin("late")
				c.refused(wire.CodeBadToken, wire.LogIn{Token: ann.token})
				c.refused(wire.CodeNotLoggedIn, wire.Conversations{})
			})
		})
	}
}

// The tickets of a device that is revoked are good for nothing any more.
func TestTicketsEndWithTheDevice(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		other := w.begin("other")
		in := ask[wire.LoggedIn](other, wire.LogIn{Name: "ann", Password: "secret-ann"})
		_, sum := content(1000)
		theirs := ask[wire.Ticket](other, wire.Upload{Digest: sum, Size: 1000})
		ours := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 1000})
		ask[wire.Done](ann, wire.Revoke{Device: in.Device})
		w.end(other)
		up, m := w.ticket("theirs", theirs.Token, 0)
		if e, ok := m.(wire.Error); !ok || e.Code != wire.CodeBadToken {
			t.Errorf("of the device that is revoked: %+v", m)
		}
		up.hangUp()
		up, m = w.ticket("ours", ours.Token, 0)
		if _, ok := m.(wire.Transferring); !ok {
			t.Errorf("of another one: %+v", m)
		}
		up.hangUp()
	})
}

// Where other nodes could not be told of a revocation, asking again tells them, although the token is gone by then.
func TestRevocationThatWasNotToldIsToldWhenAskedAgain(t *testing.T) {
	engine := new(muteEngine)
	inWorld(t, setUp{engine: engine.around}, func(w *world) {
		ann := w.register("ann")
		other := w.begin("other")
		in := ask[wire.LoggedIn](other, wire.LogIn{Name: "ann", Password: "secret-ann"})
		engine.mute.Store(true)
		ask[wire.Error](ann, wire.Revoke{Device: in.Device})
		engine.mute.Store(false)
		ann.refused(wire.CodeBadToken, wire.Revoke{Device: in.Device})
		if err := w.end(other); !errors.Is(err, ErrRevoked) {
			t.Errorf("ended with %v", err)
		}
	})
}

// A device that is revoked gets no more of a file than it has, and stores none.
func TestTransfersEndWithTheDevice(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		other := w.begin("other")
		in := ask[wire.LoggedIn](other, wire.LogIn{Name: "ann", Password: "secret-ann"})
		b, sum := content(1000)
		theirs := ask[wire.Ticket](other, wire.Upload{Digest: sum, Size: 1000})
		_, sum = content(1001)
		ours := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 1001})
		up, _ := w.ticket("theirs", theirs.Token, 0)
		up.chunks(b, 0)
		mine, _ := w.ticket("ours", ours.Token, 0)
		ask[wire.Done](ann, wire.Revoke{Device: in.Device})
		if e := push[wire.Error](up, nil); e.Code != wire.CodeRevoked {
			t.Errorf("got %+v", e)
		}
		if err := w.end(up); !errors.Is(err, ErrRevoked) {
			t.Errorf("ended with %v", err)
		}
		ask[wire.Pong](mine, wire.Ping{})
		for _, c := range []*client{up, mine} {
			c.hangUp()
		}
	})
}

// What there is no memory for right now, or is too long, is told apart from nonsense also where a file is sent.
func TestTransfersSayWhatIsWrongWithAMessage(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		for budget, want := range map[int64]wire.Code{4 << 10: wire.CodeUnavailable, 1 << 20: wire.CodeTooLong} {
			w.front.budget = message.NewBudget(budget)
			_, sum := content(int(budget))
			ticket := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: uint64(budget)})
			up, _ := w.ticket(fmt.Sprint(budget), ticket.Token, 0)
			long := 60 << 10
			if want == wire.CodeTooLong {
				long = wire.RequestBytesMax + 1
			}
			go up.conn.Write(frame(make([]byte, long))) // It may be cut off in the middle.
			if e := push[wire.Error](up, nil); e.Code != want {
				t.Errorf("got %+v, want %v", e, want)
			}
			w.end(up)
			up.hangUp()
		}
	})
}

// What is expensive for the server, and what fills its disk, is limited beyond the number of requests.
func TestExpensiveRequestsAreLimited(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		for _, r := range []struct {
			name string
			m    func(i uint64) wire.Request
			most int
		}{
			{"who is there", func(uint64) wire.Request { return wire.Since{Ago: wire.For(time.Hour)} }, searchesBurst},
			{"long texts", func(i uint64) wire.Request {
				return wire.Say{Log: "kitchen", Counter: i + 1, Text: strings.Repeat("x", 60<<10)}
			}, requestsBurst / 15},
		} {
			done := 0
			for i := range uint64(150) {
				ann.take() // It has read whatever it was told.
				if _, refused := ann.answer(ann.send(r.m(i))).(wire.Error); !refused {
					done++
				}
			}
			if done > r.most {
				t.Errorf("%s: %d were carried out, want at most %d", r.name, done, r.most)
			}
		}
	})
}
