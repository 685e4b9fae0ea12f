package jsonchat

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/jsonchat"
)

// TestDevicesStayInStep: some users with some devices, of which some go and come back, send at random. In the end every
// device knows every message of its user, by what it sent, what was forwarded and what it fetched, each forwarded once; and
// all devices fetch the same.
func TestDevicesStayInStep(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const users, devices, steps = 3, 3, 250
	inWorld(t, Config{RequestsPerSecond: -1}, func(w *world) {
		r := rand.New(rand.NewPCG(seed, 1))
		type place struct {
			user    int64
			conn    *client
			token   int64
			knows   map[string]bool // By md5encoded.
			offline bool
		}
		var all []*place
		sent := map[int64][]string{} // By user.
		for u := range int64(users) {
			for d := range devices {
				name := fmt.Sprintf("u%d-%d", u+1, d)
				p := &place{user: u + 1, conn: w.open(name), knows: map[string]bool{}}
				var req wire.Request = wire.Login{Identity: identity(fmt.Sprintf("user%d", u+1))}
				if d == 0 {
					req = wire.Register{Identity: identity(fmt.Sprintf("user%d", u+1))}
				}
				if res := p.conn.do(req, ""); res.Err != "" {
					t.Fatal(res.Err)
				}
				p.token = p.conn.token
				all = append(all, p)
			}
		}
		for i := range steps {
			time.Sleep(time.Millisecond)
			p := all[r.IntN(len(all))]
			switch {
			case r.IntN(10) == 0 && !p.offline:
				p.conn.Lose()
				p.offline = true
			case p.offline:
				p.conn = w.open(fmt.Sprintf("back-%d", i))
				p.conn.token = p.token
				p.offline = false
				if res := p.conn.do(wire.AckFetch{Timestamp: 0}, ""); res.Err != "" {
					t.Fatal(res.Err)
				}
				res := p.conn.do(wire.FetchMsg{}, "")
				list, ok := res.Body.(wire.Messages)
				if !ok {
					t.Fatalf("FETCHMSG: %s", res.Err)
				}
				for _, m := range list.Messages {
					p.knows[*m.MD5] = true
				}
			default:
				to := 1 + r.Int64N(users)
				m := letter(p.user, to, fmt.Sprint("message ", i), time.Now().UnixMilli())
				p.conn.request(wire.SendMsg{Message: m}, "")
				for _, u := range []int64{p.user, to} {
					sent[u] = append(sent[u], *m.MD5)
				}
				p.knows[*m.MD5] = true
			}
			synctest.Wait()
			for _, q := range all {
				for _, m := range q.conn.forwarded() {
					self := m.UserID == m.TargetID // It comes back to the device that knows it.
					if q.knows[*m.MD5] && !self {
						t.Errorf("seed %d: %s was told of a message that it knows", seed, q.conn.Name)
					}
					q.knows[*m.MD5] = true
				}
			}
		}
		for _, p := range all {
			if p.offline {
				continue
			}
			for _, sum := range sent[p.user] {
				if !p.knows[sum] {
					t.Errorf("seed %d: %s does not know message %s", seed, p.conn.Name, sum)
				}
			}
			p.conn.do(wire.AckFetch{Timestamp: 0}, "")
			list := p.conn.do(wire.FetchMsg{}, "").Body.(wire.Messages).Messages
			got := map[string]bool{}
			for i, m := range list {
				got[*m.MD5] = true
				if i > 0 && m.Timestamp > list[i-1].Timestamp {
					t.Errorf("seed %d: %s fetched message %d out of order", seed, p.conn.Name, i)
				}
			}
			want := map[string]bool{}
			for _, sum := range sent[p.user] {
				want[sum] = true
			}
			if !maps.Equal(got, want) || len(list) != len(want) {
				t.Errorf("seed %d: %s fetched %d messages, want %d", seed, p.conn.Name, len(list), len(want))
			}
		}
	})
}

// TestLoginsAndCursorsOutliveTheServer: tokens are good on the next one, and so are cursors.
func TestLoginsAndCursorsOutliveTheServer(t *testing.T) {
	engine := memory.New(memory.Config{})
	open := engineThatStaysOpen{engine}
	var number int64
	file := parcel(2, 1, "a.txt", "file content", 1000)
	inWorldOn(t, Config{}, open, func(w *world) {
		ann, bob := w.join("ann"), w.join("bob")
		bob.do(wire.SendMsg{Message: file}, "file content")
		bob.do(wire.SendMsg{Message: letter(2, 1, "two", 2000)}, "")
		ann.do(wire.AckFetch{Timestamp: 500}, "")
		ann.do(wire.AckFetch{Timestamp: 1000}, "") // Not written down at once.
		number = ann.token
	})
	inWorldOn(t, Config{}, engine, func(w *world) {
		ann := w.open("ann")
		ann.token = number
		if res := ann.do(wire.State{}, ""); res.Err != "" || ann.token != number {
			t.Errorf("after a restart: got %q, token %d", res.Err, ann.token)
		}
		if got := ann.do(wire.FetchMsg{}, "").Body.(wire.Messages).Messages; len(got) != 1 || got[0].Timestamp != 2000 {
			t.Errorf("fetched %v, want the second message", got)
		}
		ann.request(wire.FetchFile{MsgMD5: *file.MD5}, "")
		if got := ann.heard(); len(got) != 1 || !strings.HasSuffix(got[0], `+ "file content"`) {
			t.Errorf("fetched %q", got)
		}
	})
}

