package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/front"
	labfront "udpchat/chat/front/lab"
	"udpchat/chat/server"
	"udpchat/chat/session"
	"udpchat/chat/store/memory"
	"udpchat/config"
	"udpchat/reliable/plain"
)

// A datagram that seems to come from another server must not make the two talk to each other: one that does never ends.
// Datagrams are cheap to forge, and each would leave such a conversation behind.
func TestTwoServersDoNotAnswerEachOther(t *testing.T) {
	for _, first := range []string{
		"x",
		"HELO there\n",
		"ERROR_CODE: 2\nERROR_DESCRIPTION: what?\n",
		"JOINED_CHATROOM: r\nSERVER_IP: 192.0.2.1\nPORT: 1\nROOM_REF: 1\nJOIN_ID: 1\n",
		"JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: ann\n",
		"LEAVE_CHATROOM: 1\nJOIN_ID: 1\nCLIENT_NAME: ann\n",
		"LEFT_CHATROOM: 1\nJOIN_ID: 1\n",
		"CHAT: 1\nCLIENT_NAME: ann\nMESSAGE: a\nJOIN_ID: 1\n\n",
		"CHAT: 1\nJOIN_ID: 7\nCLIENT_NAME: ann\nMESSAGE: hello\n\n",
		"CHAT: 1\nJOIN_ID: 7\nCLIENT_NAME: JOIN_ID: 1\nMESSAGE: hello\n\n",
		"CHAT: 1\nJOIN_ID: 7\nCLIENT_NAME: MESSAGE: 1\nMESSAGE: hello\nJOIN_ID: 1\n\n",
		strings.Repeat("too long ", 200),
	} {
		t.Run(fmt.Sprintf("%.15q", first), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newTwoServers(t)
				// Both take the other for a member of the room whose number the CHATs have.
				const join = "JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: ann\n"
				p.texts[0].Handle([]byte(join), p.addrs[1], p.addrs[0])
				p.texts[1].Handle([]byte(join), p.addrs[0], p.addrs[1])
				time.Sleep(10 * time.Second)
				p.texts[0].Handle([]byte(first), p.addrs[1], p.addrs[0])
				time.Sleep(10 * time.Second)
				before := p.sent.Load()
				time.Sleep(10 * time.Second)
				if sent := p.sent.Load(); sent != before || sent > 20 {
					t.Errorf("%d datagrams were exchanged, %d of them in the last 10 s", sent, sent-before)
				}
				p.stop()
			})
		})
	}
}

// What clients say must get through, also in the spellings of the field.
func TestRequestsAreNoAnswers(t *testing.T) {
	for _, request := range []string{
		"HELO", "HELO text\n", "HELO IP: 1\n", "CHAT: 1\n", "CHAT: 1\nJOIN_ID: 1\nCLIENT_NAME: a\nMESSAGE: m\n\n",
		"CHAT:1\r\nCLIENT_NAME:a\r\nJOIN_ID:1\r\nMESSAGE:m\r\n\r\n", "JOIN_CHATROOM:r\n", "JOIN CHATROOM: r\n",
		"LEAVE_CHATROOM: 1\nJOIN_ID: 1\n", "DISCONNECT: 0\n", "KILL_SERVICE\n", "hello?\n", "E", "\n",
	} {
		if isLabAnswer([]byte(request)) {
			t.Errorf("%q was taken for what a server says", request)
		}
	}
}

// One connection may carry many clients, and some hundred connections carry as many as there are sessions. Whoever comes
// after them must still get in.
func TestManyClientsOnFewConnectionsLeaveRoomForOthers(t *testing.T) {
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Durability, cfg.SessionsMax, cfg.Listen = t.TempDir(), memoryDurability, 2, []config.Listener{{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto}}
	n, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = n.serve(context.Background()) }) // Ends by stop.
	for i, names := range []int{usersPerSession, 1} {
		conn, err := net.Dial("tcp", n.addrs[0].Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		in := bufio.NewScanner(conn)
		for k := range names {
			fmt.Fprintf(conn, "JOIN_CHATROOM: room%d\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: n%d\n", i, k)
			for answer := ""; !strings.HasPrefix(answer, "JOIN_ID:"); answer = in.Text() {
				if !in.Scan() || strings.HasPrefix(in.Text(), "ERROR") {
					t.Fatalf("connection %d, client %d: got %q, %v", i, k, in.Text(), in.Err())
				}
			}
		}
	}
	if err := n.stop(t.Context()); err != nil {
		t.Error(err)
	}
	serving.Wait()
}

