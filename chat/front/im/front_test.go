package im

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/im"
)

func in(t *testing.T, users string, f func(w *stage.World)) {
	t.Helper()
	stage.InWithAccounts(t, cast, map[string]string{"users": users, "rate": "-1"}, f)
}

// A client is a connection and the packets it got.
type client struct {
	*stage.Conn
	t *testing.T
}

func logIn(t *testing.T, w *stage.World, name string) client {
	t.Helper()
	return logInFrom(t, w, name, "10.0.0.2:50001")
}

func logInFrom(t *testing.T, w *stage.World, name, remote string) client {
	t.Helper()
	c := client{w.OpenFrom(name+fmt.Sprint(rand.Uint32()), "im", "tcp", remote), t}
	c.do(wire.Login{User: name, Password: name, HasPassword: true})
	synctest.Wait()
	if writes, _ := c.Take(); len(writes) != 1 || string(writes[0]) != "[200] success" {
		t.Fatalf("%s logs in: got %q", name, writes)
	}
	return c
}

func (c client) do(req wire.Request) { c.Send(string(wire.AppendRequest(nil, req))) }

// got returns the packets of the last time and of the next second, as "200 text".
func (c client) got() string {
	c.t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	writes, _ := c.Take()
	var all []string
	for _, b := range writes {
		rep, err := wire.ParseReply(b)
		if text, ok := rep.(wire.Text); ok {
			all = append(all, fmt.Sprintf("%d %s", text.Code, text.Text))
			continue
		}
		all = append(all, fmt.Sprintf("%+v%v", rep, err))
	}
	return strings.Join(all, "|")
}

func (c client) want(what, want string) {
	c.t.Helper()
	if got := c.got(); got != want {
		c.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// A listener is a Receiver and Hearer that writes down what it is told.
type listener struct {
	mu  sync.Mutex
	all []string
}

func (l *listener) Receive(ev *chat.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ev.Kind == chat.KindSaid {
		l.all = append(l.all, ev.Name+": "+ev.Text)
	}
}

func (l *listener) Hear(w *chat.Whisper) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, w.From+" whispers "+w.Text)
	w.Done(nil)
}

func (l *listener) take() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return strings.Join(all, "|")
}

// native logs a device of another protocol in.
func native(t *testing.T, w *stage.World, name string) (*chat.Device, *listener) {
	t.Helper()
	l := new(listener)
	d, err := w.Hub.LogIn(context.Background(), chat.Login{Account: name, Device: account.NewDevice()}, l)
	if err != nil {
		t.Fatal(err)
	}
	return d, l
}

func TestMatchTellsTheProtocolByItsFirstWord(t *testing.T) {
	f := New(Config{Accounts: new(account.Service)})
	for prefix, want := range map[string]front.Match{
		"[": front.More, "[log": front.More, "[login]": front.Yes, "[login] {": front.Yes, "\n[register] ": front.Yes, "[whoelse] {}": front.No, "HELO": front.No,
		"[logout]": front.No, "login": front.No,
	} {
		if got := f.Match([]byte(prefix)); got != want {
			t.Errorf("%q: got %v, want %v", prefix, got, want)
		}
	}
}

// A conversation in one segment, in segments of one byte, and cut in two at every byte gets the same bytes.
func TestConversationCutAtEveryByte(t *testing.T) {
	text := `[login] {"user": "hans"}[login] {"user": "hans", "password": "hans"}` + "\n" + `[whoelse] {} x [message] {"reciever": "yoda", "message": "h\u00e9 }"}[block] {'block': 'yoda'}[refresh] {}` + "\n" +
		`[register] {"filename": "x", "size": 9, "chunks": 3, "chunk": [1, 2]}[searchChunk] {"file": "x", "chunk": "2,3"}[searchFile] {"filename": "\u00fc"}` + "[logout] {}"
	want := "[200] success|[200] success|[200] |[400] Error. Invalid command\n|[200] |[200] yoda is blocked\n" +
		"|[200] Ok\n|[200] Available\n9 bytes, 3 chunks, 1 users\nhans: 2\n|[200] Not available\n"
	for cut := 0; cut <= len(text); cut++ {
		in(t, "hans,yoda", func(w *stage.World) {
			c := w.Open("a", "im", "tcp")
			pieces := []string{text[:cut], text[cut:]}
			if cut == 0 {
				pieces = strings.Split(text, "")
			}
			for _, piece := range pieces {
				c.Send(piece)
				synctest.Wait()
			}
			time.Sleep(10 * time.Second)
			writes, _ := c.Take()
			var got []string
			for _, b := range writes {
				got = append(got, string(b))
			}
			if all := strings.Join(got, "|"); all != want {
				t.Errorf("cut at %d: got %q, want %q", cut, all, want)
			}
			if got := w.Ended(); !slices.Equal(got, []string{"a: " + ErrGoodbye.Error()}) {
				t.Errorf("cut at %d: got ends %q", cut, got)
			}
		})
	}
}

