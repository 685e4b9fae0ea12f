package account_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/account"
	"udpchat/chat/passwd"
	"udpchat/chat/store/memory"
)

// TestUnknownUserCannotBeToldFromWrongPassword compares answers, locks and work, which is what takes the time.
func TestUnknownUserCannotBeToldFromWrongPassword(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	g, err := s.Guest(t.Context(), home, "gus")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range []string{"ann", "nobody", g.Name, "no name at all", "\xff"} {
		var got []string
		for range 5 {
			before := s.Work()
			_, err := s.LogIn(t.Context(), stranger, name, secret(t, "wrong"))
			e, _ := errors.AsType[*account.Error](err)
			if e == nil {
				t.Fatalf("%q: got %v", name, err)
			}
			got = append(got, fmt.Sprintf("%v, %d left, work %d", e.Code, e.Left, s.Work()-before))
		}
		if want == nil {
			want = got
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %q, want as for somebody who exists: %q", name, got, want)
		}
	}
}

func TestThreeWrongPasswordsLockOneNetworkForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		register(t, s, "ann")
		logIn := func(at account.Attempt, password string) error {
			_, err := s.LogIn(t.Context(), at, "ann", secret(t, password))
			return err
		}
		for want := 2; want >= 0; want-- {
			err := logIn(stranger, "wrong")
			if e, _ := errors.AsType[*account.Error](err); e == nil || e.Code != account.CodeDenied || e.Left != want {
				t.Errorf("got %v, want %d left", err, want)
			}
		}
		work := s.Work()
		wantCode(t, "locked, with the right password", logIn(stranger, "ann"), account.CodeLocked)
		if s.Work() != work {
			t.Error("a locked log-in was given work")
		}
		wantNone(t, "the owner, from elsewhere", logIn(home, "ann"))
		time.Sleep(59 * time.Second)
		wantCode(t, "nearly a minute later", logIn(stranger, "ann"), account.CodeLocked)
		time.Sleep(2 * time.Second)
		wantCode(t, "a minute later, with a wrong password", logIn(stranger, "wrong"), account.CodeDenied)
		wantNone(t, "and the right one", logIn(stranger, "ann"))
		for range 2 {
			wantCode(t, "wrong ones before a right one", logIn(stranger, "wrong"), account.CodeDenied)
		}
		wantNone(t, "the right one", logIn(stranger, "ann"))
		for range 2 {
			wantCode(t, "do not count after it", logIn(stranger, "wrong"), account.CodeDenied)
		}
		wantNone(t, "the right one", logIn(stranger, "ann"))
	})
}

func TestLockCoversTheNetworkNotTheAddress(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.7", "192.0.2.200", true},
		{"192.0.2.7", "192.0.3.7", false},
		{"192.0.2.7", "::ffff:192.0.2.9", true},
		{"2001:db8:1:200::1", "2001:db8:1:2ff::9", true},
		{"2001:db8:1:200::1", "2001:db8:1:300::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		s := newService(t, nil)
		register(t, s, "ann")
		for range 3 {
			_, err := s.LogIn(t.Context(), account.Attempt{From: netip.MustParseAddr(c.a)}, "ann", secret(t, "wrong"))
			wantCode(t, "wrong", err, account.CodeDenied)
		}
		_, err := s.LogIn(t.Context(), account.Attempt{From: netip.MustParseAddr(c.b)}, "ann", secret(t, "ann"))
		if locked := account.Is(err, account.CodeLocked); locked != c.same {
			t.Errorf("after wrong ones from %s, from %s: %v", c.a, c.b, err)
		}
	}
}

// TestStrangersCannotLockTheOwnerOut has a hundred networks guess. The owner gets in, after a wait of a few seconds at most,
// and with a token at once.
func TestStrangersCannotLockTheOwnerOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		register(t, s, "ann")
		ann, err := s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.NewToken(t.Context(), ann, "")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				at := account.Attempt{From: netip.AddrFrom4([4]byte{10, byte(i), 0, 1})}
				for range 10 {
					if _, err := s.LogIn(t.Context(), at, "ann", secret(t, "wrong")); err == nil {
						t.Error("a wrong password was right")
					}
				}
			})
		}
		wg.Wait()
		if w := s.Work(); w > 2+300 {
			t.Errorf("%d passwords were tried, want 3 for each network at most", w-2)
		}
		start := time.Now()
		_, _, err = s.ByToken(t.Context(), token.Text)
		if err != nil || time.Since(start) > 0 {
			t.Errorf("with a token: %v after %v", err, time.Since(start))
		}
		_, err = s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
		if d := time.Since(start); err != nil || d == 0 || d > 3*time.Second {
			t.Errorf("with the password: %v after %v, want some of 3 s", err, d)
		}
		time.Sleep(10 * time.Minute)
		start = time.Now()
		_, err = s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
		if err != nil || time.Since(start) > 0 {
			t.Errorf("later: %v after %v", err, time.Since(start))
		}
	})
}

// TestGuessesAtTheSameMomentAreCountedOneByOne: however many connections one opens, it has three guesses.
func TestGuessesAtTheSameMomentAreCountedOneByOne(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	before := s.Work()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := s.LogIn(t.Context(), stranger, "ann", secret(t, "wrong")); err == nil {
				t.Error("a wrong password was right")
			}
		})
	}
	wg.Wait()
	if got := s.Work() - before; got != 3 {
		t.Errorf("%d passwords were tried, want 3", got)
	}
}

