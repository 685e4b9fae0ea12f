package reliable

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/reliable/internal/wire"
	"udpchat/reliable/netem"
)

// The handshake as two endpoints play it. One-way delay is 50 ms, so a round trip is 100.

func TestDialTakesOneRoundTrip(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  Config
		want time.Duration
	}{
		"without a cookie": {Config{}, 100 * time.Millisecond},
		"with one":         {Config{AlwaysCookie: true}, 200 * time.Millisecond},
	} {
		inWorld(t, lossy(0), tt.cfg, func(w *world) {
			start := time.Now()
			w.connect()
			if got := time.Since(start) - 50*time.Millisecond; got != tt.want { // Accept returns half a round trip after Dial.
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		})
	}
}

func TestReturningClientSkipsTheCookie(t *testing.T) {
	inWorld(t, lossy(0), Config{AlwaysCookie: true}, func(w *world) {
		w.connect()
		time.Sleep(time.Second)
		first := w.server.Stats().Retries
		w.connect()
		if n := w.server.Stats().Retries - first; n != 0 || first == 0 {
			t.Errorf("%d cookies for the first connection, %d for the second", first, n)
		}
		// A token is good for the address, not for another one.
		other := w.listen(netip.MustParseAddrPort("10.0.0.9:5000"), Config{Tokens: w.client.tokens})
		defer other.Close()
		w.net.Connect(netip.MustParseAddrPort("10.0.0.9:5000"), serverAddr, netem.Profile{}, 3)
		before := w.server.Stats().Retries
		if _, err := other.Dial(w.Context(), serverAddr); err != nil {
			t.Fatal(err)
		}
		if n := w.server.Stats().Retries - before; n == 0 {
			t.Error("a stolen token was honoured")
		}
		time.Sleep(49 * time.Hour)
		before = w.server.Stats().Retries
		w.connect()
		if w.server.Stats().Retries == before {
			t.Error("a token of two days ago was honoured")
		}
	})
}

func TestPinnedKey(t *testing.T) {
	right, err := NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := errors.New("asked")
	for name, tt := range map[string]struct {
		client Config
		check  func(error) bool
	}{
		"none":      {Config{}, func(err error) bool { return err == nil }},
		"right":     {Config{ServerKey: right.Key()}, func(err error) bool { return err == nil }},
		"callback":  {Config{VerifyServer: func(k Key) error { return asked }}, func(err error) bool { return errors.Is(err, asked) }},
		"taken":     {Config{VerifyServer: func(k Key) error { return nil }}, func(err error) bool { return err == nil }},
		"wrong pin": {Config{ServerKey: Key{1}}, func(err error) bool { e, ok := errors.AsType[*KeyError](err); return ok && e.Got == right.Key() }},
		"both": {Config{ServerKey: right.Key(), VerifyServer: func(k Key) error { return asked }}, func(err error) bool {
			return errors.Is(err, asked)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(0), Config{Identity: right}, func(w *world) {
				at := netip.MustParseAddrPort("10.0.0.9:5000")
				w.net.Connect(at, serverAddr, netem.Profile{}, 3)
				e := w.listen(at, tt.client)
				defer e.Close()
				c, err := e.Dial(w.Context(), serverAddr)
				if !tt.check(err) {
					t.Errorf("Dial: %v", err)
				}
				if err == nil && c.ServerKey() != right.Key() {
					t.Errorf("key %v, want %v", c.ServerKey(), right.Key())
				}
				if err != nil { // The server forgets a client that does not like it.
					time.Sleep(halfOpenLife + time.Second)
					if s := w.server.Stats(); s.Conns != 0 || s.HalfOpen != 0 || s.Accepted != 0 {
						t.Errorf("left behind: %+v", s)
					}
				}
			})
		})
	}
}

// Who calls must have the key, too: a call makes us dial.
func TestCallFromAnotherServerIsNotAnswered(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		at := netip.MustParseAddrPort("10.0.0.9:5000")
		e := w.listen(at, Config{ServerKey: Key{1}})
		defer e.Close()
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
		defer cancel()
		go func() { _, _ = w.server.Call(ctx, at) }()
		_, err := e.AwaitCall(ctx, serverAddr)
		if _, ok := errors.AsType[*KeyError](err); !ok {
			t.Errorf("AwaitCall: %v, want that the key is wrong", err)
		}
		<-ctx.Done()
		synctest.Wait()
	})
}