func TestVisitorsOfTheRoomAreSeenAndHeard(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans := logIn(t, w, "hans")
		l := new(listener)
		bob, err := w.Hub.Enter("bob", l, chat.SmallIDs, chat.SharedName)
		if err != nil {
			t.Fatal(err)
		}
		defer bob.Close(context.Background(), chat.ReasonLost)
		lobby, err := bob.Join(context.Background(), "lobby")
		if err != nil {
			t.Fatal(err)
		}
		hans.want("a visitor comes", "200 bob has logged in\n")
		if err := bob.Say(context.Background(), lobby, "", "hi\x1b[2J all"); err != nil {
			t.Fatal(err)
		}
		hans.want("a visitor says something", "200 bob: hi[2J all\n")
		hans.do(wire.Broadcast{Text: "hi bob"})
		hans.want("a broadcast", "200 ")
		if got := l.take(); got != "bob: hi\x1b[2J all|hans: hi bob" {
			t.Errorf("bob heard %q", got)
		}
		hans.do(wire.WhoElse{})
		hans.want("whoelse", "200 bob\n")
		hans.do(wire.Message{To: "bob", Text: "psst"})
		hans.want("a message to a visitor", "200 ")
		if got := l.take(); got != "hans whispers psst" {
			t.Errorf("bob heard %q", got)
		}
		if _, err := bob.Whisper("hans", "yes?"); err != nil {
			t.Fatal(err)
		}
		hans.want("a visitor whispers", "200 bob: yes?\n")
		if _, err := w.Hub.Enter("Hans", new(listener), chat.SmallIDs, chat.SharedName); err == nil {
			t.Error("a visitor may have the name of an account")
		}
		if err := bob.Close(context.Background(), chat.ReasonLost); err != nil {
			t.Fatal(err)
		}
		hans.want("a visitor goes", "200 bob has logged out\n")
	})
}

// Who has blocked the sender of a broadcast does not get it, whatever its program is, and the sender is told that somebody has not.
func TestBroadcastIsHeldBackFromOtherProgramsToo(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		ctx := context.Background()
		hans := logIn(t, w, "hans")
		yoda, l := native(t, w, "yoda")
		defer yoda.Close(ctx)
		hans.want("yoda comes", "200 yoda has logged in\n")
		if err := w.Accounts.Block(ctx, "yoda", "hans"); err != nil {
			t.Fatal(err)
		}
		hans.do(wire.Broadcast{Text: "one"})
		hans.want("yoda is in no room", "200 ")
		if _, err := yoda.Join(ctx, "lobby"); err != nil {
			t.Fatal(err)
		}
		hans.do(wire.Broadcast{Text: "two"})
		hans.want("yoda has blocked hans", "200 Your message could not be delivered to some recipients\n")
		if err := w.Accounts.Unblock(ctx, "yoda", "hans"); err != nil {
			t.Fatal(err)
		}
		hans.do(wire.Broadcast{Text: "three"})
		hans.want("and no longer", "200 ")
		if got := l.take(); got != "hans: three" {
			t.Errorf("yoda heard %q", got)
		}
	})
}

