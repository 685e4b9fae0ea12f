package plain

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// wantNothing checks that no datagram waits to be read.
func wantNothing(t *testing.T, c *Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now()) // Open connections take any deadline.
	if got := read(c); got != "!i/o timeout" {
		t.Errorf("read %q, want nothing", got)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func TestRepeatGetsSameAnswersAndIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "join")
		c := h.accept()
		wantRead(t, c, "join")
		h.from(alice, "join") // The answer is still to come.
		h.wantSent(alice)
		answer(t, c, "joined")
		answer(t, c, "hello")
		write(t, c, "unrelated")
		h.wantSent(alice, "joined", "hello", "unrelated")
		c.Proven()
		for range 3 {
			time.Sleep(300 * time.Millisecond)
			h.from(alice, "join")
			h.wantSent(alice, "joined", "hello")
		}
		wantNothing(t, c)

		// The window is counted from the first copy.
		time.Sleep(100 * time.Millisecond)
		h.from(alice, "join")
		h.wantSent(alice)
		wantRead(t, c, "join")
		if s := h.Stats(); s.Repeats != 4 || s.RepeatedAnswers != 6 || s.Delivered != 2 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestRepeatOfQueuedDatagramIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "a")
		h.from(alice, "b")
		h.from(alice, "b")
		c := h.accept()
		wantRead(t, c, "a")
		answer(t, c, "re a") // b waits already, so no repeat can ask for this.
		h.got(alice)
		h.from(alice, "b")
		wantRead(t, c, "b")
		h.from(alice, "b")
		h.wantSent(alice)
		wantNothing(t, c)
	})
}

// Only the previous datagram can be repeated: a, b, a are three messages.
func TestOnlyPreviousDatagramCountsAsRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		for _, text := range []string{"a", "b", "a", "a"} {
			h.from(alice, text)
			h.from(bob, text)
		}
		for range 2 {
			c := h.accept()
			for _, want := range []string{"a", "b", "a"} {
				wantRead(t, c, want)
			}
			wantNothing(t, c)
		}
	})
}

func TestKeptAnswersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		for _, c := range []struct{ answers, bytes, want int }{
			{AnswersMax + 3, 10, AnswersMax},
			{AnswersMax, 3000, AnswerBytesMax / 3000},
		} {
			request := fmt.Sprintf("%d of %d", c.answers, c.bytes)
			h.from(local, request)
			conn := h.accept()
			wantRead(t, conn, request)
			for range c.answers {
				answer(t, conn, strings.Repeat("x", c.bytes))
			}
			h.got(local)
			h.from(local, request)
			if got := h.got(local); len(got) != c.want {
				t.Errorf("%s: %d answers again, want %d", request, len(got), c.want)
			}
			time.Sleep(RepeatWindow)
			synctest.Wait()
			conn.l.mu.Lock()
			if conn.last.answers != nil || len(conn.l.answered) != 0 {
				t.Errorf("%s: answers are kept longer than a repeat may come", request)
			}
			conn.l.mu.Unlock()
			conn.NoteAnswer([]byte("too late"))
			conn.Close()
		}
		h.wantIdle()
	})
}

// The last request and its answer often end the connection, and then the answer may be lost.
func TestRepeatAfterCloseIsAnsweredAndStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "quit")
		c := h.accept()
		wantRead(t, c, "quit")
		answer(t, c, "bye")
		c.Close()
		h.got(alice)
		h.from(alice, "quit")
		h.from(alice, "quit")
		h.wantSent(alice, "bye", "bye")
		if s := h.Stats(); s.Conns != 0 || s.Accepted != 1 {
			t.Errorf("got %+v", s)
		}
		h.from(alice, "again") // Not a repeat: a new connection.
		wantRead(t, h.accept(), "again")

		h.from(bob, "quit")
		c = h.accept()
		wantRead(t, c, "quit")
		time.Sleep(RepeatWindow / 2)
		c.Close()
		time.Sleep(RepeatWindow / 2)
		h.from(bob, "quit") // Too late for a repeat.
		wantRead(t, h.accept(), "quit")
	})
}

// A repeat also counts as bytes from the source and its answers as bytes to it.
func TestRepeatedAnswersStayWithinLimitOfUnproven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "0123456789")
		c := h.accept()
		wantRead(t, c, "0123456789")
		answer(t, c, strings.Repeat("a", 20))
		answer(t, c, strings.Repeat("b", 20)) // Beyond 30 bytes: dropped, but noted.
		h.wantSent(alice, strings.Repeat("a", 20))
		h.from(alice, "0123456789") // 60 in all: both fit.
		h.wantSent(alice, strings.Repeat("a", 20), strings.Repeat("b", 20))
		h.from(alice, "0123456789") // 90 in all: one fits.
		h.wantSent(alice, strings.Repeat("a", 20))
		if s := h.Stats(); s.DroppedUnproven != 2 {
			t.Errorf("got %d dropped, want 2", s.DroppedUnproven)
		}
	})
}

// Answers that went to another port go there again.
func TestRepeatIsAnsweredWhereAnswerWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, Config{})
		h.from(alice, "join, answers to 7000 please")
		c := h.accept()
		read(c)
		other := netip.AddrPortFrom(alice.Addr(), 7000)
		r, err := c.ReplyTo(other)
		if err != nil {
			t.Fatal(err)
		}
		answer(t, r, "joined")
		h.from(alice, "join, answers to 7000 please")
		h.wantSent(other, "joined", "joined")
		h.wantSent(alice)
	})
}
