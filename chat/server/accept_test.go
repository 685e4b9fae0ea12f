package server

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// noFiles is what Accept returns when the process has too many files open.
var noFiles = &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}

func TestAcceptWaitsLongerAndLongerForDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, echo("one"))
		start := time.Now()
		const failures = 20
		for range failures {
			w.l.conns <- noFiles
		}
		conn := w.dial("192.0.2.1:1")
		w.say(conn, "hello", "one:hello")
		// 5, 10, 20 ... 640 ms, then a second each.
		if got, want := time.Since(start), 1275*time.Millisecond+12*time.Second; got != want {
			t.Errorf("served after %v, want %v", got, want)
		}
		if got := w.srv.Stats().AcceptErrors; got != failures {
			t.Errorf("%d errors counted, want %d", got, failures)
		}
		lines := w.log.lines(t, "cannot accept connections, trying again")
		if len(lines) != 2 || lines[0]["count"] != 1.0 || lines[1]["level"] != "WARN" {
			t.Errorf("log: %v, want a warning at once and one after ten seconds", lines)
		}
		// After a success waiting begins anew.
		start = time.Now()
		w.l.conns <- noFiles
		w.say(w.dial("192.0.2.1:2"), "hello", "one:hello")
		if got := time.Since(start); got != acceptBackoffMin {
			t.Errorf("after a success waited %v", got)
		}
		for range failures {
			w.l.conns <- noFiles
		}
		time.Sleep(5 * time.Second)
		go io.Copy(io.Discard, conn)
		w.srv.abortAll()
		start = time.Now()
		w.shutdown()
		if got := time.Since(start); got != 0 {
			t.Errorf("Shutdown took %v, as if it waited for the next try", got)
		}
	})
}

func TestServeReturnsWhenListenerIsBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{}, echo("one"))
		conn := w.dial("192.0.2.1:1")
		w.say(conn, "hello", "one:hello")
		broken := errors.New("socket on fire")
		w.l.conns <- broken
		if err := <-w.served; !errors.Is(err, broken) {
			t.Errorf("Serve returned %v", err)
		}
		w.say(conn, "still here?", "one:still here?")
		w.served <- nil
		go io.Copy(io.Discard, conn)
		w.shutdown()
	})
}

// refusedBy reports whether the server closed a connection without a word.
func refusedBy(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil && err != io.ErrClosedPipe {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	_ = conn.SetReadDeadline(time.Time{})
	return err == io.EOF
}

func TestSessionsMaxRefusesWithOneWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{SessionsMax: 3, SessionsPerNetworkMax: 3}, echo("one"))
		var conns []net.Conn
		for i := range 3 {
			conn := w.dial("192.0.2.1:1")
			if refusedBy(t, conn) {
				t.Fatalf("connection %d refused", i)
			}
			conns = append(conns, conn)
		}
		for i := range 5 {
			if !refusedBy(t, w.dial("[::1]:1")) { // Loopback is exempt from limits by network only.
				t.Fatalf("connection %d over the limit not refused", i)
			}
		}
		synctest.Wait()
		lines := w.log.lines(t, "sessions refused")
		if len(lines) != 1 || lines[0]["reason"] != errFull.Error() || lines[0]["sessions_max"] != 3.0 || lines[0]["level"] != "WARN" {
			t.Errorf("log: %v, want one warning", lines)
		}
		time.Sleep(noticeInterval)
		if !refusedBy(t, w.dial("[::1]:1")) {
			t.Error("connection over the limit not refused")
		}
		synctest.Wait()
		if lines := w.log.lines(t, "sessions refused"); len(lines) != 2 || lines[1]["count"] != 5.0 {
			t.Errorf("log: %v, want a second warning that counts the 5 since", lines)
		}
		conns[0].Close()
		synctest.Wait()
		if refusedBy(t, w.dial("[::1]:1")) {
			t.Error("refused although there is room again")
		}
		if got := w.srv.Stats().RefusedFull; got != 6 {
			t.Errorf("%d refusals counted, want 6", got)
		}
		w.srv.abortAll()
		w.shutdown()
	})
}

func TestOneNetworkCannotTakeAllSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{SessionsMax: 8}, echo("one"))
		var conns []net.Conn
		for _, c := range []struct {
			from    string
			refused bool
		}{
			{"192.0.2.1:1", false}, {"192.0.2.1:2", false}, {"192.0.2.2:1", false}, {"192.0.2.255:1", false},
			{"192.0.2.77:1", true}, {"[::ffff:192.0.2.78]:1", true},
			{"192.0.3.1:1", false}, {"[2001:db8::1]:1", false}, {"127.0.0.1:1", false},
		} {
			conn := w.dial(c.from)
			if got := refusedBy(t, conn); got != c.refused {
				t.Errorf("%s refused: %v, want %v", c.from, got, c.refused)
			}
			conns = append(conns, conn)
		}
		conns[0].Close()
		synctest.Wait()
		if refusedBy(t, w.dial("192.0.2.77:1")) {
			t.Error("refused although one of that network has left")
		}
		if got := w.srv.Stats(); got.RefusedNetwork != 2 || got.RefusedFull != 0 {
			t.Errorf("stats: %+v", got)
		}
		w.srv.abortAll()
		w.shutdown()
		if len(w.srv.networks) != 0 {
			t.Errorf("networks are remembered: %v", w.srv.networks)
		}
	})
}

func TestAcceptRateIsPerNetworkAndExemptsLoopback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{AcceptPerSecond: 2, AcceptBurst: 3}, echo("one"))
		// burst opens five connections at once and returns how many were accepted.
		burst := func(from string) (accepted int) {
			before := w.srv.Stats().Accepted
			for range 5 {
				w.dial(from).Close()
			}
			synctest.Wait()
			return int(w.srv.Stats().Accepted - before)
		}
		for _, c := range []struct {
			from string
			want int
		}{{"192.0.2.1:1", 3}, {"192.0.2.2:1", 0}, {"192.0.3.1:1", 3}, {"127.0.0.1:1", 5}, {"[::1]:1", 5}, {"[2001:db8::1]:1", 3}, {"[2001:db8:0:ff::1]:1", 0}} {
			if got := burst(c.from); got != c.want {
				t.Errorf("%s: %d of 5 accepted, want %d", c.from, got, c.want)
			}
		}
		time.Sleep(time.Second)
		if got := burst("192.0.2.1:1"); got != 2 {
			t.Errorf("a second later %d accepted, want 2", got)
		}
		if lines := w.log.lines(t, "sessions refused"); len(lines) != 1 || lines[0]["reason"] != errTooFast.Error() {
			t.Errorf("log: %v, want one warning", lines)
		}
		if got := w.srv.Stats().RefusedRate; got != 2+5+2+2+5+3 {
			t.Errorf("%d refusals counted", got)
		}
		w.shutdown()
	})
}
