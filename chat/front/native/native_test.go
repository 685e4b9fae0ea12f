package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
)

// Two people in a room: what is said is acknowledged when it is stored and comes to both with the same number.
func TestTwoPeopleTalk(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		place := ask[wire.Place](ann, wire.Join{Room: "kitchen", N: 10})
		ann.event(wire.KindJoined)
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		joined := ann.event(wire.KindJoined)
		bob.event(wire.KindJoined)
		if place.Log != "kitchen" || place.Epoch == "" || joined.Account != "bob" || joined.Seq <= place.Head {
			t.Errorf("got place %+v, then %+v", place, joined)
		}
		said := ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "hello"})
		for _, c := range []*client{ann, bob} {
			ev := c.event(wire.KindSaid)
			want := wire.Event{
				Log: "kitchen", Seq: said.Seq, Time: said.Time, Kind: wire.KindSaid, Account: "ann",
				Device: ann.device, Counter: 1, Text: "hello",
			}
			if ev != want {
				t.Errorf("%s got %+v, want %+v", c.name, ev, want)
			}
		}
		again := ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "something else"})
		if again != said {
			t.Errorf("the same counter again: got %+v, want %+v", again, said)
		}
		if rest := bob.take(); len(rest) != 0 {
			t.Errorf("bob got %+v as well", rest)
		}
		page := ask[wire.Page](bob, wire.History{Log: "kitchen", N: 10})
		if n := len(page.Events); n != 3 || page.More || page.Events[n-1].Text != "hello" || page.Epoch != place.Epoch {
			t.Errorf("history is %+v", page)
		}
		ask[wire.Done](bob, wire.Leave{Log: "kitchen"})
		bob.event(wire.KindLeft)
		if left := ann.event(wire.KindLeft); left.Account != "bob" || left.Reason != wire.ReasonLeft {
			t.Errorf("got %+v", left)
		}
	})
}

// A topic is told to members, and to whoever comes later; rooms are listed with it, in pieces.
func TestRoomsAndTopics(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		for _, room := range []string{"a", "b", "c"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		ask[wire.Done](ann, wire.Topic{Log: "b", Text: "bees"})
		if ev := ann.event(wire.KindTopic); ev.Log != "b" || ev.Text != "bees" || ev.Account != "ann" {
			t.Errorf("got %+v", ev)
		}
		ann.refused(wire.CodeBadField, wire.Topic{Log: "b", Text: "two\nlines"})
		first := ask[wire.RoomList](bob, wire.Rooms{N: 2})
		rest := ask[wire.RoomList](bob, wire.Rooms{N: 2, After: "b"})
		if len(first.Rooms) != 2 || !first.More || first.Rooms[1].Topic != "bees" || first.Rooms[1].Here != 1 ||
			len(rest.Rooms) != 1 || rest.More || rest.Rooms[0].Room != "c" {
			t.Errorf("got %+v, then %+v", first, rest)
		}
		if place := ask[wire.Place](bob, wire.Join{Room: "b"}); place.Topic != "bees" {
			t.Errorf("got %+v", place)
		}
	})
}

// A read marker is told to the account's other devices, which find it when they come, too.
func TestReadMarkersAreShared(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		phone := w.begin("phone")
		in := ask[wire.LoggedIn](phone, wire.LogIn{Name: "ann", Password: "secret-ann"})
		ask[wire.Place](phone, wire.Attach{Log: in.Own})
		place := ask[wire.Place](ann, wire.Join{Room: "a"})
		said := ask[wire.Said](ann, wire.Say{Log: "a", Counter: 1, Text: "x"})
		ask[wire.Done](ann, wire.Mark{Log: "a", Seq: said.Seq})
		if ev := phone.event(wire.KindMarked); ev.About != "a" || ev.Number != said.Seq || ev.Log != in.Own {
			t.Errorf("got %+v", ev)
		}
		if again := ask[wire.Place](phone, wire.Attach{Log: "a"}); again.Mark != said.Seq {
			t.Errorf("got %+v", again)
		}
		list := ask[wire.ConversationList](phone, wire.Conversations{}).Conversations
		if len(list) != 2 || list[0].Log != in.Own || list[1].Log != "a" || list[1].Mark != said.Seq ||
			list[1].Head < said.Seq || list[1].Epoch != place.Epoch {
			t.Errorf("got %+v", list)
		}
	})
}