// What was read with another program is not shown again, and what was said there by oneself is not shown at all.
func TestAnotherProgramOfTheSameUser(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		yoda := logIn(t, w, "yoda")
		hansToo, l := native(t, w, "hans")
		defer hansToo.Close(context.Background())
		yoda.want("hans comes with another program", "200 hans has logged in\n")
		for _, state := range []chat.Presence{chat.Away, chat.Online} {
			if err := hansToo.SetPresence(state); err != nil {
				t.Fatal(err)
			}
			yoda.want("hans is "+state.String(), "")
		}
		yoda.do(wire.Message{To: "hans", Text: "one"})
		yoda.do(wire.Message{To: "hans", Text: "two"})
		yoda.want("messages", "200 |200 ")
		log := chat.DirectLog("hans", "yoda")
		place, err := hansToo.Attach(context.Background(), log)
		if err != nil {
			t.Fatal(err)
		}
		if err := hansToo.Mark(context.Background(), log, place.Head-1); err != nil { // It has read one of them.
			t.Fatal(err)
		}
		hans := logIn(t, w, "hans")
		hans.want("the other one", "200 yoda: two\n")
		yoda.want("it is no log-in of somebody who is there", "")
		if _, err := hansToo.Say(context.Background(), log, 1, chat.Content{Text: "from elsewhere"}); err != nil {
			t.Fatal(err)
		}
		yoda.want("said elsewhere", "200 hans: from elsewhere\n")
		hans.want("oneself", "")
		yoda.do(wire.Message{To: "hans", Text: "three"})
		hans.want("to both", "200 yoda: three\n")
		if got := l.take(); got != "hans: from elsewhere|yoda: three" {
			t.Errorf("the other program heard %q", got)
		}
		hans.EOF()
		yoda.want("one program goes", "200 ")
		if err := hansToo.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		yoda.want("and the other", "200 hans has logged out\n")
	})
}

// Whoever is blocked at once by somebody who has just come is not told that that one has gone.
func TestBlockRightAfterTheLogInIsNoLogOut(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		yoda := logIn(t, w, "yoda")
		time.Sleep(time.Second)
		hans := logIn(t, w, "hans")
		hans.do(wire.Block{User: "yoda"})
		time.Sleep(10 * time.Millisecond)
		hans.do(wire.Unblock{User: "yoda"})
		hans.want("hans", "200 yoda is blocked\n|200 yoda is unblocked\n")
		yoda.want("yoda", "200 hans has logged in\n")
		hans.EOF()
		yoda.want("yoda", "200 hans has logged out\n")
	})
}

// However messages and log-ins fall together, each message is shown once and in order.
func TestEveryMessageIsShownOnceAndInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	in(t, "hans,yoda,luke", func(w *stage.World) {
		r := rand.New(rand.NewPCG(seed, 0))
		senders := []client{logIn(t, w, "hans"), logIn(t, w, "luke")}
		var yoda *client
		shown := map[string]string{}
		said := map[string]string{}
		look := func() {
			for part := range strings.SplitSeq(yoda.got(), "|") {
				for line := range strings.Lines(strings.TrimPrefix(part, "200 ")) {
					if name, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); ok {
						shown[name] += text + " "
					}
				}
			}
		}
		for i := range 300 {
			switch s := r.IntN(len(senders)); r.IntN(12) {
			case 0:
				if yoda != nil {
					look()
					yoda.EOF()
					synctest.Wait()
					yoda = nil
				}
			case 1:
				if yoda == nil {
					yoda = &client{w.Open(fmt.Sprint("yoda", i), "im", "tcp"), t}
					yoda.do(wire.Login{User: "yoda", Password: "yoda", HasPassword: true})
				}
			case 2:
				time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			default:
				senders[s].do(wire.Message{To: "yoda", Text: fmt.Sprint(i)})
				said[[]string{"hans", "luke"}[s]] += fmt.Sprint(i) + " "
				if r.IntN(2) == 0 {
					synctest.Wait()
				}
			}
		}
		if yoda == nil {
			yoda = &client{w.Open("yoda in the end", "im", "tcp"), t}
			yoda.do(wire.Login{User: "yoda", Password: "yoda", HasPassword: true})
		}
		time.Sleep(20 * time.Second)
		look()
		for _, name := range []string{"hans", "luke"} {
			if shown[name] != said[name] {
				t.Errorf("of what %s said\n%s\nwas shown\n%s", name, said[name], shown[name])
			}
		}
	})
}

