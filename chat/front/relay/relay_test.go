package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	wire "udpchat/chat/wire/relay"
)

// makeFront makes the front-end of a transcript: say-send, rate=N, burst=N.
func makeFront(t *testing.T, _ *stage.World, settings map[string]string, log *slog.Logger) []front.Front {
	cfg := Config{Logger: log}
	for key, value := range settings {
		n, _ := strconv.Atoi(value)
		switch key {
		case "say-send":
			cfg.SaySend = true
		case "rate":
			cfg.RequestsPerSecond = float64(n)
		case "burst":
			cfg.RequestsBurst = n
		default:
			t.Fatalf("no such setting: %s", key)
		}
	}
	return []front.Front{New(cfg)}
}

// whole reports whether b is exactly one message: whoever reads it at once may take it for that.
func whole(b []byte) bool {
	for _, bytes := range []bool{false, true} {
		d := wire.ReplyDecoder{Bytes: bytes}
		d.Feed(b)
		rep, ok, err := d.Next()
		if _, unknown := rep.(wire.UnknownReply); !ok || err != nil || unknown {
			continue
		}
		for _, spaced := range []bool{false, true} {
			for _, send := range []bool{false, true} {
				if string(wire.AppendReply(nil, rep, wire.Form{Spaced: spaced, Bytes: bytes, Send: send})) == string(b) {
					return true
				}
			}
		}
	}
	return false
}

func TestTranscripts(t *testing.T) { stage.Transcripts(t, makeFront, whole) }

func in(t *testing.T, f func(w *stage.World)) {
	t.Helper()
	stage.In(t, makeFront, nil, f)
}

const register = "REGISTER TOSEND %[1]s\n\nREGISTER TORECV %[1]s\n\n"

// enter registers a user on one connection.
func enter(w *stage.World, name string) *stage.Conn {
	c := w.Open(name, "relay", "tcp")
	c.Send(fmt.Sprintf(register, name))
	time.Sleep(writeGap)
	w.Got(c)
	return c
}

func send(to, text string) string {
	return fmt.Sprintf("SEND %s\nContent-length: %d\n\n%s", to, len(text), text)
}

func TestMatchTellsTheProtocolByItsFirstWords(t *testing.T) {
	f := New(Config{})
	for prefix, want := range map[string]front.Match{
		"REG": front.More, "REGISTER ": front.More, "REGISTER TO": front.Yes, "\r\n \nREGISTER TORECV x": front.Yes,
		"REGISTER AS": front.No, "SEND bob": front.No, "CONNECT#": front.No, "\n": front.More,
	} {
		if got := f.Match([]byte(prefix)); got != want {
			t.Errorf("%q: got %v, want %v", prefix, got, want)
		}
	}
}

// Every refusal of the core has a number, but for those that cannot be here.
func TestEveryCoreCodeHasANumber(t *testing.T) {
	impossible := []chat.Code{
		chat.CodeNotMember, chat.CodeNoRoom, chat.CodeSelf, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeTooMany,
		chat.CodeQuota, chat.CodeBadContent, chat.CodeStale, chat.CodeReused,
	}
	for code := chat.Code(1); !strings.HasPrefix(code.String(), "Code("); code++ {
		if got := refusedCode(code); (got == 0) != slices.Contains(impossible, code) {
			t.Errorf("%v: got %d", code, got)
		}
	}
}

// A conversation with oneself, cut in two at every byte and at all of them, gets the same bytes. The client
// acknowledges what it is sent before the server has sent it, which counts for nothing, and once more after that.
func TestConversationCutAtEveryByte(t *testing.T) {
	text := "\r\nREGISTER TOSEND bob\r\n\r\nREGISTER TORECV bob\n\nSEND ann\nContent-length: 2\n\nhiREGISTER TOSEND bob\n\n" +
		"SEND bob \nContent-length: 3\n\n hi\n"
	want := "REGISTERED TOSEND bob\n\nREGISTERED TORECV bob\n\nERROR 102 Unable to send\n\nERROR 100 Malformed username\n\n" +
		"FORWARD bob\nContent-length: 3\n\n hi" + "SENT bob\n\n" + "ERROR 103 Header incomplete\n\n"
	for cut := range len(text) + 1 {
		in(t, func(w *stage.World) {
			c := w.Open("a", "relay", "tcp")
			pieces := []string{text[:cut], text[cut:]}
			if cut == len(text) {
				pieces = nil
				for i := range len(text) {
					pieces = append(pieces, text[i:i+1])
				}
			}
			for _, piece := range pieces {
				c.Send(piece)
				w.Got(w.Open("other", "relay", "tcp")) // Let it be read.
			}
			time.Sleep(time.Second)
			got := w.Got(c)
			c.Send("RECEIVED bob\n\n")
			time.Sleep(time.Second)
			got += w.Got(c)
			c.Send("WHAT\n\n")
			time.Sleep(time.Second)
			got += w.Got(c)
			// Errors are answered at once, and SENDs when they are done: the order among them may be either.
			if sorted(got) != sorted(want) {
				t.Errorf("cut at %d: got %q, want %q", cut, got, want)
			}
		})
	}
}