// Somebody types: the others in the room see it, the typist does not.
func TestTypingIsShownToOthers(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		for _, c := range []*client{ann, bob} {
			ask[wire.Place](c, wire.Join{Room: "a"})
		}
		time.Sleep(time.Second)
		ann.take()
		ask[wire.Done](ann, wire.Typing{Log: "a", On: true})
		if got := push[wire.Typing](bob, nil); got != (wire.Typing{Log: "a", On: true, Account: "ann"}) {
			t.Errorf("got %+v", got)
		}
		if got := ann.take(); len(got) != 0 {
			t.Errorf("the typist got %+v", got)
		}
	})
}

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

// Somebody comes back while others talk: what was missed and what comes live is everything, once, in order.
func TestResumeHasNeitherGapNorRepeat(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		place := ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		last := bob.event(wire.KindJoined).Seq
		bob.hangUp()
		w.end(bob)
		const missed, live = 120, 60
		for i := range missed {
			ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: uint64(i + 1), Text: fmt.Sprint(i)})
		}
		bob = w.again(bob, "bob again")
		id := bob.send(wire.Attach{Log: "kitchen", Epoch: place.Epoch, After: last, N: 50})
		for i := range live {
			ann.send(wire.Say{Log: "kitchen", Counter: uint64(missed + i + 1), Text: fmt.Sprint(missed + i)})
		}
		back := bob.answer(id).(wire.Place)
		events := back.Events
		if len(events) != 50 || !back.More || back.Reload || back.Epoch != place.Epoch {
			t.Fatalf("got %d events, %+v", len(events), back)
		}
		for more := true; more; {
			page := ask[wire.Page](bob, wire.History{
				Log: "kitchen", N: 50, After: events[len(events)-1].Seq, Before: back.Head + 1, Epoch: back.Epoch,
			})
			events, more = append(events, page.Events...), page.More
		}
		for len(events) < missed+live {
			events = append(events, bob.event(wire.KindSaid))
		}
		for i, ev := range events {
			if ev.Text != fmt.Sprint(i) || ev.Seq <= last {
				t.Fatalf("event %d is %+v", i, ev)
			}
			last = ev.Seq
		}
		if rest := bob.take(); len(rest) != 0 {
			t.Errorf("more came: %+v", rest)
		}
		bob.refused(wire.CodeEpoch, wire.History{Log: "kitchen", N: 1, Epoch: "other"})
	})
}

// What cannot be continued is said so, with what to begin anew with.
func TestResumeOfAnotherLifeReloads(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "a"})
		ann = w.again(ann, "ann again")
		place := ask[wire.Place](ann, wire.Attach{Log: "kitchen", Epoch: "another", After: 7, N: 10})
		if !place.Reload || len(place.Events) != 2 || place.Epoch == "another" {
			t.Errorf("got %+v", place)
		}
	})
}

// A client sends all it has without waiting: it comes into the log in that order, and everything is acknowledged.
func TestPipelinedMessagesKeepTheirOrder(t *testing.T) {
	inWorld(t, setUp{engine: slowly(3 * time.Millisecond)}, func(w *world) {
		ann := w.register("ann")
		for _, room := range []string{"a", "b"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		const n = 400
		ids := make([]uint64, n)
		start := time.Now()
		for i := range n {
			ids[i] = ann.send(wire.Say{Log: []string{"a", "b"}[i%2], Counter: uint64(i + 1), Text: fmt.Sprint(i)})
		}
		last := map[int]uint64{}
		for i, id := range ids {
			said, ok := ann.answer(id).(wire.Said)
			if !ok || said.Seq <= last[i%2] {
				t.Fatalf("message %d: %+v, after number %d", i, said, last[i%2])
			}
			last[i%2] = said.Seq
		}
		// Each room takes its messages one by one, and both at the same time.
		if took := time.Since(start); took > n/2*3*time.Millisecond+100*time.Millisecond {
			t.Errorf("took %v: rooms have waited for each other", took)
		}
	})
}

// What the store cannot take now holds up what comes behind it in that log, until it is said again.
func TestUnstoredMessageIsNotOvertaken(t *testing.T) {
	full := new(fullEngine)
	inWorld(t, setUp{engine: full.around}, func(w *world) {
		ann := w.register("ann")
		for _, room := range []string{"a", "b"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		full.set(true)
		first := ann.send(wire.Say{Log: "a", Counter: 1, Text: "1"})
		second := ann.send(wire.Say{Log: "a", Counter: 2, Text: "2"})
		for _, id := range []uint64{first, second} {
			if e, ok := ann.answer(id).(wire.Error); !ok || e.Code != wire.CodeUnavailable || e.RetryAfter == 0 {
				t.Errorf("got %+v, want unavailable and when to try again", e)
			}
		}
		full.set(false)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 3, Text: "3"})
		ask[wire.Said](ann, wire.Say{Log: "b", Counter: 4, Text: "elsewhere"})
		var last uint64
		for i := range uint64(3) {
			said := ask[wire.Said](ann, wire.Say{Log: "a", Counter: i + 1, Text: fmt.Sprint(i + 1)})
			if said.Seq <= last {
				t.Errorf("message %d has number %d after %d", i+1, said.Seq, last)
			}
			last = said.Seq
		}
		full.set(true)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 10, Text: "given up"})
		full.set(false)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 11, Text: "later"})
		time.Sleep(orderTimeout)
		ask[wire.Said](ann, wire.Say{Log: "a", Counter: 11, Text: "later"})
	})
}

