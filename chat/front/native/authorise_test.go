package native

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
)

// Who asks, in the order of the columns below.
var askers = []string{
	"nobody",   // Has not said hello.
	"stranger", // Has not logged in.
	"guest",    // Is a member of the room, without a password.
	"member",   // Is a member of the room.
	"outsider", // Has an account and is no member.
	"blocked",  // Is a member of the room, and bob has blocked it.
}

const ok = wire.Code(0)

// A changes is an engine that counts what changes in it, and what is sent through it.
type changes struct {
	chat.Engine
	n atomic.Int64
}

func (e *changes) Append(ctx context.Context, room, id string, data []byte) (chat.Msg, error) {
	e.n.Add(1)
	return e.Engine.Append(ctx, room, id, data)
}

func (e *changes) Drop(ctx context.Context, room string, upto, only uint64) error {
	e.n.Add(1)
	return e.Engine.Drop(ctx, room, upto, only)
}

func (e *changes) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (uint64, error) {
	e.n.Add(1)
	return e.Engine.Put(ctx, bucket, key, val, rev)
}

func (e *changes) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	e.n.Add(1)
	return e.Engine.Delete(ctx, bucket, key, rev)
}

func (e *changes) PutBlob(ctx context.Context, r io.Reader) (string, int64, error) {
	e.n.Add(1)
	return e.Engine.PutBlob(ctx, r)
}

func (e *changes) DropBlob(ctx context.Context, id string) error {
	e.n.Add(1)
	return e.Engine.DropBlob(ctx, id)
}