// What comes while a log is being read is not shown at once, which could be too early or once more; the log is read again.
func TestWhatComesWhileALogIsReadIsReadToo(t *testing.T) {
	dm := &talk{log: "dm/hans/yoda", head: 4}
	m := &member{talks: map[string]*talk{dm.log: dm}} // Nothing may leave: it has no out.
	before := dm.head
	m.said(&chat.Event{Kind: chat.KindSaid, RoomName: dm.log, Seq: 5, Account: "hans", Text: "x"})
	if dm.head != 5 || m.upToDate(dm, before) || dm.live {
		t.Errorf("after a message came: %+v", dm)
	}
	if !m.upToDate(dm, 5) || !dm.live {
		t.Errorf("after it was read: %+v", dm)
	}
}

// Packets leave so far apart that a client does not take two for one; when many wait, messages share them.
func TestPacketsLeaveOneByOne(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans, yoda := logIn(t, w, "hans"), logIn(t, w, "yoda")
		hans.got()
		const many = 200
		for i := range many {
			hans.do(wire.Message{To: "yoda", Text: fmt.Sprint("number ", i)})
		}
		var last time.Time
		texts, packets := "", 0
		for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(time.Millisecond) {
			synctest.Wait()
			writes, _ := yoda.Take()
			for _, b := range writes {
				if d := time.Since(last); d < gap {
					t.Fatalf("a packet %v after the one before", d)
				}
				if !onePacket(b) {
					t.Fatalf("not one packet: %q", b)
				}
				last = time.Now()
				packets++
				texts += strings.TrimPrefix(string(b), "[200] ")
			}
		}
		want := ""
		for i := range many {
			want += fmt.Sprintf("hans: number %d\n", i)
		}
		if texts != want {
			t.Errorf("got %q", texts)
		}
		if packets > many/4 {
			t.Errorf("%d packets for %d messages", packets, many)
		}
	})
}

func TestLongTextsLeaveAsPacketsThatCanBeRead(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans, yoda := logIn(t, w, "hans"), logIn(t, w, "yoda")
		hans.got()
		text := strings.Repeat("wörd ", 2000)
		hans.do(wire.Message{To: "yoda", Text: text})
		got := strings.ReplaceAll(yoda.got(), "|200 ", "")
		if got != "200 hans: "+text+"\n" {
			t.Errorf("got %d bytes, want %d", len(got), len(text))
		}
		hans.want("a reply", "200 ")
		hans.do(wire.Message{To: "yoda", Text: strings.Repeat("x", 65530)})
		hans.want("too long", "400 Error. Invalid command\n")
		hans.do(wire.Message{To: "yoda", Text: strings.Repeat("x", 1000)})
		hans.want("after that", "200 ")
	})
}

// Who does not read is cut off, and the others are not held up.
func TestSlowReaderIsCutOff(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans, yoda := logIn(t, w, "hans"), logIn(t, w, "yoda")
		hans.got()
		yoda.Stick()
		for range 400 {
			hans.do(wire.Message{To: "yoda", Text: strings.Repeat("x", 10_000)})
		}
		time.Sleep(10 * time.Minute)
		if got := w.Ended(); len(got) == 0 || !strings.HasPrefix(got[0], "yoda") {
			t.Errorf("got ends %q, want that of the slow one", got)
		}
	})
}

func TestLockOfTheNameDoesNotLockOtherProtocols(t *testing.T) {
	in(t, "hans", func(w *stage.World) {
		c := client{w.Open("a", "im", "tcp"), t}
		for range 3 {
			c.do(wire.Login{User: "hans", Password: "x", HasPassword: true})
		}
		if got := c.got(); !strings.HasSuffix(got, "403 "+textNowLocked) {
			t.Errorf("got %q", got)
		}
		secret, err := passwd.Clear("hans")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Accounts.LogIn(context.Background(), account.Attempt{From: netip.MustParseAddr("10.0.0.2")}, "hans", secret); err != nil {
			t.Errorf("by another protocol: %v", err)
		}
	})
}

func TestAnotherPasswordEndsTheSession(t *testing.T) {
	in(t, "hans", func(w *stage.World) {
		hans := logIn(t, w, "hans")
		old, _ := passwd.Clear("hans")
		secret, err := passwd.Clear("new")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Accounts.ChangePassword(context.Background(), account.Attempt{}, "hans", old, secret, ""); err != nil {
			t.Fatal(err)
		}
		hans.want("the last packet", "{Text:Your password was changed}<nil>")
		if got := w.Ended(); len(got) != 1 || !strings.HasSuffix(got[0], ErrPassword.Error()) {
			t.Errorf("got ends %q", got)
		}
	})
}