// A flood is refused with how long to wait, is not carried out, and ends a session that does not wait.
func TestFloodsAreLimitedAndTold(t *testing.T) {
	for name, share := range map[string]int{"connection": 1, "account": accountShare} {
		t.Run(name, func(t *testing.T) {
			cfg := func(c *Config) { c.RequestsPerSecond, c.RequestsBurst = 10, 20 }
			inWorld(t, setUp{front: cfg}, func(w *world) {
				clients := []*client{w.register("ann")}
				for i := range share { // One more than the share, so that each stays within its own limit.
					c := w.begin(fmt.Sprint("device ", i))
					ask[wire.LoggedIn](c, wire.LogIn{Name: "ann", Password: "secret-ann"})
					clients = append(clients, c)
				}
				if share == 1 {
					clients = clients[:1]
				}
				var first *wire.Error
				for i := range 22 * share {
					c := clients[i%len(clients)]
					if e, ok := c.answer(c.send(wire.Conversations{})).(wire.Error); ok && first == nil {
						first = &e
					}
				}
				if first == nil || first.Code != wire.CodeRateLimited || first.RetryAfter == 0 || first.RetryAfter > 100 {
					t.Fatalf("got %+v, want too fast and to wait at most 100 ms", first)
				}
				time.Sleep(time.Second)
				ask[wire.ConversationList](clients[0], wire.Conversations{})
				for range 20 + refusedMax {
					if clients[0].isClosed() {
						break
					}
					clients[0].send(wire.Conversations{})
				}
				if err := w.end(clients[0]); !errors.Is(err, ErrTooFast) {
					t.Errorf("one that goes on: ended with %v", err)
				}
			})
		})
	}
}

// Nobody speaks the protocol where others could read it, and nobody is left to wonder why.
func TestPlainTextIsRefused(t *testing.T) {
	for _, transport := range []string{session.TransportTCP, session.TransportPlain} {
		inWorld(t, setUp{}, func(w *world) {
			c := w.open("c", transport).read()
			if why := push[wire.Error](c, nil); why.Code != wire.CodeNotEncrypted || !strings.Contains(why.Text, "TLS") {
				t.Errorf("%s: got %+v", transport, why)
			}
			if err := w.end(c); !errors.Is(err, ErrNotEncrypted) {
				t.Errorf("%s: ended with %v", transport, err)
			}
		})
	}
}

// When the server goes down, what is under way is completed and acknowledged, and everybody is told when to come back.
func TestShutdownCompletesWhatIsUnderWay(t *testing.T) {
	inWorld(t, setUp{engine: slowly(time.Second), front: func(c *Config) { c.ComeBackTo = "192.0.2.1:4000" }}, func(w *world) {
		ann, idle := w.register("ann"), w.begin("idle")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		id := ann.send(wire.Say{Log: "kitchen", Counter: 1, Text: "last words"})
		synctest.Wait()
		w.stop()
		for _, c := range []*client{ann, idle} {
			if d := push[wire.Drain](c, nil); d.After != wire.For(comeBackAfter) || d.Address != "192.0.2.1:4000" {
				t.Errorf("%s: got %+v", c.name, d)
			}
		}
		if said, ok := ann.answer(id).(wire.Said); !ok || said.Seq == 0 {
			t.Errorf("got %+v", said)
		}
		w.end(ann)
	})
}

