package client

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/front"
	nativefront "udpchat/chat/front/native"
	"udpchat/chat/passwd"
	chatserver "udpchat/chat/server"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// A realServer is the server as it is, but for its disk: what the engine keeps survives its crashes.
type realServer struct {
	t        *testing.T
	net      *netem.Network
	identity *reliable.Identity
	engine   chat.Engine
	spool    string

	endpoint *reliable.Endpoint
	accounts *account.Service
	hub      *chat.Hub
	front    *nativefront.Front
	server   *chatserver.Server
	serving  sync.WaitGroup
}

// up starts the server.
func (s *realServer) up() {
	s.t.Helper()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	ctx := context.Background()
	var err error
	s.accounts, err = account.New(ctx, account.Config{
		Engine: s.engine, Open: true, Guests: true, Passwords: passwd.Config{MemoryKiB: 8, Passes: 1},
	})
	must(err)
	s.hub, err = chat.New(chat.Config{Engine: s.engine, Accounts: s.accounts, Reserved: s.accounts.Reserved})
	must(err)
	s.front, err = nativefront.New(nativefront.Config{
		Accounts: s.accounts, Engine: s.engine, Open: true, Guests: true, Spool: s.spool, FileBytesMax: 1 << 20,
	})
	must(err)
	s.server = chatserver.New(s.hub, chatserver.Config{})
	sock, err := s.net.ListenPacket(serverAddr)
	must(err)
	s.endpoint, err = reliable.NewEndpoint(sock, reliable.Config{Identity: s.identity, Streams: 4, StreamBacklog: 16})
	must(err)
	for _, l := range []chatserver.Listener{
		{Listener: s.endpoint.Listener(), Transport: session.TransportUDP, Fronts: []front.Front{s.front}},
		{Listener: s.endpoint.StreamListener(), Transport: session.TransportStream, Fronts: []front.Front{s.front}},
	} {
		s.serving.Go(func() {
			if err := s.server.Serve(ctx, l); err != nil {
				s.t.Error(err)
			}
		})
	}
}

// crash ends the server as a kill does: nothing of it is heard any more.
func (s *realServer) crash(clients ...netip.AddrPort) {
	for _, c := range clients {
		s.net.Path(serverAddr, c).Cut(true)
	}
	s.down()
	for _, c := range clients {
		s.net.Path(serverAddr, c).Cut(false)
	}
}

func (s *realServer) down() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.server.Shutdown(now)
	_ = s.endpoint.Shutdown(now)
	s.serving.Wait()
	s.front.Close()
	_ = s.hub.Close()
}

// TestTalkWithTheRealServer: three people talk across loss while the server is killed again and again. All hear the same, each
// message once, in one order, and nothing that was acknowledged is missing.
func TestTalkWithTheRealServer(t *testing.T) {
	seed := rand.Uint64()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	path, content := someFile(t, 100_000)
	spool, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 0))
		id, err := reliable.NewIdentity(nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &realServer{t: t, net: netem.NewNetwork(seed), identity: id, engine: memory.New(memory.Config{}), spool: spool}
		s.up()
		names := []string{"ann", "bob", "cat"}
		var addrs []netip.AddrPort
		var clients []*Client
		var heard []*collector
		for i, name := range names {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + i)}), 5000)
			link := netem.Params{Delay: 30 * time.Millisecond, Loss: 0.1}
			s.net.Connect(addr, serverAddr, netem.Profile{Up: link, Down: link}, rng.Uint64())
			w := &world{T: t, net: s.net}
			c := w.dialFrom(addr, Config{Account: name, Password: "correct horse", Register: true})
			addrs, clients, heard = append(addrs, addr), append(clients, c), append(heard, collect(c))
			if _, err := c.Join(t.Context(), "lobby", 0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)

		const most = 40
		var talking sync.WaitGroup
		for i, c := range clients {
			talking.Go(func() {
				for n := 1; n <= most; n++ {
					if _, err := c.Send("lobby", fmt.Sprintf("%s %d", names[i], n)); err != nil {
						t.Error(err)
					}
					time.Sleep(250 * time.Millisecond)
				}
			})
		}
		for range 2 {
			time.Sleep(time.Duration(1+rng.IntN(3)) * time.Second)
			s.crash(addrs...)
			time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
			s.up()
		}
		talking.Wait()
		for i, c := range clients {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := c.Flush(ctx); err != nil {
				t.Errorf("%s: %v", names[i], err)
			}
			cancel()
		}
		time.Sleep(30 * time.Second)
		first := heard[0].said(t, "lobby")
		if len(first) != len(names)*most {
			t.Errorf("ann heard %d messages, want %d", len(first), len(names)*most)
		}
		for i := range names {
			if got := heard[i].said(t, "lobby"); !slices.Equal(got, first) {
				t.Errorf("%s heard %d: %q\nann %d: %q", names[i], len(got), got, len(first), first)
			}
			var own []string
			for _, text := range first {
				if strings.HasPrefix(text, names[i]+" ") {
					own = append(own, text)
				}
			}
			for n, text := range own {
				if want := fmt.Sprintf("%s %d", names[i], n+1); text != want {
					t.Errorf("%q is in the place of %q", text, want)
					break
				}
			}
		}

		// A file, directly, to somebody who has never been spoken to.
		f, err := clients[0].Upload(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := clients[0].Direct(t.Context(), "bob", 0)
		if err != nil {
			t.Fatal(err)
		}
		m, err := clients[0].Announce(p.Log, f)
		if err == nil {
			err = m.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		said := of[Said](heard[1])
		last := said[len(said)-1]
		if last.Peer != "ann" || last.File == nil {
			t.Fatalf("bob heard %+v", last)
		}
		if err := clients[1].Download(t.Context(), last.Log, last.Seq, to, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := clients[2].Block(t.Context(), "ann"); err != nil {
			t.Error(err)
		}
		if people, err := clients[1].Who(t.Context(), "lobby"); err != nil || len(people) != 3 {
			t.Errorf("Who = %+v, %v", people, err)
		}
		for i, c := range clients {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			heard[i].task.Wait()
		}
		s.down()
		s.net.Close()
		if err := s.engine.Close(); err != nil {
			t.Error(err)
		}
	})
}
