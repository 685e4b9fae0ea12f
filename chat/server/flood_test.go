package server

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
)

// A stranger opens and closes sessions all day: the log must not fill the disk, but say that it happened.
func TestSessionsByTheThousandDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, ends(func(*session.Session) error { return io.EOF }))
		const seconds, perSecond = 20, 500
		for range seconds {
			for range perSecond {
				conn := w.dial("[::1]:1")
				_, _ = io.WriteString(conn, "x") // If it fails the session has ended, which is what it is for.
				conn.Close()
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := w.srv.Stats().Ended; got != seconds*perSecond {
			t.Errorf("%d sessions ended, want %d", got, seconds*perSecond)
		}
		lines, most := len(w.log.lines(t, "session ended")), endLinesBurst+seconds*endLinesPerSecond
		if lines > most || lines < endLinesBurst {
			t.Errorf("%d lines, want %d at most", lines, most)
		}
		notices := w.log.lines(t, "too many sessions end for a line each")
		if len(notices) < 2 || len(notices) > 3 || notices[1]["count"].(float64) < 1000 {
			t.Errorf("notices: %v, want one every 10 s with a count", notices)
		}
		w.shutdown()
	})
}
