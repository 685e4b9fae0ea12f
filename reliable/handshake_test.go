package reliable

import (
	"context"
	"errors"
	"net/netip"
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
			c, _ := w.connect()
			if key, err := w.server.ServerKey(); err != nil || c.ServerKey() != key || key == (Key{}) {
				t.Errorf("%s: key %v, want %v, %v", name, c.ServerKey(), key, err)
			}
			if got := time.Since(start) - 50*time.Millisecond; got != tt.want { // Accept returns half a round trip after Dial.
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		})
	}
}

func TestReturningClientSkipsTheCookie(t *testing.T) {
	inWorld(t, lossy(0), Config{AlwaysCookie: true}, func(w *world) {
		one, _ := w.connect()
		time.Sleep(time.Second)
		first := w.server.Stats().Retries
		two, _ := w.connect()
		if n := w.server.Stats().Retries - first; n != 0 || first == 0 {
			t.Errorf("%d cookies for the first connection, %d for the second", first, n)
		}
		// A token is good for the address, not for another one.
		other := w.listen(netip.MustParseAddrPort("10.0.0.9:5000"), Config{Tokens: w.client.tokens})
		defer other.Close()
		w.net.Connect(netip.MustParseAddrPort("10.0.0.9:5000"), serverAddr, netem.Profile{}, 3)
		before := w.server.Stats().Retries
		stolen, err := other.Dial(w.Context(), serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		if n := w.server.Stats().Retries - before; n == 0 {
			t.Error("a stolen token was honoured")
		}
		for _, c := range []*Conn{one, two, stolen} {
			c.Close() // They would ask for two days whether anybody is there.
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
		goroutines := goroutinesBeside(w.server, w.client)
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
		if n := goroutinesBeside(w.server, w.client); n > goroutines {
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

// A hello that TLS refuses, perhaps after it has worked for it, must not be free for its sender.
func TestBadHellosKeepTheirPlaces(t *testing.T) {
	inWorld(t, netem.Params{}, Config{}, func(w *world) {
		r := w.stranger("10.0.0.66:1")
		for i := range 200 {
			bad := wire.Hello{Source: wire.ConnID(i + 1), Piece: wire.Piece{Total: 4, Data: []byte("\x01\x00\x00\x00")}}
			r.sock.WriteToUDPAddrPort(wire.AppendHello(nil, bad, 0), serverAddr)
			synctest.Wait()
		}
		if s := w.server.Stats(); s.HalfOpen != halfOpenMax || s.Retries != 200-halfOpenMax {
			t.Errorf("%+v", s)
		}
		w.connect()
		time.Sleep(halfOpenLife + time.Millisecond)
		if s := w.server.Stats(); s.HalfOpen != 0 || s.Conns != 1 || s.Drops[DropHandshake] != halfOpenMax {
			t.Errorf("after they expired: %+v", s)
		}
	})
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

// A client that hears nothing goes on with packets of the handshake, and without them where they have no room. The server must
// take all of them for as long as they come.
func TestServerHearsAClientThatDoesNotHearIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &couple{T: t, here: clientAddr, delay: 20 * time.Millisecond,
			toOthers: make(map[netip.AddrPort]int), fromOthers: make(map[netip.AddrPort]int)}
		large := 0
		d.pass = func(f *flying) bool {
			typ, _ := wire.ParseType(f.b)
			if f.toServer && typ == wire.TypePacket {
				large++
			}
			return f.toServer || typ != wire.TypePacket && typ != wire.TypeFinish
		}
		d.dial(Config{})
		d.until(func() bool { return d.server != nil && d.server.Open() && d.client.Open() })
		for d.client.Err() == nil {
			d.client.Write(make([]byte, 10_000))
			d.run(time.Second)
			if silent := time.Since(d.server.heardAt); d.client.Err() == nil && silent > 2*time.Second {
				t.Fatalf("the server has heard nothing for %v; it dropped %v", silent, d.server.Stats().Drops)
			}
		}
		if large == 0 {
			t.Error("nothing was too large for the handshake to ride along")
		}
		d.client.Abort(time.Now(), CodeNone, "")
		d.server.Abort(time.Now(), CodeNone, "")
	})
}
