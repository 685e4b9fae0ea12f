package reliable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/netem"
)

func randomBytes(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestStreamCrossesLossBothWaysAtOnce(t *testing.T) {
	link := lossy(0.2)
	link.Duplicate, link.Corrupt, link.Reorder, link.ReorderBy = 0.05, 0.01, 0.05, 20*time.Millisecond
	inWorld(t, link, Config{}, func(w *world) {
		const size = 1 << 20
		client, server := w.connect()
		var wg sync.WaitGroup
		for i, dir := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
			data := randomBytes(size, uint64(i))
			wg.Go(func() {
				if _, err := dir.from.Write(data); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				got := make([]byte, size)
				if _, err := io.ReadFull(dir.to, got); err != nil || !bytes.Equal(got, data) {
					t.Errorf("direction %d: %v, bytes equal: %v", i, err, bytes.Equal(got, data))
				}
			})
		}
		wg.Wait()
		s := client.Stats()
		if s.RecoveredByFEC == 0 || s.Retransmits == 0 || s.Drops[DropSeal] == 0 || s.Drops[DropRepeated] == 0 {
			t.Errorf("the link was too kind: %+v", s)
		}
		if s.LossReceived < 0.1 || s.LossReceived > 0.3 || s.LossSent < 0.1 || s.LossSent > 0.3 {
			t.Errorf("measured loss %.2f out, %.2f in, want about 0.2", s.LossSent, s.LossReceived)
		}
		if s.RTTMin < 100*time.Millisecond || s.RTTMin > 110*time.Millisecond {
			t.Errorf("smallest RTT %v, want 100 to 110 ms", s.RTTMin)
		}
	})
}

func TestIdleConnectionSendsAtOnce(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		for range 5 {
			time.Sleep(90 * time.Millisecond)
			sent := time.Now()
			client.Write([]byte("now"))
			io.ReadFull(server, make([]byte, 3))
			if d := time.Since(sent); d != 50*time.Millisecond {
				t.Errorf("took %v, want 50 ms", d)
			}
		}
	})
}

func TestCloseRightAfterWriteDeliversAtThirtyPercentLoss(t *testing.T) {
	inWorld(t, lossy(0.3), Config{}, func(w *world) {
		for i := range 20 {
			client, server := w.connect()
			client.Write([]byte("last words"))
			client.CloseWithReason(CodeApplication+1, "done")
			got, err := io.ReadAll(server)
			e, ok := errors.AsType[*CloseError](err)
			if string(got) != "last words" || !ok || !e.Remote || e.Code != CodeApplication+1 || e.Text != "done" {
				t.Errorf("round %d: got %q, %v", i, got, err)
			}
		}
	})
}

func TestOrdinaryCloseIsEOF(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		client.Close()
		if _, err := server.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read: %v, want io.EOF", err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v, want net.ErrClosed", err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after own Close: %v, want net.ErrClosed", err)
		}
	})
}

func TestDeadPeerTimesOut(t *testing.T) {
	for name, test := range map[string]struct {
		write bool
		want  time.Duration
	}{
		"idle":               {false, time.Minute},
		"waiting for an ack": {true, silenceMax},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(0), Config{}, func(w *world) {
				client, server := w.connect()
				time.Sleep(time.Second)
				w.net.Partition(clientAddr, serverAddr)
				cut := time.Now()
				if test.write {
					client.Write([]byte("hello?"))
				}
				_, err := client.Read(make([]byte, 1))
				if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() || !errors.Is(err, net.ErrClosed) {
					t.Errorf("Read: %v, want a timeout that is net.ErrClosed", err)
				}
				if d := time.Since(cut); d < test.want-2*time.Second || d > test.want+2*time.Second {
					t.Errorf("noticed after %v, want about %v", d, test.want)
				}
				server.Read(make([]byte, 1)) // Ends too.
			})
		})
	}
}

func TestSilentButLivingPeerStays(t *testing.T) {
	inWorld(t, lossy(0.2), Config{}, func(w *world) {
		client, server := w.connect()
		time.Sleep(time.Hour)
		client.Write([]byte("still here"))
		got := make([]byte, 10)
		if _, err := io.ReadFull(server, got); err != nil {
			t.Fatal(err)
		}
		if s := client.Stats(); s.DatagramsSent > 1000 {
			t.Errorf("%d datagrams in an idle hour", s.DatagramsSent)
		}
	})
}