func TestNameLockIsForEverybodyButOnlyForItsKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		register(t, s, "ann")
		strict := func(at account.Attempt) account.Attempt { at.NameLock = 20 * time.Second; return at }
		for _, at := range []account.Attempt{home, stranger, homeToo} {
			_, err := s.LogIn(t.Context(), strict(at), "ann", secret(t, "wrong"))
			wantCode(t, "wrong", err, account.CodeDenied)
		}
		_, err := s.LogIn(t.Context(), strict(account.Attempt{}), "ann", secret(t, "ann"))
		wantCode(t, "from anywhere", err, account.CodeLocked)
		_, err = s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
		wantNone(t, "by another protocol", err)
		time.Sleep(21 * time.Second)
		_, err = s.LogIn(t.Context(), strict(stranger), "ann", secret(t, "ann"))
		wantNone(t, "when it is over", err)
	})
}

func TestOneNetworkCannotTryOnePasswordOnEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		for i := range 150 {
			_, err := s.LogIn(t.Context(), stranger, fmt.Sprintf("user%d", i), secret(t, "123456"))
			if i < 100 {
				wantCode(t, "a guess", err, account.CodeDenied)
			} else {
				wantCode(t, "one too many", err, account.CodeRateLimited)
			}
		}
		if s.Work() != 100 {
			t.Errorf("%d hashes", s.Work())
		}
		time.Sleep(2 * time.Second)
		_, err := s.LogIn(t.Context(), stranger, "user200", secret(t, "123456"))
		wantCode(t, "later", err, account.CodeDenied)
	})
}

func TestLogInThatIsGivenUpCountsForNothing(t *testing.T) {
	s := newService(t, nil, func(c *account.Config) { c.Passwords.Parallel = 1 })
	register(t, s, "ann")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, _ = s.LogIn(ctx, stranger, "ann", secret(t, "ann"))
	}
	_, err := s.LogIn(t.Context(), stranger, "ann", secret(t, "ann"))
	wantNone(t, "after many that were given up", err)
}

func TestOldHashIsMadeAnewAtLogIn(t *testing.T) {
	e := memory.New(memory.Config{})
	register(t, newService(t, e), "ann")
	before, _ := e.Get(t.Context(), "accounts", "ann")
	s := newService(t, e, func(c *account.Config) { c.Passwords = passwd.Config{MemoryKiB: 16, Passes: 1} })
	_, err := s.LogIn(t.Context(), home, "ann", secret(t, "wrong"))
	wantCode(t, "wrong", err, account.CodeDenied)
	same, _ := e.Get(t.Context(), "accounts", "ann")
	if same.Rev != before.Rev {
		t.Error("a wrong password has changed the account")
	}
	for range 2 {
		_, err = s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
		wantNone(t, "right", err)
	}
	after, _ := e.Get(t.Context(), "accounts", "ann")
	if after.Rev == before.Rev || s.Work() != 4 {
		t.Errorf("revision %d after %d, %d hashes; want a new verifier, made once", after.Rev, before.Rev, s.Work())
	}
}

func TestChangePassword(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	h := listen(s)
	change := func(at account.Attempt, old, password string) error {
		return s.ChangePassword(t.Context(), at, "ann", secret(t, old), secret(t, password), "")
	}
	wantCode(t, "with a wrong password", change(home, "wrong", "new"), account.CodeDenied)
	wantNone(t, "with the right one", change(home, "ann", "new"))
	if got := h.take(); got != "ann password-changed" {
		t.Errorf("heard %q", got)
	}
	_, err := s.LogIn(t.Context(), home, "ann", secret(t, "ann"))
	wantCode(t, "with the old one", err, account.CodeDenied)
	_, err = s.LogIn(t.Context(), home, "ann", secret(t, "new"))
	wantNone(t, "with the new one", err)
	for range 3 {
		wantCode(t, "guessing", change(stranger, "wrong", "new"), account.CodeDenied)
	}
	wantCode(t, "locked", change(stranger, "new", "newer"), account.CodeLocked)
	err = s.ChangePassword(t.Context(), home, "nobody", secret(t, "x"), secret(t, "y"), "")
	wantCode(t, "of nobody", err, account.CodeDenied)
}

// TestFloodOfNamesDoesNotUnlock: what is remembered is bounded, but no few thousand names push a lock out.
func TestFloodOfNamesDoesNotUnlock(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	for range 3 {
		_, err := s.LogIn(t.Context(), stranger, "ann", secret(t, "wrong"))
		wantCode(t, "wrong", err, account.CodeDenied)
	}
	for i := range 2000 {
		at := account.Attempt{From: netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})}
		_, err := s.LogIn(t.Context(), at, fmt.Sprintf("x%d", i), secret(t, "x"))
		wantCode(t, "another", err, account.CodeDenied)
	}
	_, err := s.LogIn(t.Context(), stranger, "ann", secret(t, "ann"))
	wantCode(t, "after a flood of other names", err, account.CodeLocked)
}
