package lab

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"udpchat/chat/wire/lab"
)

func TestJoinSayLeaveDisconnectOverStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, oneRoom)
		ctx := t.Context()
		room, err := c.Join(ctx, " lobby ")
		if want := (Room{Name: "lobby", Ref: "7", JoinID: "1"}); err != nil || room != want {
			t.Fatalf("Join = %+v, %v; want %+v", room, err, want)
		}
		if err := c.Say(ctx, "lobby", "two\r\nlines\n\n"); err != nil {
			t.Fatalf("Say: %v", err)
		}
		if err := c.Flush(ctx); err != nil {
			t.Fatalf("Flush: %v", err)
		}
		if err := c.Leave(ctx, "lobby"); err != nil {
			t.Fatalf("Leave: %v", err)
		}
		if err := c.Disconnect(ctx); err != nil {
			t.Fatalf("Disconnect: %v", err)
		}
		wantRequests := []lab.Request{
			lab.Join{Room: "lobby", ClientIP: "0", Port: "0", Name: "ann"},
			lab.Chat{Room: "7", JoinID: "1", Name: "ann", Text: "two\nlines"},
			lab.Leave{Room: "7", JoinID: "1", Name: "ann"},
			lab.Disconnect{IP: "0", Port: "0", Name: "ann"},
		}
		if diff := cmp.Diff(wantRequests, s.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		left := Event{Kind: KindNotice, Room: "lobby", Ref: "7", Name: "ann", Text: "ann has left this chatroom."}
		wantEvents := []Event{
			{Kind: KindJoined, Room: "lobby", Ref: "7", JoinID: "1"},
			{Kind: KindNotice, Room: "lobby", Ref: "7", Name: "ann", Text: "ann has joined this chatroom."},
			{Kind: KindSaid, Room: "lobby", Ref: "7", Name: "ann", Text: "two\nlines", Mine: true},
			{Kind: KindLeft, Room: "lobby", Ref: "7", JoinID: "1"},
			left, left,
		}
		evs, closed := drain(c)
		if diff := cmp.Diff(wantEvents, evs); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if !closed || c.Err() != nil {
			t.Errorf("after Disconnect: events closed %v, Err %v", closed, c.Err())
		}
	})
}

func TestHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := dial(t, Config{}, oneRoom)
		got, err := c.Hello(t.Context(), "there")
		if want := (lab.HeloReply{Line: "HELO there", IP: "127.0.0.1", Port: "4000", StudentID: "1"}); err != nil || got != want {
			t.Errorf("Hello = %+v, %v; want %+v", got, err, want)
		}
	})
}

func TestServerErrorGoesToTheRequestAndTheEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := dial(t, Config{}, func(lab.Request) []lab.Reply {
			return []lab.Reply{lab.ErrorReply{Code: lab.CodeBadName, Description: "no"}}
		})
		_, err := c.Join(t.Context(), "lobby")
		want := ServerError{Code: lab.CodeBadName, Description: "no"}
		if got, ok := errors.AsType[*ServerError](err); !ok || *got != want {
			t.Errorf("Join: %v, want %v", err, &want)
		}
		evs, _ := drain(c)
		if len(evs) != 1 || evs[0].Kind != KindError || *evs[0].Err != want {
			t.Errorf("events %+v, want the error", evs)
		}
	})
}

func TestLostConnectionFailsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, silent)
		go func() {
			time.Sleep(time.Second)
			s.conn.Close()
		}()
		_, err := c.Join(t.Context(), "lobby")
		lost, ok := errors.AsType[*LostError](err)
		if !ok || !errors.Is(lost, io.EOF) {
			t.Errorf("Join: %v, want a LostError because of EOF", err)
		}
		if _, closed := drain(c); !closed || !errors.Is(c.Err(), io.EOF) {
			t.Errorf("events closed %v, Err %v", closed, c.Err())
		}
		if err := c.Say(t.Context(), "lobby", "x"); err == nil {
			t.Errorf("Say after the loss succeeded")
		}
		if err := c.Flush(t.Context()); err == nil {
			t.Errorf("Flush after the loss succeeded")
		}
	})
}

func TestRequestEndsWithItsContextAndALateAnswerIsStillAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, silent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Join(ctx, "lobby"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Join: %v, want deadline exceeded", err)
		}
		s.send(lab.Joined{Room: "lobby", RoomRef: "7", JoinID: "1"})
		if evs, _ := drain(c); len(evs) != 1 || evs[0].Kind != KindJoined {
			t.Errorf("events %+v, want one joined", evs)
		}
		if rooms := c.Rooms(); len(rooms) != 1 {
			t.Errorf("rooms %v, want the one we were let into", rooms)
		}
	})
}

func TestFlushSaysHowMuchIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := dial(t, Config{}, func(r lab.Request) []lab.Reply {
			if _, ok := r.(lab.Chat); ok {
				return nil
			}
			return oneRoom(r)
		})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := c.Say(t.Context(), "lobby", "x"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Flush(ctx)
		if err == nil || !strings.Contains(err.Error(), "3 of our messages") {
			t.Errorf("Flush: %v, want 3 missing", err)
		}
	})
}

func TestSayWaitsForAServerThatReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := dial(t, Config{}, func(r lab.Request) []lab.Reply {
			if _, ok := r.(lab.Chat); ok {
				return nil
			}
			return oneRoom(r)
		})
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		for i := range unreturnedMax {
			if err := c.Say(t.Context(), "lobby", "x"); err != nil {
				t.Fatalf("Say %d: %v", i, err)
			}
		}
		start := time.Now()
		if err := c.Say(t.Context(), "lobby", "x"); !errors.Is(err, ErrUnreturned) || time.Since(start) != unreturnedWait {
			t.Errorf("Say: %v after %v, want %v after %v", err, time.Since(start), ErrUnreturned, unreturnedWait)
		}
	})
}

func TestRefusedBeforeSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, oneRoom)
		if _, err := c.Join(t.Context(), "a\nb"); !errors.Is(err, ErrBadName) {
			t.Errorf("Join of two lines: %v", err)
		}
		if err := c.Say(t.Context(), "nowhere", "x"); !errors.Is(err, ErrNotJoined) {
			t.Errorf("Say elsewhere: %v", err)
		}
		if err := c.Leave(t.Context(), "nowhere"); !errors.Is(err, ErrNotJoined) {
			t.Errorf("Leave elsewhere: %v", err)
		}
		if err := c.Say(t.Context(), "nowhere", strings.Repeat("x", lab.TextBytesMax+1)); !errors.Is(err, ErrTooLong) {
			t.Errorf("Say too much: %v", err)
		}
		if got := s.requests(); len(got) != 0 {
			t.Errorf("server got %v", got)
		}
	})
}

// TestUnreadEventsStopReading fills the channel, sees the server's writes block, and closes.
func TestUnreadEventsStopReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, silent)
		sent := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range eventsMax + 10 {
				if _, err := s.conn.Write(lab.AppendReply(nil, lab.ErrorReply{Code: 1})); err != nil {
					return
				}
				sent++
			}
		}()
		synctest.Wait()
		// One is held by the blocked reader; one more is being written.
		if sent != eventsMax+1 {
			t.Errorf("server could send %d events, want %d", sent, eventsMax+1)
		}
		c.Close()
		<-done
	})
}

func TestReplyWithoutItsEndIsTakenAfterSilenceOnTCPOnly(t *testing.T) {
	for _, transport := range []string{TCP, UDP} {
		t.Run(transport, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := dial(t, Config{Transport: transport}, silent)
				if _, err := s.conn.Write([]byte("LEFT_CHATROOM: 1\nJOIN_ID: 2")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(idleFlush)
				evs, _ := drain(c)
				if got, want := len(evs), map[string]int{TCP: 1, UDP: 0}[transport]; got != want {
					t.Errorf("%d events, want %d", got, want)
				}
			})
		})
	}
}

func TestMalformedReplyIsShownAndTheNextOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := dial(t, Config{}, silent)
		if _, err := s.conn.Write([]byte("CHAT: 7\nLEFT_CHATROOM: 1\nJOIN_ID: 2\n")); err != nil {
			t.Fatal(err)
		}
		evs, _ := drain(c)
		if len(evs) != 2 || evs[0].Kind != KindUnknown || evs[1].Kind != KindLeft {
			t.Errorf("events %+v", evs)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{
		{Transport: "smoke", Name: "ann"},
		{Transport: TCP, Name: "ann", Callback: "127.0.0.1:0"},
		{Transport: TCP, Name: " "},
		{Transport: TCP, Name: "a\nb"},
		{Transport: TCP, Name: "a\xff"},
		{Transport: TCP, Name: strings.Repeat("x", lab.NameBytesMax+1)},
	} {
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("BUG: dialled") }
		if _, err := Dial(t.Context(), cfg); err == nil || strings.Contains(err.Error(), "BUG") {
			t.Errorf("Dial with %+v: %v", cfg, err)
		}
	}
}