// Forged addresses fill the half-open places; then clients have to prove theirs, and get in. Whoever never finishes
// leaves nothing behind.
func TestHalfOpenPlacesAreFewAndExpire(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		var before, during, after runtime.MemStats
		goroutines := runtime.NumGoroutine()
		measure := func(m *runtime.MemStats) {
			synctest.Wait()
			runtime.GC()
			runtime.GC() // Pools are emptied by the second.
			runtime.ReadMemStats(m)
		}
		measure(&before)
		r := w.stranger("10.0.0.66:1")
		sent := 0
		for range 200 {
			s := &stranger{raw: r}
			sent += s.hello1(t)
		}
		s := w.server.Stats()
		if s.HalfOpen != halfOpenMax || s.Retries != 200-halfOpenMax || s.Accepted != 0 {
			t.Errorf("half-open %d, cookies %d, accepted %d", s.HalfOpen, s.Retries, s.Accepted)
		}
		if r.got > sent {
			t.Errorf("%d bytes for %d", r.got, sent)
		}
		measure(&during)
		w.connect() // With a cookie.
		time.Sleep(halfOpenLife + time.Millisecond)
		s = w.server.Stats()
		if s.HalfOpen != 0 || s.Conns != 1 || s.HalfOpenEnded != halfOpenMax || s.TimeWait != 0 {
			t.Errorf("after they expired: %+v", s)
		}
		if n := runtime.NumGoroutine(); n > goroutines+4 {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		measure(&after)
		bytes := func(m *runtime.MemStats) int64 { return int64(m.HeapAlloc + m.StackInuse) }
		t.Logf("%d KB for a half-open connection", (bytes(&during)-bytes(&before))/halfOpenMax>>10)
		if left := bytes(&after) - bytes(&before); left > 1<<20 {
			t.Errorf("%d KB are left of them", left>>10)
		}
		if w.connect(); w.server.Stats().Retries != 200-halfOpenMax+1 {
			t.Error("a cookie was asked for without need")
		}
	})
}

// hello1 sends the first hello of a new client and takes the answer, which must not be longer. It returns the hello's size.
func (s *stranger) hello1(t *testing.T) int {
	t.Helper()
	s.machine = s.newMachine()
	defer s.machine.Close()
	s.hello, _ = s.machine.AppendDue(time.Now(), nil)
	if answer := s.ask(s.hello); len(answer) == 0 || len(answer) > len(s.hello) {
		t.Fatalf("hello of %d bytes got %d", len(s.hello), len(answer))
	}
	return len(s.hello)
}

func TestRepeatedHelloEarnsNoMoreThanItsOwnSize(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		s := w.stranger("10.0.0.66:1").begin()
		s.got = 0
		for range 50 {
			s.ask(s.hello)
		}
		if s.got > 50*len(s.hello) || s.got == 0 {
			t.Errorf("%d bytes for %d", s.got, 50*len(s.hello))
		}
		if n := w.server.Stats().HalfOpen; n != 1 {
			t.Errorf("%d half-open connections for one hello", n)
		}
	})
}

// Nothing may leave for an address before its owner has shown that it sees what we send there.
func TestForgedFinishOpensNothing(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		s := w.stranger("10.0.0.66:1").begin()
		good := s.finish()
		for i := range len(good) * 8 {
			if i/8 >= 1 && i/8 < 9 && i%8 > 0 {
				continue // Other destinations: one bit of each byte is enough.
			}
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			s.sock.WriteToUDPAddrPort(bad, serverAddr)
			synctest.Wait()
		}
		if answer := s.ask(nil); answer != nil || w.server.Stats().Accepted != 0 {
			t.Fatalf("a forged packet was answered by %x, %+v", answer, w.server.Stats())
		}
		if s.ask(good) == nil || w.server.Stats().Accepted != 1 {
			t.Error("the genuine one was not taken after them")
		}
	})
}