func sorted(s string) string {
	parts := strings.SplitAfter(strings.ReplaceAll(s, " hiSENT", " hi\n\nSENT"), "\n\n")
	slices.Sort(parts)
	return strings.Join(parts, "")
}

// Whoever does not acknowledge holds up who sends to it, and nobody else.
func TestUserThatNeverAcknowledgesHoldsUpNobodyElse(t *testing.T) {
	in(t, func(w *stage.World) {
		enter(w, "silent")
		busy, ann, bob := enter(w, "busy"), enter(w, "ann"), enter(w, "bob")
		time.Sleep(writeGap)
		for range sendsMax + 1 { // One is under way.
			busy.Send(send("silent", "x"))
			w.Got(busy)
		}
		busy.Send(send("silent", "one too many"))
		if got := w.Got(busy); got != "ERROR 102 Unable to send\n\n" {
			t.Errorf("one too many: got %q", got)
		}
		ann.Send(send("bob", "hi"))
		if got := w.Got(bob); got != "FORWARD ann\nContent-length: 2\n\nhi" {
			t.Errorf("bob got %q", got)
		}
		bob.Send("RECEIVED ann\n\n")
		if got := w.Got(ann); got != "SENT bob\n\n" {
			t.Errorf("ann got %q", got)
		}
		time.Sleep(sendsMax * receiptTimeout / 2)
		if got, want := w.Got(busy), strings.Repeat("ERROR 102 Unable to send\n\n", sendsMax/2); got != want {
			t.Errorf("half of the time later: got %d answers, want %d", strings.Count(got, "ERROR"), sendsMax/2)
		}
	})
}

// A name is free when its user has gone, not while it goes.
func TestNameOfOneWhoIsGoingIsTaken(t *testing.T) {
	f := New(Config{})
	f.users["ann"] = &user{name: "ann", gone: true, conns: map[wire.Role]*conn{}}
	_, err := f.take(t.Context(), &conn{front: f}, wire.Register{Role: wire.ToSend, Name: "ann"})
	if refused, ok := errors.AsType[*refusal](err); !ok || refused.code != wire.CodeMalformedName {
		t.Errorf("got %v", err)
	}
}

// Texts that nobody takes do not fill the memory.
func TestTextsThatWaitAreBounded(t *testing.T) {
	in(t, func(w *stage.World) {
		silent := enter(w, "silent")
		text := strings.Repeat("x", wire.TextBytesMax)
		for i := range forwardBytesMax/wire.TextBytesMax + 2 {
			c := enter(w, fmt.Sprint("busy", i))
			c.Send(send("silent", text))
		}
		w.Got(silent)
		if got := w.Ended(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "silent: ") }) {
			t.Errorf("got ends %q, want that of the one who takes nothing", got)
		}
	})
}

// Everybody talks to everybody over one connection each, and all of them acknowledge what they get: nothing is lost, and
// no two messages are close together.
func TestCrowdOnSingleConnections(t *testing.T) {
	in(t, func(w *stage.World) {
		const n = 5
		var all []*stage.Conn
		for i := range n {
			all = append(all, enter(w, fmt.Sprint("u", i)))
		}
		for _, c := range all {
			c.Send(send("ALL", "to all"))
			for k := range n {
				c.Send(send(fmt.Sprint("u", k), "to one"))
			}
		}
		got := make([]map[string]int, n)
		for i := range got {
			got[i] = make(map[string]int)
		}
		for range 200 {
			time.Sleep(10 * time.Millisecond)
			for i, c := range all {
				writes := w.Got(c)
				if writes == "" {
					continue
				}
				if !whole([]byte(writes)) {
					t.Fatalf("%s got within 10 ms: %q", c.Name, writes)
				}
				word, rest, _ := strings.Cut(writes, " ")
				got[i][word]++
				if word == "FORWARD" {
					from, _, _ := strings.Cut(rest, "\n")
					c.Send("RECEIVED " + from + "\n\n")
				}
			}
		}
		for i := range got {
			if got[i]["SENT"] != n+1 || got[i]["FORWARD"] != 2*n-1 || len(got[i]) != 2 {
				t.Errorf("u%d got %v, want %d SENT and %d FORWARD", i, got[i], n+1, 2*n-1)
			}
		}
	})
}