// Every request by every kind of user: what it is answered with, and that what is refused has changed nothing and told
// nobody anything. bob is the other one, and is online.
func TestAuthorisation(t *testing.T) {
	all := func(c wire.Code) [6]wire.Code {
		return [6]wire.Code{wire.CodeOutOfOrder, wire.CodeNotLoggedIn, c, c, c, c}
	}
	members := func(c wire.Code) [6]wire.Code {
		return [6]wire.Code{wire.CodeOutOfOrder, wire.CodeNotLoggedIn, c, c, wire.CodeNotMember, c}
	}
	but := func(codes [6]wire.Code, column int, c wire.Code) [6]wire.Code {
		codes[column] = c
		return codes
	}
	const guest, blocked = 2, 5
	digest := make([]byte, wire.DigestBytes)
	file := &wire.File{Digest: digest, Size: 1, Name: "a.txt"}
	rows := []struct {
		name string
		ask  func(me string) wire.Request
		want [6]wire.Code
	}{
		{"ping", same(wire.Ping{}), [6]wire.Code{wire.CodeOutOfOrder, ok, ok, ok, ok, ok}},
		{"hello again", same(wire.Hello{Version: 1, VersionMin: 1}), but(but(all(wire.CodeOutOfOrder), 1, wire.CodeOutOfOrder), 0, ok)},
		{"register", same(wire.Register{Name: "bob", Password: "x"}), but(all(wire.CodeLoggedIn), 1, wire.CodeNameTaken)},
		{"log in", same(wire.LogIn{Name: "bob", Password: "x"}), but(all(wire.CodeLoggedIn), 1, wire.CodeBadLogin)},
		{"log in by token", same(wire.LogIn{Token: "x"}), but(all(wire.CodeLoggedIn), 1, wire.CodeBadToken)},
		{"password", same(wire.Password{Old: "x", New: "y"}), but(all(wire.CodeBadLogin), guest, wire.CodeNotAllowed)},
		{"tokens", same(wire.Tokens{}), all(ok)},
		{"revoke", same(wire.Revoke{Device: "x"}), all(wire.CodeBadToken)},
		{"attach to a room", same(wire.Attach{Log: "kitchen"}), members(ok)},
		{"attach to a room that is not there", same(wire.Attach{Log: "nowhere"}), all(wire.CodeNotMember)},
		{"attach to another's log", same(wire.Attach{Log: "ac/bob"}), all(wire.CodeNotMember)},
		{"attach to others' conversation", same(wire.Attach{Log: "dm/bob/carol"}), all(wire.CodeNotMember)},
		{"attach to the nodes' log", same(wire.Attach{Log: "pr"}), all(wire.CodeNotMember)},
		{"attach to one's own log", func(me string) wire.Request { return wire.Attach{Log: "ac/" + me} }, all(ok)},
		{"history", same(wire.History{Log: "kitchen", N: 1}), members(ok)},
		{"history of others", same(wire.History{Log: "dm/bob/carol", N: 1}), all(wire.CodeNotMember)},
		{"history at a time", same(wire.History{Log: "kitchen", N: 1, At: 1}), members(ok)},
		{"history around", same(wire.History{Log: "ac/bob", N: 1, Around: 1}), all(wire.CodeNotMember)},
		{"say", same(wire.Say{Log: "kitchen", Counter: 1, Text: "x"}), members(ok)},
		{"say in another's log", same(wire.Say{Log: "ac/bob", Counter: 2, Text: "x"}), all(wire.CodeNotMember)},
		{"say in one's own log", func(me string) wire.Request { return wire.Say{Log: "ac/" + me, Counter: 2, Text: "x"} }, all(wire.CodeNotMember)},
		{"say in others' conversation", same(wire.Say{Log: "dm/bob/carol", Counter: 2, Text: "x"}), all(wire.CodeNotMember)},
		{"announce a file of somebody else", same(wire.Say{Log: "kitchen", Counter: 3, File: file}), all(wire.CodeNoFile)},
		{"say directly", direct, but(all(ok), blocked, wire.CodeBlocked)},
		{"begin a conversation", same(wire.Direct{Peer: "Bob"}), all(ok)},
		{"with nobody", same(wire.Direct{Peer: "nobody"}), all(wire.CodeNoUser)},
		{"with oneself", func(me string) wire.Request { return wire.Direct{Peer: me} }, all(wire.CodeSelf)},
		{"mark", same(wire.Mark{Log: "kitchen", Seq: 1}), members(ok)},
		{"mark in others' conversation", same(wire.Mark{Log: "dm/bob/carol", Seq: 1}), all(wire.CodeNotMember)},
		{"typing", same(wire.Typing{Log: "kitchen", On: true}), members(ok)},
		{"who is in the room", same(wire.Who{Log: "kitchen"}), members(ok)},
		{"who is online", same(wire.Who{}), all(ok)},
		{"since", same(wire.Since{Ago: 1000}), all(ok)},
		{"presence", same(wire.Presence{State: wire.StateAway}), all(ok)},
		{"topic", same(wire.Topic{Log: "kitchen", Text: "food"}), members(ok)},
		{"topic of others", same(wire.Topic{Log: "dm/bob/carol", Text: "x"}), all(wire.CodeNotMember)},
		{"rooms", same(wire.Rooms{}), all(ok)},
		{"conversations", same(wire.Conversations{}), all(ok)},
		{"contacts", same(wire.Contacts{}), all(ok)},
		{"add a contact", same(wire.AddContact{Name: "bob"}), all(ok)},
		{"add nobody", same(wire.AddContact{Name: "nobody"}), all(wire.CodeNoUser)},
		{"remove a contact", same(wire.RemoveContact{Name: "bob"}), all(ok)},
		{"introduce", same(wire.Private{Peer: "bob", Call: []byte{1}, Step: wire.StepRequest}), but(all(ok), blocked, wire.CodeBlocked)},
		{"introduce to who is away", same(wire.Private{Peer: "carol", Call: []byte{1}, Step: wire.StepRequest}), all(wire.CodeNotThere)},
		{"whisper to nobody", same(wire.Whisper{Name: "nobody", Text: "x"}), all(wire.CodeNoUser)},
		{"block", same(wire.Block{Name: "bob"}), all(ok)},
		{"blocked", same(wire.Blocked{}), all(ok)},
		{"say to whom one has blocked", direct, all(wire.CodeBlocked)},
		{"unblock", same(wire.Unblock{Name: "bob"}), all(ok)},
		{"upload", same(wire.Upload{Digest: digest, Size: 1}), all(ok)},
		{"download what is no file", same(wire.Download{Log: "kitchen", Seq: 1}), members(wire.CodeNoFile)},
		{"download from others", same(wire.Download{Log: "dm/bob/carol", Seq: 1}), all(wire.CodeNotMember)},
		{"chunk", same(wire.Chunk{Data: []byte{1}}), but(all(wire.CodeOutOfOrder), 1, wire.CodeOutOfOrder)},
		{"finish", same(wire.Finish{}), but(all(wire.CodeOutOfOrder), 1, wire.CodeOutOfOrder)},
		{"leave", same(wire.Leave{Log: "kitchen"}), members(ok)},
		{"leave again", same(wire.Leave{Log: "kitchen"}), all(wire.CodeNotMember)},
		{"join", same(wire.Join{Room: "hall"}), all(ok)},
		{"join a log of the server's", same(wire.Join{Room: "ac/bob"}), all(wire.CodeBadName)},
		{"be a guest", same(wire.Guest{Name: "x"}), but(all(wire.CodeLoggedIn), 1, ok)}, // Logs the stranger in.
		{"transfer", same(wire.Transfer{Token: "x"}), but(all(wire.CodeOutOfOrder), 1, wire.CodeOutOfOrder)},
		{"log out", same(wire.LogOut{}), but(all(ok), 1, ok)},
	}
	engine := new(changes)
	inWorld(t, setUp{files: true, engine: func(e chat.Engine) chat.Engine { engine.Engine = e; return engine }}, func(w *world) {
		tested := map[wire.Type]bool{}
		w.register("carol").hangUp()
		bob := w.register("bob")
		for i, name := range askers {
			c, me := w.asker(name)
			if name == "blocked" {
				ask[wire.Done](bob, wire.Block{Name: me})
			}
			for _, row := range rows {
				if name == "nobody" && row.name == "hello again" {
					continue // It is what ends being nobody.
				}
				req := row.ask(me)
				tested[req.Type()] = true
				bob.take()
				before := engine.n.Load()
				got, reply := ok, c.answer(c.send(req))
				if e, refused := reply.(wire.Error); refused {
					got = e.Code
					told := bob.take() // After everything has come to rest.
					if n := engine.n.Load() - before; n != 0 || len(told) != 0 || e.Text == "" {
						t.Errorf("%s, %s: refused with %q, changed %d things and told bob %+v", name, row.name, e.Text, n, told)
					}
				}
				if want := row.want[i]; got != want {
					t.Errorf("%s, %s: got %v (%+v), want %v", name, row.name, got, reply, want)
				}
				if c.isClosed() {
					t.Fatalf("%s, %s: the session has ended", name, row.name)
				}
			}
		}
		for typ := range wire.Type(100) {
			_, req, _ := wire.DecodeRequest(wire.AppendReply(nil, wire.Head{Type: typ, ID: 1}, wire.Done{}))
			if _, unknown := req.(wire.Unknown); !unknown && typ != wire.TypeError && !tested[typ] {
				t.Errorf("request %d is not tested", typ)
			}
		}
	})
}