// The address that clients are shown behind address translation could not be set.
func TestAdvertisedAddressIsShown(t *testing.T) {
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Durability, cfg.Advertise, cfg.Listen = t.TempDir(), memoryDurability, "chat.example.org", []config.Listener{{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto}}
	n, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = n.serve(context.Background()) }) // Ends by stop.
	conn, err := net.Dial("tcp", n.addrs[0].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "HELO there\n")
	in := bufio.NewReader(conn)
	_, _ = in.ReadString('\n') // The line itself; an error comes again.
	if line, err := in.ReadString('\n'); line != "IP:chat.example.org\n" {
		t.Errorf("got %q, %v, want the configured address", line, err)
	}
	if err := n.stop(t.Context()); err != nil {
		t.Error(err)
	}
	serving.Wait()
}

// A member may join from one port, have itself answered at another, and from then on speak from there only. It was told
// to have left after five minutes, in the middle of what it said.
func TestMemberThatSpeaksFromItsCallbackPortDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu  sync.Mutex
			got strings.Builder // What was sent to the callback port. Guarded by mu.

			here = netip.MustParseAddrPort("192.0.2.1:4000")
			from = netip.MustParseAddrPort("198.51.100.1:5000")
			back = netip.MustParseAddrPort("198.51.100.1:7000")
		)
		cfg := config.Config{PlainIdleTimeout: 5 * time.Minute, SessionsMax: 100}
		texts := plain.New(plainConfig(cfg, net.UDPAddrFromAddrPort(here), func(b []byte, to netip.AddrPort, _ netip.Addr) error {
			mu.Lock()
			defer mu.Unlock()
			if to == back {
				got.Write(b)
			}
			return nil
		}))
		hub, err := core.New(core.Config{Engine: memory.New(memory.Config{})})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { hub.Close() })
		srv := server.New(hub, server.Config{})
		go srv.Serve(t.Context(), server.Listener{ // Ends by Shutdown.
			Listener: texts, Transport: session.TransportPlain, Fronts: []front.Front{labfront.New(labfront.Config{})}, Call: callPlain,
		})
		texts.Handle([]byte("JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 7000\nCLIENT_NAME: ann\n"), from, here)
		synctest.Wait()
		_, rest, _ := strings.Cut(got.String(), "JOIN_ID: ")
		id, _, _ := strings.Cut(rest, "\n")
		for i := range 5 {
			time.Sleep(4 * time.Minute)
			texts.Handle(fmt.Appendf(nil, "CHAT: 1\nJOIN_ID: %s\nCLIENT_NAME: ann\nMESSAGE: %d\n\n", id, i), back, here)
		}
		synctest.Wait()
		if text := got.String(); !strings.Contains(text, "MESSAGE: 4\n") || strings.Contains(text, "has left") {
			t.Errorf("the member got %q, want all it said and no end", text)
		}
		time.Sleep(10 * time.Minute)
		if s := hub.Stats(); s.Users != 0 {
			t.Errorf("%d users are left of one who is silent", s.Users)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// twoServers answer plain datagrams, over a network that has nobody else.
type twoServers struct {
	t     *testing.T
	addrs [2]netip.AddrPort
	texts [2]*plain.Listener
	nodes [2]*server.Server
	sent  atomic.Int64
}

func newTwoServers(t *testing.T) *twoServers {
	p := &twoServers{t: t, addrs: [2]netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("198.51.100.1:4000"),
	}}
	for i := range p.texts {
		me, other := p.addrs[i], p.addrs[1-i]
		cfg := config.Config{PlainIdleTimeout: time.Minute, SessionsMax: 100}
		p.texts[i] = plain.New(plainConfig(cfg, net.UDPAddrFromAddrPort(me), func(b []byte, to netip.AddrPort, _ netip.Addr) error {
			if to == other && p.sent.Add(1) < 10_000 {
				p.texts[1-i].Handle(b, me, other)
			}
			return nil
		}))
	}
	for i := range p.nodes {
		hub, err := core.New(core.Config{Engine: memory.New(memory.Config{})})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { hub.Close() })
		p.nodes[i] = server.New(hub, server.Config{Logger: slog.New(slog.DiscardHandler)})
		l := server.Listener{
			Listener: p.texts[i], Transport: session.TransportPlain,
			Fronts: []front.Front{labfront.New(labfront.Config{})}, Call: callPlain,
		}
		go p.nodes[i].Serve(context.Background(), l) // Ends by Shutdown, as it must before the bubble does.
	}
	return p
}

