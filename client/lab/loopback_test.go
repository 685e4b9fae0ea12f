package lab

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"udpchat/chat/wire/lab"
	"udpchat/reliable"
)

// loopbackWait bounds what happens within milliseconds on a machine that is not overloaded.
const loopbackWait = time.Minute

// TestReliableUDPWithCallbackOnLoopback has a real endpoint call the client back.
func TestReliableUDPWithCallbackOnLoopback(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	ep, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer ep.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := ep.Accept()
		if err != nil {
			t.Errorf("Accept: %v", err)
			return
		}
		var back *server
		s := &server{t: t, conn: conn}
		s.answer = func(r lab.Request) []lab.Reply {
			switch r := r.(type) {
			case lab.Helo:
				return oneRoom(r)
			case lab.Join:
				port, err := strconv.ParseUint(r.Port, 10, 16)
				if err != nil {
					t.Errorf("JOIN with port %q", r.Port)
				}
				called, err := ep.Call(ctx, netip.AddrPortFrom(netip.MustParseAddr(r.ClientIP), uint16(port)))
				if err != nil {
					t.Errorf("calling back: %v", err)
					return []lab.Reply{lab.ErrorReply{Code: lab.CodeCallbackFailed, Description: "no"}}
				}
				back = &server{t: t, conn: called}
			}
			back.send(oneRoom(r)...)
			if _, ok := r.(lab.Disconnect); ok {
				back.conn.Close()
			}
			return nil
		}
		s.run()
	})

	c, err := Dial(ctx, Config{Transport: UDP, Server: ep.Addr().String(), Name: "ann", Callback: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Join(ctx, "lobby"); err != nil {
		t.Fatalf("Join: %v", err)
	}
	if err := c.Say(ctx, "lobby", "hi"); err != nil {
		t.Fatalf("Say: %v", err)
	}
	if err := c.Flush(ctx); err != nil {
		t.Fatalf("Flush: %v", err)
	}
	if _, err := c.Hello(ctx, "x"); err != nil {
		t.Errorf("Hello: %v", err)
	}
	if s, ok := c.LinkStats(); !ok || s.DatagramsSent == 0 {
		t.Errorf("LinkStats = %+v, %v", s, ok)
	}
	if s, ok := c.CallbackStats(); !ok || s.DatagramsReceived == 0 {
		t.Errorf("CallbackStats = %+v, %v", s, ok)
	}
	if err := c.Disconnect(ctx); err != nil {
		t.Errorf("Disconnect: %v", err)
	}
	var got []Kind
	for ev := range c.Events() {
		got = append(got, ev.Kind)
	}
	if want := []Kind{KindJoined, KindNotice, KindSaid, KindHello, KindNotice}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// knownServer is a connection to a server with a key.
type knownServer struct {
	net.Conn
	key reliable.Key
}

func (c knownServer) ServerKey() reliable.Key { return c.key }

// Whoever calls must have the key of the server we are on.
func TestCallbackFromAnotherServerIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	server, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	cfg := &Config{}
	callee, err := cfg.listenCalls("127.0.0.1:0", knownServer{key: reliable.Key{1}})
	if err != nil {
		t.Fatal(err)
	}
	defer callee.Close()
	at, err := addrPort(callee.Addr())
	if err != nil {
		t.Fatal(err)
	}
	calling, hangUp := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = server.Call(calling, at) })
	defer wg.Wait()
	defer hangUp()
	from, err := addrPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := callee.AwaitCall(ctx, from)
	if _, ok := errors.AsType[*reliable.KeyError](err); !ok {
		t.Errorf("AwaitCall: %v, %v, want that the key is wrong", conn, err)
	}
}

// TestTCPServerThatDisappears closes the listener's side without a word.
func TestTCPServerThatDisappears(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			t.Errorf("Accept: %v", err)
			return
		}
		conn.Close()
	})
	c, err := Dial(ctx, Config{Transport: TCP, Server: ln.Addr().String(), Name: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range c.Events() {
	}
	if !errors.Is(c.Err(), io.EOF) {
		t.Errorf("Err = %v, want EOF", c.Err())
	}
	if _, ok := c.LinkStats(); ok {
		t.Error("TCP has link stats")
	}
}

func TestPlainPortWhereNobodyListens(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), loopbackWait)
	defer cancel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	pc.Close()
	// Some systems say so (connection refused), on others nobody answers.
	if c, err := Dial(ctx, Config{Transport: Plain, Server: addr, Name: "ann"}); err == nil {
		c.Close()
		t.Error("Dial succeeded")
	}
}