// same asks the same whoever asks.
func same(m wire.Request) func(string) wire.Request { return func(string) wire.Request { return m } }

// direct says something to bob.
func direct(me string) wire.Request {
	return wire.Say{Log: fmt.Sprintf("dm/%s/%s", min(me, "bob"), max(me, "bob")), Counter: 4, Text: "x"}
}

// asker returns a client of one of those kinds, and the name of its account.
func (w *world) asker(kind string) (*client, string) {
	switch kind {
	case "nobody":
		c := w.open(kind, session.TransportUDP).read()
		c.write([]byte(Greeting))
		return c, "x"
	case "stranger":
		return w.begin(kind), "x"
	case "guest":
		c := w.begin(kind)
		in := ask[wire.LoggedIn](c, wire.Guest{Name: "gast"})
		ask[wire.Place](c, wire.Join{Room: "kitchen"})
		return c, in.Account
	}
	c := w.register(kind)
	if kind != "outsider" {
		ask[wire.Place](c, wire.Join{Room: "kitchen"})
	}
	return c, kind
}

// What somebody has blocked is neither pushed to it nor in the history it reads, in a room; others see it.
func TestBlockedAreNotHeardInRooms(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob, eve := w.register("ann"), w.register("bob"), w.register("eve")
		for _, c := range []*client{ann, bob, eve} {
			ask[wire.Place](c, wire.Join{Room: "kitchen"})
		}
		ask[wire.Done](ann, wire.Block{Name: "eve"})
		time.Sleep(time.Second)
		ask[wire.Said](eve, wire.Say{Log: "kitchen", Counter: 1, Text: "from eve"})
		ask[wire.Said](bob, wire.Say{Log: "kitchen", Counter: 1, Text: "from bob"})
		if ev := bob.event(wire.KindSaid); ev.Text != "from eve" {
			t.Errorf("bob: got %+v", ev)
		}
		if ev := ann.event(wire.KindSaid); ev.Text != "from bob" {
			t.Errorf("ann: got %+v", ev)
		}
		for _, ev := range ask[wire.Page](ann, wire.History{Log: "kitchen", N: 20}).Events {
			if ev.Account == "eve" && ev.Kind == wire.KindSaid {
				t.Errorf("ann reads %+v", ev)
			}
		}
		for _, p := range ask[wire.People](eve, wire.Who{}).People {
			if p.Account == "ann" {
				t.Errorf("eve sees %+v", p)
			}
		}
	})
}

