package front

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/session"
)

// A repaired is a connection on which what is written arrives late, and which knows.
type repaired struct {
	net.Conn
	delay   time.Duration
	written time.Time
}

func (r *repaired) Write(b []byte) (int, error) {
	r.written = time.Now()
	return r.Conn.Write(b)
}

func (r *repaired) Arrived() (since time.Time, all bool) {
	at := r.written.Add(r.delay)
	return at, !time.Now().Before(at)
}

// TestPacerPausesFromTheArrival: what was lost on the way and repaired must not reach the client together with what was
// written after it.
func TestPacerPausesFromTheArrival(t *testing.T) {
	const gap = 50 * time.Millisecond
	for name, c := range map[string]struct {
		knows    bool          // The connection knows when something has arrived,
		delay    time.Duration // which takes so long.
		taken    bool          // The client has answered,
		idle     time.Duration // so long after it was written.
		min, max time.Duration // To be waited, from the write on.
	}{
		"nothing is known":        {min: gap, max: gap},
		"nothing is known, later": {idle: time.Second, min: time.Second, max: time.Second},
		"arrives at once":         {knows: true, min: gap, max: gap},
		"arrives late":            {knows: true, delay: 300 * time.Millisecond, min: 300*time.Millisecond + gap, max: 310*time.Millisecond + gap},
		"arrived long ago":        {knows: true, delay: 300 * time.Millisecond, idle: time.Second, min: time.Second, max: time.Second},
		"arrived just now":        {knows: true, delay: 300 * time.Millisecond, idle: 320 * time.Millisecond, min: 300*time.Millisecond + gap, max: 300*time.Millisecond + gap},
		"answered":                {knows: true, delay: 300 * time.Millisecond, taken: true, idle: 290 * time.Millisecond, min: 290 * time.Millisecond, max: 290 * time.Millisecond},
		"answered at once":        {knows: true, taken: true, min: gap, max: gap},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go io.Copy(io.Discard, theirs)
				conn := ours
				if c.knows {
					conn = &repaired{Conn: ours, delay: c.delay}
				}
				s := session.New(conn, session.Config{})
				defer s.Close(nil)
				var p Pacer
				start := time.Now()
				if d := p.Wait(s, start, gap); d != 0 {
					t.Errorf("the first write has to wait %v", d)
				}
				s.Enqueue([]byte("one"))
				p.Wrote(start)
				synctest.Wait()
				time.Sleep(c.idle)
				if c.taken {
					p.Taken()
				}
				for d := p.Wait(s, time.Now(), gap); d > 0; d = p.Wait(s, time.Now(), gap) {
					time.Sleep(d)
				}
				if got := time.Since(start); got < c.min || got > c.max {
					t.Errorf("the second write comes %v after the first, want %v to %v", got, c.min, c.max)
				}
				theirs.Close()
			})
		})
	}
}