func TestShortOutageIsSurvived(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		client.Write([]byte("a"))
		io.ReadFull(server, make([]byte, 1))
		w.net.Partition(clientAddr, serverAddr)
		client.Write([]byte("b"))
		time.Sleep(10 * time.Second)
		w.net.Heal(clientAddr, serverAddr)
		if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
			t.Error(err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, _ := w.connect()
		client.SetReadDeadline(time.Now().Add(time.Second))
		start := time.Now()
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Read: %v after %v, want a deadline after 1 s", err, time.Since(start))
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("second Read: %v", err)
		}
		var wg sync.WaitGroup
		client.SetReadDeadline(time.Time{})
		wg.Go(func() {
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Read whose deadline moved: %v", err)
			}
		})
		synctest.Wait()
		client.SetReadDeadline(time.Now())
		wg.Wait()

		// Nobody reads on the other side: the window closes, then the buffers fill, then Write blocks.
		client.SetWriteDeadline(time.Now().Add(20 * time.Second))
		n, err := client.Write(make([]byte, 4<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n > 2<<20 {
			t.Errorf("Write: %d, %v, want a part and a deadline", n, err)
		}
	})
}

// A reader that stops and goes on must find everything: the sender was told "no room" and waits to hear otherwise.
func TestStoppedReaderGoesOn(t *testing.T) {
	for _, loss := range []float64{0, 0.3} {
		inWorld(t, lossy(loss), Config{}, func(w *world) {
			client, server := w.connect()
			data := randomBytes(2<<20, 5)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := client.Write(data); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(30 * time.Second)
			got := make([]byte, len(data))
			if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("loss %v: %v", loss, err)
			}
			wg.Wait()
		})
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	inWorld(t, lossy(0.1), Config{}, func(w *world) {
		client, server := w.connect()
		const writers, each = 10, 2000
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				if _, err := client.Write(make([]byte, each)); err != nil {
					t.Error(err)
				}
			})
		}
		var mu sync.Mutex
		total := 0
		for range 4 {
			wg.Go(func() {
				buf := make([]byte, 777)
				for {
					n, err := server.Read(buf)
					mu.Lock()
					total += n
					if total == writers*each {
						server.SetReadDeadline(time.Now())
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		if total != writers*each {
			t.Errorf("%d bytes arrived, want %d", total, writers*each)
		}
	})
}

func TestDialGivesUp(t *testing.T) {
	inWorld(t, netem.Params{Loss: 1}, Config{}, func(w *world) {
		start := time.Now()
		_, err := w.client.Dial(w.Context(), serverAddr)
		if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() || time.Since(start) != 10*time.Second {
			t.Errorf("Dial: %v after %v, want a timeout after 10 s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if _, err := w.client.Dial(ctx, serverAddr); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v, want context.DeadlineExceeded", err)
		}
	})
}

func TestConnectAtHeavyLoss(t *testing.T) {
	inWorld(t, lossy(0.5), Config{}, func(w *world) {
		const rounds = 50
		start := time.Now()
		for range rounds {
			client, _ := w.connect()
			client.Abort(0, "")
		}
		// Two round trips of 100 ms, each of which succeeds one time in four.
		if d := time.Since(start) / rounds; d > 1500*time.Millisecond {
			t.Errorf("connecting took %v on average, want at most 1.5 s", d)
		}
	})
}

// Request and reply on a fast network must not wait for the ARQ's flush interval.
func TestReplyOnALANLeavesAtOnce(t *testing.T) {
	inWorld(t, netem.Params{Delay: 200 * time.Microsecond}, Config{}, func(w *world) {
		client, server := w.connect()
		go io.Copy(server, server)
		late := 0
		for range 1000 {
			start := time.Now()
			client.Write([]byte("ping"))
			if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
			if time.Since(start) > 400*time.Microsecond {
				late++
			}
		}
		if late > 2 { // Before the first acknowledgement there is no credit.
			t.Errorf("%d of 1000 replies took more than a round trip", late)
		}
		if s := client.Stats(); s.Retransmits > 0 || s.DatagramsSent > 2500 {
			t.Errorf("%d retransmissions, %d datagrams for 1000 messages", s.Retransmits, s.DatagramsSent)
		}
	})
}
