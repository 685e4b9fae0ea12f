package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A talker is a client on a machine of its own.
type talker struct {
	*Client
	*collector
	addr netip.AddrPort
	ep   *reliable.Endpoint
}

// talker logs in from an address.
func (w *world) talker(account, addr string) *talker {
	w.Helper()
	t := &talker{addr: netip.MustParseAddrPort(addr)}
	link := netem.Params{Delay: 50 * time.Millisecond}
	w.net.Connect(t.addr, serverAddr, netem.Profile{Up: link, Down: link}, 7)
	sock, err := w.net.ListenPacket(t.addr)
	if err != nil {
		w.Fatal(err)
	}
	if t.ep, err = reliable.NewEndpoint(sock, reliable.Config{IdleTimeout: idleTimeout}); err != nil {
		w.Fatal(err)
	}
	_ = t.ep.Listener().Close()
	t.Client, err = Dial(w.Context(), Config{
		Server: serverAddr.String(), Account: account, Password: "right",
		Dial: func(ctx context.Context, transport, addr string) (Conn, error) {
			if transport == TCP {
				return nil, errors.New("refused")
			}
			conn, err := t.ep.Dial(ctx, netip.MustParseAddrPort(addr))
			if err != nil {
				return nil, err
			}
			return udpConn{conn}, nil
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	t.net.mu.Lock()
	t.net.endpoint = t.ep // For meetings. The client closes it.
	t.net.mu.Unlock()
	t.collector = collect(t.Client)
	return t
}

// wait waits until the last Private event has that state.
func (t *talker) wait(w *world, want PrivateState) Private {
	w.Helper()
	for range 3000 {
		if all := of[Private](t.collector); len(all) > 0 && all[len(all)-1].State == want {
			return all[len(all)-1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.Fatalf("%s never got state %d: %+v", t.Account(), want, of[Private](t.collector))
	return Private{}
}

// heard returns what was said over direct connections, and what by the server, in the order it came.
func (t *talker) heard(peer string) (direct, server []string) {
	for _, s := range of[Said](t.collector) {
		switch {
		case s.Account != peer:
		case s.Direct:
			direct = append(direct, s.Text)
		default:
			server = append(server, s.Text)
		}
	}
	return direct, server
}

// inTalk runs f with two clients that have a direct connection.
func inTalk(t *testing.T, f func(w *world, ann, bob *talker, log string)) {
	inWorld(t, 0, func(w *world) {
		ann, bob := w.talker("ann", "10.0.0.7:700"), w.talker("bob", "10.0.0.8:800")
		p, err := ann.Private(w.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		bob.wait(w, PrivateAsked)
		if _, err := bob.Private(w.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		a, b := ann.wait(w, PrivateUp), bob.wait(w, PrivateUp)
		if a.Words != b.Words || a.Words == "" || a.Address != bob.addr.String() || b.Address != ann.addr.String() {
			t.Errorf("ann is told %+v, bob %+v", a, b)
		}
		f(w, ann, bob, p.Log)
		ann.Close()
		bob.Close()
	})
}

func TestPrivateGoesPastTheServer(t *testing.T) {
	inTalk(t, func(w *world, ann, bob *talker, log string) {
		w.server.down() // Nobody needs it now.
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprint("hello ", i))
			m, err := ann.Send(log, want[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Wait(w.Context()); err != nil || m.Status().State != Delivered {
				t.Errorf("message %d: %+v, %v", i, m.Status(), err)
			}
		}
		synctest.Wait()
		for _, side := range []*talker{ann, bob} {
			if direct, server := side.heard("ann"); !slices.Equal(direct, want) || len(server) != 0 {
				t.Errorf("%s heard %d directly, %q by the server", side.Account(), len(direct), server)
			}
		}
		if err := ann.StopPrivate(w.Context(), ""); err == nil {
			t.Log("the server was told, though it is down")
		}
		if ev := bob.wait(w, PrivateOver); ev.Err != nil {
			t.Errorf("bob was told %v", ev.Err)
		}
	})
}

// What the other had not confirmed when the way between them broke goes through the server: all of it comes, in order, and
// nothing twice.
func TestPrivateFallsBackToTheServer(t *testing.T) {
	heal := func(w *world, ann, bob *talker) { w.net.Heal(ann.addr, bob.addr) }
	for name, cut := range map[string]func(w *world, ann, bob *talker){
		"nothing gets through": func(w *world, ann, bob *talker) { w.net.Partition(ann.addr, bob.addr) },
		"for a while": func(w *world, ann, bob *talker) {
			w.net.Partition(ann.addr, bob.addr)
			time.AfterFunc(privateDoubt+200*time.Millisecond, func() { heal(w, ann, bob) }) // What was said directly comes, too late.
		},
		"only what is said does": func(w *world, ann, bob *talker) { w.net.Path(bob.addr, ann.addr).Cut(true) },
	} {
		t.Run(name, func(t *testing.T) {
			inTalk(t, func(w *world, ann, bob *talker, log string) {
				var want []string
				say := func(text string) {
					want = append(want, text)
					if _, err := ann.Send(log, text); err != nil {
						t.Fatal(err)
					}
				}
				for i := range 10 {
					say(fmt.Sprint("before ", i))
				}
				time.Sleep(time.Second)
				cut(w, ann, bob)
				for i := range 10 {
					say(fmt.Sprint("during ", i))
					time.Sleep(100 * time.Millisecond)
				}
				if ev := ann.wait(w, PrivateOver); !errors.Is(ev.Err, ErrUnconfirmed) {
					t.Errorf("ann was told %v", ev.Err)
				}
				say("after")
				if err := ann.Flush(w.Context()); err != nil {
					t.Error(err)
				}
				bob.wait(w, PrivateOver)
				time.Sleep(time.Second)
				direct, server := bob.heard("ann")
				if got := append(direct, server...); !slices.Equal(got, want) {
					t.Errorf("bob heard %q\nand by the server %q", direct, server)
				}
				if texts := w.server.texts(log); !slices.Equal(texts, want[10:]) {
					t.Errorf("the server has %q", texts)
				}
			})
		})
	}
}

// Where there is no way, both are told, and the server goes on carrying what they say.
func TestPrivateWithoutAWay(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		ann, bob := w.talker("ann", "10.0.0.7:700"), w.talker("bob", "10.0.0.8:800")
		w.net.Partition(ann.addr, bob.addr)
		p, err := ann.Private(w.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		bob.wait(w, PrivateAsked)
		if _, err := bob.Private(w.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		for _, side := range []*talker{ann, bob} {
			if ev := side.wait(w, PrivateOver); !errors.Is(ev.Err, context.DeadlineExceeded) {
				t.Errorf("%s was told %v", side.Account(), ev.Err)
			}
		}
		if _, err := ann.Say(w.Context(), p.Log, "hello"); err != nil {
			t.Error(err)
		}
		ann.Close()
		bob.Close()
	})
}

// Two who ask each other at the same moment are connected, once.
func TestPrivateAskedByBothAtOnce(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		ann, bob := w.talker("ann", "10.0.0.7:700"), w.talker("bob", "10.0.0.8:800")
		errs := make(chan error, 2)
		go func() { _, err := ann.Private(w.Context(), "bob"); errs <- err }()
		go func() { _, err := bob.Private(w.Context(), "ann"); errs <- err }()
		if err := errors.Join(<-errs, <-errs); err != nil {
			t.Fatal(err)
		}
		if a, b := ann.wait(w, PrivateUp), bob.wait(w, PrivateUp); a.Words != b.Words {
			t.Errorf("%q and %q", a.Words, b.Words)
		}
		ann.Close()
		if ev := bob.wait(w, PrivateOver); ev.Err != nil {
			t.Errorf("bob was told %v", ev.Err)
		}
		bob.Close()
	})
}

// A wish that nobody answers ends, on both sides; so does one that is declined or taken back.
func TestPrivateNotAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(w *world, ann, bob *talker) error
		want error // what ann is told
	}{
		"ignored":    {func(*world, *talker, *talker) error { time.Sleep(privateAnswerWait + time.Second); return nil }, ErrUnanswered},
		"declined":   {func(w *world, _, bob *talker) error { return bob.StopPrivate(w.Context(), "ann") }, nil},
		"taken back": {func(w *world, ann, _ *talker) error { return ann.StopPrivate(w.Context(), "bob") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 0, func(w *world) {
				ann, bob := w.talker("ann", "10.0.0.7:700"), w.talker("bob", "10.0.0.8:800")
				if _, err := ann.Private(w.Context(), "bob"); err != nil {
					t.Fatal(err)
				}
				bob.wait(w, PrivateAsked)
				if err := c.act(w, ann, bob); err != nil {
					t.Error(err)
				}
				for _, side := range []*talker{ann, bob} {
					if ev := side.wait(w, PrivateOver); ev.Err != c.want {
						t.Errorf("%s was told %v", side.Account(), ev.Err)
					}
					if err := side.StopPrivate(w.Context(), ""); !errors.Is(err, ErrNoPrivate) {
						t.Errorf("something is left: %v", err)
					}
				}
				ann.Close()
				bob.Close()
			})
		})
	}
}

// What was said directly and not confirmed when the client ends is known to have failed, and Flush waits for it before.
func TestCloseDuringPrivate(t *testing.T) {
	inTalk(t, func(w *world, ann, bob *talker, log string) {
		m, err := ann.Send(log, "one")
		if err != nil {
			t.Fatal(err)
		}
		if err := ann.Flush(w.Context()); err != nil || m.Status().State != Delivered {
			t.Errorf("Flush: %v, %+v", err, m.Status())
		}
		w.net.Partition(ann.addr, bob.addr)
		if m, err = ann.Send(log, "two"); err != nil {
			t.Fatal(err)
		}
		ann.Close()
		synctest.Wait()
		if st := m.Status(); st.State != Failed {
			t.Errorf("after Close the message is %+v", st)
		}
	})
}

func TestIDSetForgetsTheOldest(t *testing.T) {
	var d idSet
	for i := range directMax + 1 {
		if !d.add(fmt.Sprint(i)) || d.add(fmt.Sprint(i)) {
			t.Fatalf("id %d", i)
		}
	}
	if len(d.ids) != directMax || len(d.order) != directMax || d.ids["0"] || !d.ids["1"] {
		t.Errorf("%d ids are kept", len(d.ids))
	}
}