// engineThatStaysOpen survives the end of a world.
type engineThatStaysOpen struct{ *memory.Engine }

func (engineThatStaysOpen) Close() error { return nil }

// TestTwoServersOnOneEngine: messages, logging out and new passwords reach the devices on the other one.
func TestTwoServersOnOneEngine(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		other := newWorld(t, Config{}, engineThatStaysOpen{w.engine.(*memory.Engine)})
		defer other.close()
		ann, bob := w.join("ann"), other.open("bob")
		info, ok := bob.do(wire.Register{Identity: identity("bob")}, "").Body.(wire.UserInfo)
		if !ok {
			t.Fatal("bob could not register")
		}
		id := info.UserID // Each server has numbers of its own to give out.
		there := other.open("ann there")
		there.token = ann.token
		if res := there.do(wire.State{}, ""); res.Err != "" {
			t.Fatalf("with the same token on the other server: %s", res.Err)
		}
		if res := ann.do(wire.SendMsg{Message: letter(1, id, "over there", 1)}, ""); res.Err != "" {
			t.Fatal(res.Err, w.log.String())
		}
		if got := bob.forwarded(); len(got) != 1 || *got[0].MD5 != *letter(1, id, "over there", 1).MD5 {
			t.Errorf("bob got %v", got)
		}
		bob.do(wire.SendMsg{Message: letter(id, 1, "and back", 2)}, "")
		for _, c := range []*client{ann, there} {
			got := c.forwarded()
			if !slices.ContainsFunc(got, func(m wire.Message) bool { return m.Timestamp == 2 }) {
				t.Errorf("%s got %v", c.Name, got)
			}
		}
		ann.do(wire.Logout{}, "")
		if res := there.do(wire.State{}, ""); res.Err != string(errNotLoggedIn) {
			t.Errorf("after LOGOUT on the one: got %q on the other", res.Err)
		}
		there.do(wire.Login{Identity: identity("ann")}, "")
		if res := ann.do(wire.State{}, ""); res.Err != "" {
			t.Errorf("after LOGIN on the other: got %q on the one", res.Err)
		}
	})
}

// BenchmarkSend is a message from one connection to another, with a log in memory.
func BenchmarkSend(b *testing.B) {
	engine := memory.New(memory.Config{})
	accounts, err := account.New(b.Context(), account.Config{Engine: engine, Open: true, Passwords: passwd.Config{MemoryKiB: 8, Passes: 1}})
	if err != nil {
		b.Fatal(err)
	}
	hub, err := chat.New(chat.Config{Engine: engine, Accounts: accounts})
	if err != nil {
		b.Fatal(err)
	}
	f, err := New(b.Context(), Config{Engine: engine, Accounts: accounts, RequestsPerSecond: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ann, bob := newPiped(b, f, hub), newPiped(b, f, hub)
	ann.do(b, wire.Register{Identity: identity("ann")}, 2)
	bob.do(b, wire.Register{Identity: identity("bob")}, 2)
	for i := 0; b.Loop(); i++ {
		ann.do(b, wire.SendMsg{Message: letter(1, 2, "hi", int64(i))}, 1)
		bob.read(b, 1)
	}
}

// A piped client is at the other end of a net.Pipe.
type piped struct {
	conn    net.Conn
	decoder wire.Decoder
	token   int64
}

func newPiped(b *testing.B, f *Front, hub *chat.Hub) *piped {
	ours, theirs := net.Pipe()
	s := session.New(ours, session.Config{Transport: session.TransportTCP})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Close(f.Serve(b.Context(), s, hub))
	}()
	b.Cleanup(func() { _ = theirs.Close(); <-done })
	return &piped{conn: theirs}
}

// do sends a request and reads n frames.
func (p *piped) do(b *testing.B, req wire.Request, n int) {
	if _, err := p.conn.Write(wire.AppendFrame(nil, wire.Long, wire.AppendRequest(nil, req, p.token), 0)); err != nil {
		b.Fatal(err)
	}
	p.read(b, n)
}

func (p *piped) read(b *testing.B, n int) {
	buf := make([]byte, 4<<10)
	for n > 0 {
		f, ok, err := p.decoder.Next()
		if err != nil {
			b.Fatal(err)
		}
		if ok {
			res, err := wire.ParseResponse(f.JSON)
			if err != nil || res.Err != "" {
				b.Fatalf("%s: %v", f.JSON, err)
			}
			if t, ok := res.Body.(wire.Token); ok {
				p.token = t.TokenID
			}
			n--
			continue
		}
		got, err := p.conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		p.decoder.Feed(buf[:got])
	}
}
