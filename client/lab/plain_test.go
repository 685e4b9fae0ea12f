package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/wire/lab"
)

// dialPlain connects over datagrams. The answers are those of oneRoom, and repeats are answered again.
func dialPlain(t *testing.T, cfg Config) (*Client, *server, *datagramConn) {
	t.Helper()
	cfg.Transport = Plain
	here, there := newDatagrams()
	c, s := dialOver(t, cfg, here, there, oneRoom)
	return c, s, here
}

// kinds shortens events to what they are.
func kinds(evs []Event) (out []Kind) {
	for _, ev := range evs {
		out = append(out, ev.Kind)
	}
	return out
}

func TestPlainSessionWithoutLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		if err := c.Say(t.Context(), "lobby", "hi"); err != nil {
			t.Fatal(err)
		}
		if err := c.Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range s.requests() {
			got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", r), "lab."))
		}
		// The HELO asks whether anybody is there, the LEAVE proves our address.
		if want := []string{"Helo", "Join", "Leave", "Chat", "Disconnect"}; !slices.Equal(got, want) {
			t.Errorf("requests %v, want %v", got, want)
		}
		evs, closed := drain(c)
		if want := []Kind{KindJoined, KindNotice, KindSaid, KindNotice}; !slices.Equal(kinds(evs), want) || !closed {
			t.Errorf("events %v, closed %v; want %v", kinds(evs), closed, want)
		}
	})
}

func TestPlainRepeatsUntilAnsweredAndShowsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, here := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		drain(c)
		times := here.lossy(func(n int) bool { return n <= 2 })          // Two requests,
		s.conn.(*datagramConn).lossy(func(n int) bool { return n == 1 }) // and one answer.
		if err := c.Say(t.Context(), "lobby", "hi"); err != nil {
			t.Fatal(err)
		}
		sent := times()
		if len(sent) != 4 {
			t.Fatalf("sent %d times, want 4", len(sent))
		}
		s.send(lab.ChatMessage{RoomRef: "7", Name: "ann", Text: "hi"}) // A late answer to a repeat.
		evs, _ := drain(c)
		if want := []Kind{KindSaid}; !slices.Equal(kinds(evs), want) {
			t.Errorf("events %v, want %v", kinds(evs), want)
		}
	})
}

func TestPlainJoinNoticeIsShownOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, here := dialPlain(t, Config{})
		s.conn.(*datagramConn).lossy(func(n int) bool { return n <= 2 }) // The first JOINED and its notice.
		times := here.lossy(nil)
		if _, err := c.Join(t.Context(), "lobby"); err != nil || len(times()) < 2 {
			t.Fatalf("Join: %v after %d datagrams, want a repeat", err, len(times()))
		}
		s.send(oneRoom(lab.Join{Room: "lobby", Name: "ann"})...) // As if the first answer had only been slow.
		evs, _ := drain(c)
		if want := []Kind{KindJoined, KindNotice}; !slices.Equal(kinds(evs), want) {
			t.Errorf("events %v, want %v", kinds(evs), want)
		}
	})
}

func TestPlainGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, here := dialPlain(t, Config{})
		sent, start := here.lossy(all), time.Now()
		_, err := c.Join(t.Context(), "lobby")
		if !errors.Is(err, ErrNoAnswer) || time.Since(start) != answerWait || len(sent()) != sendsMax {
			t.Errorf("Join: %v after %v and %d datagrams", err, time.Since(start), len(sent()))
		}
		if d := sent()[sendsMax-1].Sub(sent()[0]); d > repeatWindow*4/5 {
			t.Errorf("last repeat after %v, too near to the server's window of %v", d, repeatWindow)
		}
		here.lossy(nil)
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Errorf("Join after the link came back: %v", err)
		}
	})
}

func TestPlainDialFailsWhenNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := newDatagrams()
		there.Close()
		cfg := Config{Transport: Plain, Name: "ann", Dial: dialTo(here)}
		if _, err := Dial(t.Context(), cfg); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("Dial: %v, want no answer", err)
		}
	})
}

func TestPlainSameTextTwiceIsNoRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, here := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		times := here.lossy(nil)
		for range 2 {
			if err := c.Say(t.Context(), "lobby", "hi"); err != nil {
				t.Fatal(err)
			}
		}
		sent := times()
		if d := sent[1].Sub(sent[0]); d <= repeatWindow {
			t.Errorf("the same text was sent after %v: the server takes it for a repeat", d)
		}
	})
}

func TestPlainRequestsOfSeveralGoroutinesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, here := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		here.lossy(func(n int) bool { return n%2 == 0 })
		errs := make(chan error)
		for i := range 10 {
			go func() { errs <- c.Say(t.Context(), "lobby", fmt.Sprint(i)) }()
		}
		for range 10 {
			if err := <-errs; err != nil {
				t.Errorf("Say: %v", err)
			}
		}
		said := make(map[string]bool)
		last := ""
		for _, r := range s.requests() {
			if r, ok := r.(lab.Chat); ok {
				if said[r.Text] && last != r.Text {
					t.Errorf("%q repeated after %q: the server says it twice", r.Text, last)
				}
				said[r.Text], last = true, r.Text
			}
		}
	})
}

func TestPlainRefusesWhatNoDatagramCarries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		if err := c.Say(t.Context(), "lobby", strings.Repeat("x", 1200)); !errors.Is(err, ErrTooLong) {
			t.Errorf("Say: %v, want %v", err, ErrTooLong)
		}
	})
}

func TestPlainSignOfLifeAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, here := dialPlain(t, Config{})
		before := len(s.requests())
		time.Sleep(aliveEvery + time.Second)
		if evs, _ := drain(c); len(evs) != 0 || len(s.requests()) != before+1 {
			t.Errorf("after %v: %d requests and %d events, want one more request and no event",
				aliveEvery, len(s.requests())-before, len(evs))
		}
		here.lossy(all)
		time.Sleep(aliveFailuresMax * (aliveEvery + answerWait + time.Second))
		if _, closed := drain(c); !closed || !errors.Is(c.Err(), ErrNoAnswer) {
			t.Errorf("without any answer: closed %v, Err %v", closed, c.Err())
		}
	})
}

func TestPlainGoodbyeUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, here := dialPlain(t, Config{})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		here.lossy(all)
		if err := c.Disconnect(t.Context()); err != nil {
			t.Errorf("Disconnect: %v", err)
		}
	})
}

func TestPlainCloseWhileARequestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, here := dialPlain(t, Config{})
		here.lossy(all)
		errs := make(chan error)
		for range 2 { // One on the wire, one waiting for its turn.
			go func() { _, err := c.Join(t.Context(), "lobby"); errs <- err }()
		}
		time.Sleep(100 * time.Millisecond)
		c.Close()
		for range 2 {
			if err := <-errs; !errors.Is(err, ErrClosed) {
				t.Errorf("Join: %v, want %v", err, ErrClosed)
			}
		}
	})
}

// TestPlainProofIsRefusedInSilence: a strict server answers the proof with an error, which is nobody's business.
func TestPlainProofIsRefusedInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := newDatagrams()
		c, s := dialOver(t, Config{Transport: Plain}, here, there, func(r lab.Request) []lab.Reply {
			if _, ok := r.(lab.Leave); ok {
				return []lab.Reply{lab.ErrorReply{Code: lab.CodeUnknownRoom, Description: "no such room"}}
			}
			return oneRoom(r)
		})
		for _, room := range []string{"lobby", "den"} {
			if _, err := c.Join(t.Context(), room); err != nil {
				t.Fatal(err)
			}
		}
		evs, _ := drain(c)
		if want := []Kind{KindJoined, KindNotice, KindJoined, KindNotice}; !slices.Equal(kinds(evs), want) {
			t.Errorf("events %v, want %v", kinds(evs), want)
		}
		proofs := 0
		for _, r := range s.requests() {
			if _, ok := r.(lab.Leave); ok {
				proofs++
			}
		}
		if proofs != 1 {
			t.Errorf("%d proofs, want 1", proofs)
		}
	})
}