func (p *twoServers) stop() {
	for _, n := range p.nodes {
		if err := n.Shutdown(context.Background()); err != nil {
			p.t.Error(err)
		}
	}
}

// A room that is durable goes on counting where it was, in a new life of the server; one that is not begins anew.
func TestDurableRoomKeepsItsOrder(t *testing.T) {
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.DurableRooms = t.TempDir(), []string{"team-*"}
	cfg.Listen = []config.Listener{{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto}}
	var epochs []string
	for life := range 3 {
		n, err := build(t.Context(), cfg, slog.New(slog.DiscardHandler), func() {})
		if err != nil {
			t.Fatal(err)
		}
		for room, want := range map[string]int{"team-a": 3 * life, "lobby": 0} {
			heads, err := n.engine.Heads(t.Context(), []string{room})
			if err != nil || heads[0] != uint64(want) {
				t.Errorf("life %d: the head of %s is %v, %v, want %d", life, room, heads, err, want)
			}
			ann, err := n.hub.Connect("ann", deaf{}, core.SmallIDs)
			if err != nil {
				t.Fatal(err)
			}
			ref, err := ann.Join(t.Context(), room)
			if err == nil {
				err = ann.Say(t.Context(), ref, "", "hello")
			}
			if err := errors.Join(err, ann.Close(t.Context(), core.ReasonLost)); err != nil {
				t.Fatal(err)
			}
		}
		epoch, err := n.engine.Epoch(t.Context(), "team-a")
		if err != nil {
			t.Fatal(err)
		}
		epochs = append(epochs, epoch)
		if err := n.stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(slices.Compact(epochs)) != 1 {
		t.Errorf("the room had the epochs %q", epochs)
	}
}

// deaf is a receiver of nothing.
type deaf struct{}

func (deaf) Receive(*core.Event) {}

// A pinned listener has the front-end of its protocol alone, on every transport it has.
func TestPinnedListenersSpeakOneProtocol(t *testing.T) {
	n := startNode(t, nil,
		config.Listener{Address: "127.0.0.1:0", Transport: config.Auto, Protocol: config.Lab},
		config.Listener{Address: "127.0.0.1:0", Transport: config.Auto, Protocol: config.Auto})
	pinned := 0
	for _, l := range n.listeners {
		one := len(l.Fronts) == 1 && l.Fronts[0].Name() == config.Lab
		if !one && len(l.Fronts) != len(n.fronts) {
			t.Errorf("%s: %d front-ends", l.Transport, len(l.Fronts))
		}
		if one {
			pinned++
		}
	}
	if pinned < 5 { // tcp, udp, streams and plain, and the plain datagrams of the other.
		t.Errorf("%d listeners are for the lab protocol alone", pinned)
	}
	if text := n.addrs[0].String(); !strings.HasSuffix(text, " (lab)") {
		t.Errorf("the first listener is shown as %q", text)
	}
	var b strings.Builder
	if _, err := n.speaking("gopher"); report(&b, err) != exitUsage || !strings.Contains(b.String(), "It speaks ") {
		t.Errorf("an unknown protocol: %s", b.String())
	}
}
