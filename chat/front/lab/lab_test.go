package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/lab"
)

func joinText(room, name string) string {
	return string(wire.AppendJoin(nil, wire.Join{Room: room, ClientIP: "0", Port: "0", Name: name}, wire.Spaced))
}

func joinAtText(room, name, addr string) string {
	at := netip.MustParseAddrPort(addr)
	return string(wire.AppendJoin(nil, wire.Join{Room: room, ClientIP: at.Addr().String(), Port: fmt.Sprint(at.Port()), Name: name}, wire.Spaced))
}

func chatText(ref, name, text string) string {
	return string(wire.AppendChat(nil, wire.Chat{Room: ref, JoinID: "1", Name: name, Text: text}))
}

// count returns how many of the replies have that error code.
func count(replies []wire.Reply, code wire.Code) int {
	n := 0
	for _, r := range replies {
		if e, ok := r.(wire.ErrorReply); ok && e.Code == code {
			n++
		}
	}
	return n
}

func TestMatchKnowsTheFirstBytes(t *testing.T) {
	f := New(Config{})
	for prefix, want := range map[string]front.Match{
		"HELO x": front.Yes, "JOIN CHATROOM": front.Yes, "LEAVE_": front.Yes, "\r\n\nLEAVE": front.Yes, "CHAT:": front.Yes,
		"DISCONNECT:0": front.Yes, "KILL_SERVICE": front.Yes, "H": front.More, "\n": front.More, "CHAT": front.More, "": front.More,
		"REGISTER": front.No, "CHATS": front.No, "\x16\x03\x01": front.No, "UC1\n": front.No, "[login]": front.No, "HELLO": front.No,
	} {
		if got := f.Match([]byte(prefix)); got != want {
			t.Errorf("%q: got %v, want %v", prefix, got, want)
		}
	}
}

// TestEveryCoreCodeHasALabCode goes through the codes by their names, so that a new one is not forgotten.
func TestEveryCoreCodeHasALabCode(t *testing.T) {
	n := 0
	for code := chat.Code(1); !strings.HasPrefix(code.String(), "Code("); code++ {
		n++
		if got := codeOf(code); got == wire.CodeInternal || got < 1 {
			t.Errorf("%v: got lab code %d, want one that says what happened", code, got)
		}
	}
	if n < 8 {
		t.Errorf("got %d codes of the core, want them all", n)
	}
}

// TestConversationByteByByte: a conversation in one segment and the same in segments of one byte get the same bytes
// for an answer.
func TestConversationByteByByte(t *testing.T) {
	for _, dialect := range []wire.Dialect{wire.Spaced, wire.Compact2015} {
		var in []byte
		for _, r := range []wire.Request{
			wire.Helo{Line: "HELO BASE_TEST"}, wire.Join{Room: "room1", ClientIP: "0", Port: "0", Name: "client1"},
			wire.Chat{Room: "1", JoinID: "1", Name: "client1", Text: "one\ntwo"}, wire.Unknown{Line: "ANYTHING"},
			wire.Leave{Room: "1", JoinID: "1", Name: "client1"}, wire.Disconnect{IP: "0", Port: "0", Name: "client1"},
		} {
			in = wire.AppendRequest(in, r, dialect)
		}
		var got [2]string
		for i, size := range []int{len(in), 1} {
			inWorld(t, Config{}, func(w *world) {
				c := w.open("a", session.TransportTCP, "10.0.0.2:50001")
				for rest := string(in); rest != ""; rest = rest[size:] {
					c.Send(rest[:size])
				}
				got[i] = w.got(c)
			})
		}
		if got[0] != got[1] || !strings.Contains(got[0], "two\n\n") {
			t.Errorf("dialect %d: got %q whole and %q byte by byte", dialect, got[0], got[1])
		}
	}
}

func TestLimitsAreErrors(t *testing.T) {
	big := strings.Repeat("x", wire.TextBytesMax)
	tests := []struct {
		name string
		send func(c *stage.Conn)
		want wire.Code
	}{
		{"65 rooms", func(c *stage.Conn) {
			for i := range 65 {
				c.Send(joinText(fmt.Sprintf("room%d", i), "ann"))
			}
		}, wire.CodeTooMany},
		{"65 clients", func(c *stage.Conn) {
			for i := range namesMax + 1 {
				c.Send(joinText("room1", fmt.Sprintf("name%d", i)))
			}
		}, wire.CodeTooMany},
		{"9 callback addresses", func(c *stage.Conn) {
			for i := range callbacksMax + 1 {
				c.Send(joinAtText("room1", "ann", fmt.Sprintf("10.0.0.2:%d", 7000+i)))
			}
		}, wire.CodeTooMany},
		{"65 joins waiting", func(c *stage.Conn) {
			for range callsWaitingMax + 1 {
				c.Send(joinAtText("room1", "ann", "10.0.0.2:7000"))
			}
		}, wire.CodeTooMany},
		{"text", func(c *stage.Conn) { c.Send(joinText("room1", "ann") + chatText("1", "ann", big+"x")) }, wire.CodeTooLong},
		{"line", func(c *stage.Conn) { c.Send("HELO " + big + big + "\n") }, wire.CodeTooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				c := w.open("a", session.TransportUDP, "10.0.0.2:50001")
				test.send(c)
				replies := w.replies(c)
				if got := count(replies, test.want); got != 1 {
					t.Errorf("got %d errors of code %d among %d replies, want 1", got, test.want, len(replies))
				}
				c.Send("HELO still here\n")
				if got := w.got(c); !strings.HasPrefix(got, "HELO still here\n") {
					t.Errorf("after it: got %q, want a working connection", got)
				}
			})
		})
	}
}

func TestLargestTextArrives(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		b := w.open("b", session.TransportUDP, "10.0.0.3:50001")
		a.Send(joinText("room1", "ann"))
		synctest.Wait()
		b.Send(joinText("room1", "bob"))
		w.got(a)
		w.got(b)
		text := strings.Repeat("xy\n", wire.TextBytesMax/3) + "z"
		a.Send(chatText("1", "ann", text))
		want := wire.ChatMessage{RoomRef: "1", Name: "ann", Text: text}
		for _, c := range []*stage.Conn{a, b} {
			if got := w.replies(c); len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %.100q, want the text of %d bytes", c.Name, got, len(text))
			}
		}
	})
}

// TestLongRoomIsNotEchoedWhole: a request must not be answered by something much longer.
func TestLongRoomIsNotEchoedWhole(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		a := w.open("a", session.TransportTCP, "10.0.0.2:50001")
		a.Send(chatText(strings.Repeat("\x01", 10_000), "ann", "x"))
		if got := w.got(a); len(got) > 500 || !strings.HasPrefix(got, "ERROR_CODE: 3\n") {
			t.Errorf("got %d bytes, %.60q, want a short error 3", len(got), got)
		}
	})
}