// Every bit of a packet is authenticated, header and body, and what was dropped can still come undamaged.
func TestPacketWithAnyFlippedBitIsDropped(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		client, server := w.connect()
		time.Sleep(time.Second)
		good := sealed(client, func(b []byte) []byte { return wire.AppendClose(b, CodeApplication, "genuine") })
		for i := range len(good) * 8 {
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			w.client.sock.write(bad, nil, serverAddr)
			synctest.Wait()
		}
		before := server.Stats()
		if before.DatagramsSent > 3 || before.Drops[DropSeal] == 0 {
			t.Errorf("%d datagrams sent, drops %v", before.DatagramsSent, before.Drops.Map())
		}
		w.client.sock.write(good, nil, serverAddr)
		_, err := server.Read(make([]byte, 1))
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Text != "genuine" {
			t.Errorf("Read: %v, want the genuine close", err)
		}
	})
}

// Nothing of what is said can be seen on the way.
func TestNothingTravelsInClear(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		secret := []byte("a secret that is long enough not to come by chance")
		var seen [][]byte
		client, server := w.connect()
		for _, c := range []*Conn{client, server} {
			sock := c.e.sock
			c.e.sock = tapped{sock, func(b []byte) { seen = append(seen, bytes.Clone(b)) }}
		}
		client.Write(secret)
		io.ReadFull(server, make([]byte, len(secret)))
		server.Write(secret)
		io.ReadFull(client, make([]byte, len(secret)))
		if len(seen) == 0 {
			t.Fatal("saw nothing")
		}
		for _, b := range seen {
			if bytes.Contains(b, secret[:8]) {
				t.Errorf("%q travels in clear", b)
			}
		}
	})
}

// A tapped socket shows what is written to it.
type tapped struct {
	socket
	see func(b []byte)
}

func (s tapped) write(b, control []byte, to netip.AddrPort) error {
	s.see(b)
	return s.socket.write(b, control, to)
}

// Keys are renewed every hour while bytes flow, whatever is lost.
func TestKeysAreRenewedUnderLoss(t *testing.T) {
	inWorld(t, lossy(0.2), Config{}, func(w *world) {
		client, server := w.connect()
		for i := range 30 {
			time.Sleep(20 * time.Minute)
			from, to := client, server
			if i%3 == 0 {
				from, to = server, client
			}
			from.Write([]byte{byte(i)})
			got := make([]byte, 1)
			if _, err := io.ReadFull(to, got); err != nil || got[0] != byte(i) {
				t.Fatalf("message %d: %v, %v", i, got, err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if a, b := client.m.keys.Generation(), server.m.keys.Generation(); a < 8 || b < a-1 || b > a+1 {
			t.Errorf("generations %d and %d after ten hours", a, b)
		}
	})
}

// A client whose first packet is as long as can be has no room for the end of the handshake in it.
func TestLongFirstMessageUnderLoss(t *testing.T) {
	inWorld(t, lossy(0.3), Config{}, func(w *world) {
		for range 10 {
			c, err := w.client.Dial(w.Context(), serverAddr)
			if err != nil {
				t.Fatal(err)
			}
			c.Write(make([]byte, 20_000))
			s, err := w.server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, 20_000)); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
	})
}

// What a client said before it closed is there, even if all of it arrives at once.
func TestClientThatSaysAllAndGoes(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		c, err := w.client.Dial(w.Context(), serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("bye"))
		c.Close()
		s, err := w.server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(s); string(b) != "bye" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

func TestOpenIdentityKeepsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "server.key")
	first, made, err := OpenIdentity(path)
	if err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	second, made, err := OpenIdentity(path)
	if err != nil || made || second.Key() != first.Key() {
		t.Errorf("made %v, key %v, %v, want %v", made, second.Key(), err, first.Key())
	}
	if key, err := ParseKey(first.Key().String()); err != nil || key != first.Key() {
		t.Errorf("%v is read as %v, %v", first.Key(), key, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
	for name, content := range map[string]string{"garbage": "garbage", "empty": "", "other": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		bad := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenIdentity(bad); err == nil {
			t.Errorf("%s was taken for a key", name)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenIdentity(path); err == nil {
		t.Error("a key that others may read was taken")
	}
}

// BenchmarkDial is a whole connection over loopback: both sides of the handshake, accept, close.
func BenchmarkDial(b *testing.B) {
	e, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	d, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	to := e.sock.local()
	b.ReportAllocs()
	for b.Loop() {
		c, err := d.Dial(b.Context(), to)
		if err != nil {
			b.Fatal(err)
		}
		s, err := e.Accept()
		if err != nil {
			b.Fatal(err)
		}
		c.Abort(0, "")
		s.(*Conn).Abort(0, "")
	}
}
