package lab

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/front/internal/stage"
	wire "udpchat/chat/wire/lab"
)

// TestEveryMemberSeesTheSame: many connections, some with two clients, all talking at the same time in two rooms. Each
// must get every text once, and all of a room's members in the same order.
func TestEveryMemberSeesTheSame(t *testing.T) {
	const conns, texts = 8, 40
	inWorld(t, Config{RequestsPerSecond: -1}, func(w *world) {
		var all []*stage.Conn
		for i := range conns {
			c := w.open(fmt.Sprintf("c%d", i), []string{"tcp", "udp", "plain"}[i%3], fmt.Sprintf("10.0.0.%d:50001", i+2))
			all = append(all, c)
			c.Send(joinText("room1", c.Name) + joinText("room2", c.Name))
			if i%2 == 0 {
				c.Send(joinText("room1", c.Name+"b"))
			}
			synctest.Wait()
		}
		for _, c := range all {
			w.got(c)
		}
		for _, c := range all {
			for n := range texts {
				ref := fmt.Sprint(1 + n%2)
				c.Send(chatText(ref, c.Name, fmt.Sprintf("%s %d", c.Name, n)))
			}
		}
		synctest.Wait()
		var first [2][]string
		for _, c := range all {
			var got [2][]string
			for _, r := range w.replies(c) {
				msg := r.(wire.ChatMessage)
				got[msg.RoomRef[0]-'1'] = append(got[msg.RoomRef[0]-'1'], msg.Text)
			}
			if first[0] == nil {
				first = got
			}
			for i := range got {
				if len(got[i]) != conns*texts/2 || !slices.Equal(got[i], first[i]) {
					t.Errorf("%s in room %d: got %d texts, want %d, the same as everybody's", c.Name, i+1, len(got[i]), conns*texts/2)
				}
			}
		}
	})
}

// TestChaosLeavesNothingBehind: clients do everything at once, callbacks, breaking connections and the server's end
// included. Nothing may be left: goroutines, members, open connections (the world looks when it ends). The seed is in the
// name of a failing subtest.
func TestChaosLeavesNothingBehind(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, rand.Uint64()}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			inWorld(t, Config{Strict: rng.IntN(2) == 0, CallTimeout: 50 * time.Millisecond}, func(w *world) { chaos(w, rng) })
		})
	}
}

func chaos(w *world, rng *rand.Rand) {
	transports := []string{"tcp", "udp", "plain"}
	for i := range 300 {
		conns := w.Conns()
		host := fmt.Sprintf("10.0.0.%d", 2+rng.IntN(3))
		if len(conns) == 0 || rng.IntN(20) == 0 {
			w.open(fmt.Sprintf("c%d", i), transports[rng.IntN(3)], fmt.Sprintf("%s:%d", host, 50000+i))
			continue
		}
		c := conns[rng.IntN(len(conns))]
		room, ref, name := fmt.Sprintf("room%d", rng.IntN(3)), fmt.Sprint(rng.IntN(4)), fmt.Sprintf("n%d", rng.IntN(3))
		id := fmt.Sprint(rng.IntN(20))
		addr := fmt.Sprintf("%s:%d", host, 7000+rng.IntN(3))
		switch rng.IntN(10) {
		case 0, 1:
			c.Send(joinText(room, name))
		case 2, 3:
			if rng.IntN(3) > 0 {
				w.Listen(addr, fmt.Sprintf("cb%d", i))
			}
			c.Send(joinAtText(room, name, addr))
		case 4, 5:
			c.Send(string(wire.AppendChat(nil, wire.Chat{Room: ref, JoinID: id, Name: name, Text: "x"})))
		case 6:
			c.Send(string(wire.AppendLeave(nil, wire.Leave{Room: ref, JoinID: id, Name: name})))
		case 7:
			if rng.IntN(3) == 0 {
				at := netip.MustParseAddrPort(addr)
				c.Send(string(wire.AppendDisconnect(nil, wire.Disconnect{IP: at.Addr().String(), Port: fmt.Sprint(at.Port()), Name: name}, wire.Spaced)))
			}
		case 8:
			if rng.IntN(3) == 0 {
				c.Lose()
			}
		case 9:
			if rng.IntN(3) == 0 {
				time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			}
		}
	}
}
