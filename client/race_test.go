package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable"
)

// A scriptedConn is a connection that only notes whether it was dropped.
type scriptedConn struct {
	net.Conn
	transport string
	dropped   bool
}

func (c *scriptedConn) ServerKey() reliable.Key                    { return reliable.Key{1} }
func (c *scriptedConn) OpenBulk(context.Context) (net.Conn, error) { return nil, errors.New("none") }
func (c *scriptedConn) Drop()                                      { c.dropped = true }

// An attempt is how dialling over one transport goes.
type attempt struct {
	after time.Duration
	err   error
	stuck bool // It answers after that time even if it was given up.
}

func TestRace(t *testing.T) {
	refused := errors.New("refused")
	wrongKey := &reliable.KeyError{Want: reliable.Key{1}, Got: reliable.Key{2}}
	const never = time.Hour
	tests := []struct {
		name     string
		udp, tcp attempt
		want     string        // The transport that wins; empty: none.
		wantErr  error         // One of the errors.
		took     time.Duration // Until race returned.
		dialled  []string
	}{
		{"udp answers within its head start: tcp is not asked",
			attempt{after: 200 * time.Millisecond}, attempt{}, UDP, nil, 200 * time.Millisecond, []string{UDP}},
		{"udp is dropped on the way: tcp answers",
			attempt{after: never}, attempt{after: 50 * time.Millisecond}, TCP, nil, 350 * time.Millisecond, []string{UDP, TCP}},
		{"udp is refused: tcp is asked at once",
			attempt{after: 10 * time.Millisecond, err: refused}, attempt{after: 50 * time.Millisecond}, TCP, nil, 60 * time.Millisecond, []string{UDP, TCP}},
		{"udp is slow and tcp slower: udp wins",
			attempt{after: 400 * time.Millisecond}, attempt{after: 200 * time.Millisecond}, UDP, nil, 400 * time.Millisecond, []string{UDP, TCP}},
		{"tcp is refused while udp is slow: udp wins",
			attempt{after: 2 * time.Second}, attempt{err: refused}, UDP, nil, 2 * time.Second, []string{UDP, TCP}},
		{"nobody answers",
			attempt{after: never}, attempt{after: never}, "", context.DeadlineExceeded, connectWait, []string{UDP, TCP}},
		{"both refuse: both reasons are told",
			attempt{after: time.Second, err: context.DeadlineExceeded}, attempt{err: refused}, "", refused, time.Second, []string{UDP, TCP}},
		{"the wrong key ends the race: tcp is not asked",
			attempt{after: 100 * time.Millisecond, err: wrongKey}, attempt{}, "", wrongKey, 100 * time.Millisecond, []string{UDP}},
		{"the wrong key over tcp ends the race as well",
			attempt{after: never}, attempt{err: wrongKey}, "", wrongKey, raceHeadStart, []string{UDP, TCP}},
		{"the loser answers in spite of being given up: it is dropped",
			attempt{after: 500 * time.Millisecond, stuck: true}, attempt{after: 100 * time.Millisecond}, TCP, nil, 500 * time.Millisecond, []string{UDP, TCP}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var dialled []string
				var conns []*scriptedConn
				dial := func(ctx context.Context, transport string) (Conn, error) {
					mu.Lock()
					if !slices.Contains(dialled, transport) {
						dialled = append(dialled, transport)
					}
					mu.Unlock()
					a := tt.udp
					if transport == TCP {
						a = tt.tcp
					}
					select {
					case <-time.After(a.after):
					case <-ctx.Done():
						if !a.stuck {
							return nil, ctx.Err()
						}
						time.Sleep(100 * time.Millisecond)
					}
					if a.err != nil {
						return nil, fmt.Errorf("over %s: %w", transport, a.err)
					}
					c := &scriptedConn{transport: transport}
					mu.Lock()
					conns = append(conns, c)
					mu.Unlock()
					return c, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), connectWait)
				defer cancel()
				start := time.Now()
				conn, transport, err := race(ctx, []string{UDP, TCP}, raceHeadStart, dial)
				if took := time.Since(start); transport != tt.want || took != tt.took || !errors.Is(err, tt.wantErr) {
					t.Errorf("got %q, %v after %v; want %q, %v after %v", transport, err, took, tt.want, tt.wantErr, tt.took)
				}
				if (conn != nil) != (tt.want != "") || (err != nil) != (tt.want == "") {
					t.Errorf("connection %v and error %v", conn, err)
				}
				if !slices.Equal(dialled, tt.dialled) {
					t.Errorf("dialled %v, want %v", dialled, tt.dialled)
				}
				for _, c := range conns {
					if c.dropped != (c.transport != tt.want) {
						t.Errorf("the connection over %s: dropped %v", c.transport, c.dropped)
					}
				}
			})
		})
	}
}

func TestTheTransportThatReachedTheServerGoesFirstForAWhile(t *testing.T) {
	now := time.Now()
	var o order
	if got := o.next(now, ""); !slices.Equal(got, []string{UDP, TCP}) {
		t.Errorf("at first %v", got)
	}
	o.won(now, TCP)
	if got := o.next(now.Add(memoryOfTCP-1), ""); !slices.Equal(got, []string{TCP, UDP}) {
		t.Errorf("after TCP has won: %v", got)
	}
	if got := o.next(now.Add(memoryOfTCP), ""); !slices.Equal(got, []string{UDP, TCP}) {
		t.Errorf("after a while: %v", got)
	}
	o.won(now, TCP)
	o.won(now, UDP)
	if got := o.next(now, ""); !slices.Equal(got, []string{UDP, TCP}) {
		t.Errorf("after UDP has won: %v", got)
	}
	if got := o.next(now, TCP); !slices.Equal(got, []string{TCP}) {
		t.Errorf("with TCP only: %v", got)
	}
}

// Where UDP is dropped on the way only TCP finds a server that is started again, and must not wait for UDP to give up.
func TestRefusedTransportIsTriedAgainWhileTheOtherIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const back = 3 * time.Second
		start := time.Now()
		dial := func(ctx context.Context, transport string) (Conn, error) {
			switch {
			case transport == UDP:
				<-ctx.Done()
				return nil, ctx.Err()
			case time.Since(start) < back:
				return nil, errors.New("refused")
			}
			return &scriptedConn{transport: transport}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), connectWait)
		defer cancel()
		_, transport, err := race(ctx, []string{UDP, TCP}, raceHeadStart, dial)
		if took := time.Since(start); err != nil || transport != TCP || took > back+raceAgain {
			t.Errorf("got %q, %v after %v, want %s by %v", transport, err, took, TCP, back+raceAgain)
		}
	})
}

// A server that is there and lets nobody in is asked once in an attempt, however long the other transport is silent: a full
// one would have every client's hello four times a second.
func TestTransportThatTurnsUsAwayIsNotTriedAgainWhileTheOtherIsSilent(t *testing.T) {
	for _, why := range []error{&reliable.RefusedError{Code: reliable.CodeFull}, io.EOF} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0 // By one goroutine.
			dial := func(ctx context.Context, transport string) (Conn, error) {
				if transport == UDP {
					asked++
					return nil, fmt.Errorf("over udp: %w", why)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
			ctx, cancel := context.WithTimeout(t.Context(), connectWait)
			defer cancel()
			if _, _, err := race(ctx, []string{UDP, TCP}, raceHeadStart, dial); !errors.Is(err, why) || asked != 1 {
				t.Errorf("asked %d times, want once: %v", asked, err)
			}
		})
	}
}