// A store that hangs does not hold up the shutdown, nor a request for ever.
func TestHangingStoreIsGivenUp(t *testing.T) {
	inWorld(t, setUp{engine: slowly(time.Hour)}, func(w *world) {
		ann := w.register("ann")
		start := time.Now()
		if e := ask[wire.Error](ann, wire.Join{Room: "kitchen"}); e.Code != wire.CodeUnavailable || time.Since(start) != requestTimeout {
			t.Errorf("got %+v after %v", e, time.Since(start))
		}
		ann.send(wire.Join{Room: "kitchen"})
		synctest.Wait()
		start = time.Now()
		w.stop()
		w.end(ann)
		if took := time.Since(start); took > 2*drainGrace {
			t.Errorf("shutdown took %v", took)
		}
	})
}

// A client that does not read is cut off; others do not notice.
func TestSlowClientIsCutOff(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		slow := w.open("slow", session.TransportTLS)
		slow.write([]byte(Greeting))
		for i, m := range []wire.Request{wire.Hello{Version: 1, VersionMin: 1}, wire.LogIn{Token: bob.token}, wire.Attach{Log: "kitchen"}} {
			slow.write(frame(wire.AppendRequest(nil, uint64(i+1), m)))
			buf := make([]byte, 4096)
			slow.conn.Read(buf)
		}
		text := strings.Repeat("x", 60<<10)
		for i := range uint64(30) {
			ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: i + 1, Text: text})
			ann.event(wire.KindSaid)
		}
		if err := w.end(slow); !errors.Is(err, session.ErrSlow) {
			t.Errorf("ended with %v", err)
		}
		slow.hangUp()
	})
}

// Malformed messages are answered; three in a row end the session, and so does a stream that cannot be cut.
func TestMalformedMessages(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		c := w.begin("c")
		bad := frame([]byte{0x83, 2, 0x18, 42, 0x80}) // Request 42, whose body is no map.
		for range malformedMax {
			c.write(bad)
			if e := c.answer(42).(wire.Error); e.Code != wire.CodeMalformed {
				t.Errorf("got %+v", e)
			}
			ask[wire.Pong](c, wire.Ping{}) // Between them all is well.
		}
		c.refused(wire.CodeUnknownType, wire.Unknown{Of: 999})
		c.write(frame(make([]byte, wire.RequestBytesMax+1)))
		if e := push[wire.Error](c, nil); e.Code != wire.CodeTooLong {
			t.Errorf("too long: got %+v", e)
		}
		ask[wire.Pong](c, wire.Ping{})
		for range malformedMax {
			c.write(bad)
		}
		if err := w.end(c); !errors.Is(err, ErrMalformed) {
			t.Errorf("three in a row: ended with %v", err)
		}
		d := w.begin("d")
		d.write([]byte{0xff})
		if e := push[wire.Error](d, nil); e.Code != wire.CodeMalformed {
			t.Errorf("no frame: got %+v", e)
		}
		w.end(d)
		e := w.open("e", session.TransportUDP).read()
		e.write([]byte("HELO"))
		if err := w.end(e); !errors.Is(err, ErrMalformed) {
			t.Errorf("another protocol: ended with %v", err)
		}
		f := w.open("f", session.TransportUDP).read()
		f.write([]byte(Greeting))
		f.refused(wire.CodeVersion, wire.Hello{Version: 9, VersionMin: 5})
		if err := w.end(f); !errors.Is(err, ErrVersion) {
			t.Errorf("newer version: ended with %v", err)
		}
	})
}

// Who says nothing for too long is sent away, before and after Hello; who has logged in may be silent for ever.
func TestSilentClients(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, mute, shy := w.register("ann"), w.open("mute", session.TransportUDP).read(), w.begin("shy")
		start := time.Now()
		if err := w.end(mute); !errors.Is(err, ErrSilent) || time.Since(start) > helloTimeout+time.Second {
			t.Errorf("without a greeting: ended with %v after %v", err, time.Since(start))
		}
		time.Sleep(logInTimeout)
		if err := w.end(shy); !errors.Is(err, ErrSilent) {
			t.Errorf("without logging in: ended with %v", err)
		}
		time.Sleep(24 * time.Hour)
		ask[wire.Pong](ann, wire.Ping{})
	})
}

