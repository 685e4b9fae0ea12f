package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
	"udpchat/reliable/message"
)

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

// A client that does not read for a while is not cut off because others come and go in its room: it misses what was in
// between, and is told how it is.
func TestSlowClientIsToldTheNewestPresence(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		ask[wire.Done](ann, wire.Presence{State: wire.StateAway})
		slow := w.open("slow", session.TransportTLS)
		slow.write([]byte(Greeting))
		for i, m := range []wire.Request{wire.Hello{Version: 1, VersionMin: 1}, wire.LogIn{Token: bob.token}, wire.Attach{Log: "kitchen"}} {
			slow.write(frame(wire.AppendRequest(nil, uint64(i+1), m)))
			buf := make([]byte, 4096)
			slow.conn.Read(buf)
		}
		tab, err := w.hub.LogIn(w.ctx, chat.Login{Account: "ann", Device: "tab"}, slowVisitor(nil))
		if err != nil {
			t.Fatal(err)
		}
		for range 20_000 {
			if err := errors.Join(tab.SetPresence(chat.Away), tab.SetPresence(chat.Online)); err != nil {
				t.Fatal(err)
			}
		}
		slow.read()
		time.Sleep(10 * time.Second)
		slow.mu.Lock()
		told, state := 0, wire.StateOffline
		for _, r := range slow.got {
			if m, ok := r.m.(wire.Presence); ok && m.Person.Account == "ann" {
				told, state = told+1, m.Person.State
			}
		}
		slow.mu.Unlock()
		if told < 2 || told > 1000 || state != wire.StateOnline {
			t.Errorf("told %d times, in the end that ann is %v", told, state)
		}
		if err := tab.Close(w.ctx); err != nil {
			t.Error(err)
		}
		if m := push(slow, func(m wire.Presence) bool { return m.Person.State == wire.StateAway }); m.Person.Account != "ann" {
			t.Errorf("got %+v", m)
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

// A message for which there is no memory cannot be told from any other, so nothing may follow it: it would be stored before.
func TestNothingOvertakesAMessageThereIsNoMemoryFor(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		w.front.budget = message.NewBudget(4 << 10)
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		long := wire.Say{Log: "kitchen", Counter: 1, Text: strings.Repeat("x", 8<<10)}
		both := frame(wire.AppendRequest(nil, 1001, long))
		both = append(both, frame(wire.AppendRequest(nil, 1002, wire.Say{Log: "kitchen", Counter: 2, Text: "second"}))...)
		go ann.conn.Write(both) // It may be cut off in the middle.
		if e := push[wire.Error](ann, nil); e.Code != wire.CodeUnavailable || e.RetryAfter == 0 {
			t.Errorf("got %+v", e)
		}
		if err := w.end(ann); !errors.Is(err, message.ErrBudget) {
			t.Errorf("ended with %v", err)
		}
		heads, err := w.engine.Heads(w.ctx, []string{"kitchen"})
		if err != nil || heads[0] != 1 { // That ann has joined.
			t.Errorf("the room has %v entries, %v", heads, err)
		}
		ann.hangUp()
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

// Whoever uses another's numbers, or its own anew, neither overwrites nor hides anything.
func TestLyingAboutCountersHurtsNobodyElse(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, eve := w.register("ann"), w.register("eve")
		for _, c := range []*client{ann, eve} {
			ask[wire.Place](c, wire.Join{Room: "a"})
		}
		ask[wire.Said](eve, wire.Say{Log: "a", Counter: 1, Text: "eve 1"})
		ask[wire.Said](ann, wire.Say{Log: "a", Counter: 1, Text: "ann 1"})
		ask[wire.Said](eve, wire.Say{Log: "a", Counter: 1 << 62, Text: "eve far"})
		ask[wire.Said](ann, wire.Say{Log: "a", Counter: 2, Text: "ann 2"})
		eve.answer(eve.send(wire.Say{Log: "a", Counter: 2, Text: "eve again"})) // Refused or not, it is eve's own.
		eve.refused(wire.CodeReused, wire.Say{Log: "a", Counter: 1, Text: "eve other"})
		var anns, all []string
		for _, ev := range ask[wire.Page](ann, wire.History{Log: "a", N: 50}).Events {
			if ev.Kind == wire.KindSaid {
				all = append(all, ev.Text)
			}
			if ev.Account == "ann" && ev.Kind == wire.KindSaid {
				anns = append(anns, ev.Text)
			}
		}
		if want := []string{"ann 1", "ann 2"}; !slices.Equal(anns, want) || slices.Contains(all, "eve other") {
			t.Errorf("got %q of ann, want %q; all: %q", anns, want, all)
		}
	})
}

// What only disturbs others is limited more than the rest.
func TestDisturbingRequestsAreLimited(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "a"})
		for range disturbingBurst {
			ask[wire.Done](ann, wire.Typing{Log: "a", On: true})
		}
		e := ann.refused(wire.CodeRateLimited, wire.Whisper{Name: "bob", Text: "x"})
		if e.RetryAfter == 0 || e.RetryAfter > 1000/disturbingPerSecond {
			t.Errorf("got %+v", e)
		}
		ann.refused(wire.CodeRateLimited, wire.Revoke{Device: "none"})
		ask[wire.Said](ann, wire.Say{Log: "a", Counter: 1, Text: "x"})
		time.Sleep(e.RetryAfter.Duration())
		ask[wire.Done](ann, wire.Typing{Log: "a"})
	})
}

// A network has an allowance of its own, however many connections it opens.
func TestNetworksAreLimited(t *testing.T) {
	cfg := func(c *Config) { c.RequestsPerSecond, c.RequestsBurst = 1, 4 }
	inWorld(t, setUp{front: cfg}, func(w *world) {
		refused := 0
		for i := range networkShare + 2 {
			c := w.openFrom(fmt.Sprint("c", i), session.TransportUDP, fmt.Sprintf("192.0.2.%d:5000", i+1)).read()
			c.write([]byte(Greeting))
			for j, m := range []wire.Request{wire.Hello{Version: 1, VersionMin: 1}, wire.Ping{}, wire.Ping{}, wire.Ping{}} {
				e, no := c.answer(c.send(m)).(wire.Error)
				if no && e.Code == wire.CodeRateLimited && e.RetryAfter > 0 {
					refused++
				}
				if no != (i >= networkShare) {
					t.Errorf("connection %d, request %d: refused %v", i, j, no)
				}
			}
		}
		if refused != 8 {
			t.Errorf("%d requests were refused, want 8", refused)
		}
		other := w.openFrom("other", session.TransportUDP, "198.51.100.1:5000").read()
		other.write([]byte(Greeting))
		ask[wire.Welcome](other, wire.Hello{Version: 1, VersionMin: 1})
	})
}