func TestAnotherPasswordWhileLoggingInEndsTheSession(t *testing.T) {
	hook := stage.NewLogInHook()
	stage.InWithAccountsOn(t, cast, map[string]string{"users": "hans", "rate": "-1"}, hook, func(w *stage.World) {
		old, _ := passwd.Clear("hans")
		secret, _ := passwd.Clear("new")
		hook.Do = func() {
			if err := w.Accounts.ChangePassword(context.Background(), account.Attempt{}, "hans", old, secret, ""); err != nil {
				t.Error(err)
			}
		}
		c := client{w.Open("a", "im", "tcp"), t}
		c.do(wire.Login{User: "hans", Password: "hans", HasPassword: true})
		c.got()
		if got := w.Ended(); len(got) != 1 || !strings.HasSuffix(got[0], ErrPassword.Error()) {
			t.Errorf("got ends %q", got)
		}
	})
}

func TestWhereTheTargetListens(t *testing.T) {
	for _, c := range []struct{ said, seen, origin, us, want string }{
		{"0.0.0.0", "198.51.100.7", "203.0.113.9", "192.0.2.1", "198.51.100.7"},
		{"", "198.51.100.7", "203.0.113.9", "192.0.2.1", "198.51.100.7"},
		{"::", "2001:db8::7", "203.0.113.9", "192.0.2.1", "2001:db8::7"},
		{"my-laptop", "198.51.100.7", "203.0.113.9", "192.0.2.1", "198.51.100.7"},
		{"0.0.0.0", "::ffff:198.51.100.7", "203.0.113.9", "192.0.2.1", "198.51.100.7"},
		{"192.168.1.5", "198.51.100.7", "198.51.100.7", "192.0.2.1", "192.168.1.5"},
		{"0.0.0.0", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0", "127.0.0.1", "203.0.113.9", "192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "fe80::1%eth0", "203.0.113.9", "192.0.2.1", "fe80::1"},
	} {
		addr := netip.MustParseAddr
		if got := place(c.said, addr(c.seen), addr(c.origin), addr(c.us)); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestOneUserIsNotAskedByThousands(t *testing.T) {
	m := new(member)
	for i := range 100 {
		m.invited(fmt.Sprint(i))
		m.invited("friend")
	}
	if len(m.invites) > invitesMax || !m.answered("friend") || m.answered("friend") || m.answered("1") {
		t.Errorf("remembers %d", len(m.invites))
	}
}

// Every refusal of the core and of the accounts has an answer, but for those that cannot be here.
func TestEveryCodeHasAnAnswer(t *testing.T) {
	var log strings.Builder
	f := New(Config{Accounts: new(account.Service), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	impossible := []chat.Code{
		chat.CodeNotMember, chat.CodeNoRoom, chat.CodeBadName, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeQuota, chat.CodeBadContent,
		chat.CodeStale, chat.CodeReused, chat.CodeNameTaken,
	}
	for code := chat.Code(1); !strings.HasPrefix(code.String(), "Code("); code++ {
		log.Reset()
		f.sayRefused(context.Background(), &chat.Error{Code: code})
		if got := log.Len() > 0; got != slices.Contains(impossible, code) {
			t.Errorf("%v: logged: %v", code, got)
		}
	}
	never := []account.Code{
		account.CodeNoAccount, account.CodeNotFound, account.CodeSelf, account.CodeTooMany, account.CodeTooLong, account.CodeQuota, account.CodeGuest,
	}
	for code := account.Code(1); code.String() != "invalid"; code++ {
		log.Reset()
		rep, _ := f.logInRefused(context.Background(), &account.Error{Code: code})
		if got := log.Len() > 0; got != slices.Contains(never, code) {
			t.Errorf("%v: logged: %v", code, got)
		}
		if text := rep.(wire.Text).Text; !strings.HasSuffix(text, "\n") {
			t.Errorf("%v: the text %q does not end its line", code, text)
		}
	}
	log.Reset()
	secretive := errors.New("the disk \x1b[31m is full of secrets")
	rep := f.sayRefused(context.Background(), secretive)
	if text := rep.(wire.Text).Text; strings.Contains(text, "secrets") || !strings.Contains(log.String(), "secrets") {
		t.Errorf("an error of the engine: said %q, logged %q", text, log.String())
	}
}