// Contacts are one-sided, then mutual; both sides hear of it in their own logs.
func TestContacts(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		contacts := func(c *client) map[string]wire.Contact {
			all := map[string]wire.Contact{}
			for _, p := range ask[wire.People](c, wire.Contacts{}).People {
				all[p.Account] = p.Contact
			}
			return all
		}
		ask[wire.Done](ann, wire.AddContact{Name: "BOB"})
		if got := contacts(bob); got["ann"] != wire.ContactTheirs {
			t.Errorf("bob: %v", got)
		}
		if got := contacts(ann); got["bob"] != wire.ContactMine {
			t.Errorf("ann: %v", got)
		}
		ask[wire.Done](bob, wire.AddContact{Name: "ann"})
		if got := contacts(ann); got["bob"] != wire.ContactMine|wire.ContactTheirs {
			t.Errorf("ann: %v", got)
		}
		for _, p := range ask[wire.People](ann, wire.Contacts{}).People {
			if p.State != wire.StateOnline {
				t.Errorf("ann sees %+v", p)
			}
		}
		ask[wire.Done](bob, wire.RemoveContact{Name: "ann"})
		if got := contacts(ann); got["bob"] != wire.ContactMine {
			t.Errorf("ann: %v", got)
		}
	})
}

// However many want to be somebody's contact: whom it has added itself comes first in the list. Who asks on misses nobody, also
// if somebody is removed meanwhile.
func TestContactsAreListedInOrder(t *testing.T) {
	const both = wire.ContactMine | wire.ContactTheirs
	all := map[string]wire.Contact{
		"ann": wire.ContactTheirs, "bob": wire.ContactMine, "cat": wire.ContactTheirs, "dan": both, "zoe": wire.ContactMine,
	}
	want := []string{"bob", "dan", "zoe", "ann", "cat"}
	if got := behind(all, wire.Contacts{}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i, name := range want {
		asked := wire.Contacts{After: name, Contact: all[name]}
		if got := behind(all, asked); !slices.Equal(got, want[i+1:]) {
			t.Errorf("behind %s: got %q, want %q", name, got, want[i+1:])
		}
		delete(all, name)
		if got := behind(all, asked); !slices.Equal(got, want[i+1:]) {
			t.Errorf("behind %s, who is removed: got %q, want %q", name, got, want[i+1:])
		}
	}
}

// More contacts than go into one answer are all had by asking on.
func TestContactsHavePages(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, n := w.register("ann"), 0
		for n <= peopleMax {
			n++
			guest, err := w.accounts.Guest(w.ctx, account.Attempt{}, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.accounts.AddContact(w.ctx, guest.Name, "ann"); err != nil {
				t.Fatal(err)
			}
		}
		seen := make(map[string]bool)
		var asked wire.Contacts
		for more := true; more; {
			page := ask[wire.People](ann, asked)
			for _, p := range page.People {
				if seen[p.Account] {
					t.Errorf("%s is listed twice", p.Account)
				}
				seen[p.Account] = true
				asked = wire.Contacts{After: p.Account, Contact: p.Contact}
			}
			more = page.More
		}
		if len(seen) != n {
			t.Errorf("%d of %d are listed", len(seen), n)
		}
	})
}

// More people than go into one answer are all had by asking on, in the same order.
func TestPeopleHavePages(t *testing.T) {
	var list []chat.Person
	for i := range 2*peopleMax + 1 {
		list = append(list, chat.Person{Account: fmt.Sprint(i), State: chat.Online})
	}
	var got []string
	for more := true; more; {
		page := people(list, uint64(len(got)))
		for _, p := range page.People {
			got = append(got, p.Account)
		}
		more = page.More
	}
	if len(got) != len(list) || got[peopleMax] != fmt.Sprint(peopleMax) {
		t.Errorf("%d of %d are listed", len(got), len(list))
	}
	if page := people(list, 1<<63); len(page.People) != 0 || page.More {
		t.Errorf("behind the last there are %+v", page)
	}
}

// An introduction goes to the devices of the one that is named, with where the server sees the sender.
func TestIntroductionsReachThePeer(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		ask[wire.Done](ann, wire.Private{
			Peer: "Bob", Call: []byte{7}, Step: wire.StepRequest, Key: []byte("key"), Addresses: []string{"192.0.2.1:5000"},
		})
		got := push[wire.Private](bob, nil)
		if got.Peer != "ann" || got.Device != ann.device || got.Step != wire.StepRequest || string(got.Key) != "key" || got.Seen == "" {
			t.Errorf("got %+v", got)
		}
		ask[wire.Done](bob, wire.Private{Peer: got.Peer, Device: got.Device, Call: got.Call, Step: wire.StepAccept})
		if got := push[wire.Private](ann, nil); got.Peer != "bob" || got.Step != wire.StepAccept {
			t.Errorf("got %+v", got)
		}
	})
}