// The four times of Ping are of both clocks.
func TestPingHasTheServersTimes(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		c := w.begin("c")
		pong := ask[wire.Pong](c, wire.Ping{Sent: 42})
		if now := wire.At(time.Now()); pong.Sent != 42 || pong.Received != now || pong.Answered != now {
			t.Errorf("got %+v, want 42 and twice %d", pong, now)
		}
	})
}

// A panic ends the session it happened in, is logged with a stack, and nothing else.
func TestPanicEndsItsSessionOnly(t *testing.T) {
	inWorld(t, setUp{engine: panicking("boom")}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ann.send(wire.Join{Room: "boom"})
		if err := w.end(ann); !errors.Is(err, errPanicked) {
			t.Errorf("ended with %v", err)
		}
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		if !strings.Contains(w.log.String(), "request panicked") {
			t.Errorf("log is %q", w.log.String())
		}
	})
}

// History by number, by time, around both, and in pieces.
func TestHistoryPages(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "r"})
		const n = 40
		seqs, times := make([]uint64, n), make([]wire.Instant, n)
		for i := range n {
			time.Sleep(time.Second)
			said := ask[wire.Said](ann, wire.Say{Log: "r", Counter: uint64(i + 1), Text: fmt.Sprint(i)})
			seqs[i], times[i] = said.Seq, said.Time
		}
		for _, c := range []struct {
			name     string
			ask      wire.History
			from, to int
			more     bool
		}{
			{"newest", wire.History{N: 5}, n - 5, n, true},
			{"before", wire.History{N: 5, Before: seqs[20]}, 15, 20, true},
			{"after", wire.History{N: 5, After: seqs[20]}, 21, 26, true},
			{"after, to the end", wire.History{N: 100, After: seqs[20]}, 21, n, false},
			{"between", wire.History{N: 100, After: seqs[20], Before: seqs[25]}, 21, 25, false},
			{"around", wire.History{N: 6, Around: seqs[20]}, 17, 23, true},
			{"at a time", wire.History{N: 6, At: times[20]}, 17, 23, true},
			{"at a moment before a time", wire.History{N: 6, At: times[20] - 1}, 17, 23, true},
			{"at a moment after a time", wire.History{N: 6, At: times[20] + 1}, 18, 24, true},
			{"at a time to come", wire.History{N: 6, At: times[n-1] + 1e9}, n - 3, n, true},
		} {
			c.ask.Log = "r"
			page := ask[wire.Page](ann, c.ask)
			var got []string
			for _, ev := range page.Events {
				got = append(got, ev.Text)
			}
			var want []string
			for i := c.from; i < c.to; i++ {
				want = append(want, fmt.Sprint(i))
			}
			if !slices.Equal(got, want) || page.More != c.more {
				t.Errorf("%s: got %v, more %v; want %v, %v", c.name, got, page.More, want, c.more)
			}
		}
		first := ask[wire.Page](ann, wire.History{Log: "r", N: 6, At: 1})
		if len(first.Events) != 3 || first.Events[0].Kind != wire.KindJoined {
			t.Errorf("at the beginning of time: got %+v", first)
		}
	})
}

// Long texts make short pages, and all that was asked for at once does not fill the outbox.
func TestLongPagesWaitForTheClient(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "r"})
		const n = 40
		for i := range uint64(n) {
			ask[wire.Said](ann, wire.Say{Log: "r", Counter: i + 1, Text: strings.Repeat("x", 20<<10)})
		}
		slow := w.again(ann, "slow")
		var ids []uint64
		for range 100 {
			ids = append(ids, slow.send(wire.History{Log: "r", N: n, After: 1}))
		}
		for _, id := range ids {
			page, ok := slow.answer(id).(wire.Page)
			if !ok || len(page.Events) == 0 || len(page.Events) > 3 || !page.More {
				t.Fatalf("got %d events, more %v", len(page.Events), page.More)
			}
		}
	})
}
