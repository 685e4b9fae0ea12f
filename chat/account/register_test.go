package account_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	"udpchat/chat/store/memory"
)

func TestRegisterThenLogIn(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e)
		ann, err := s.Register(t.Context(), home, "Ann", secret(t, "secret"))
		if err != nil || ann.Name != "ann" || ann.Show != "Ann" || ann.ID != 1 || ann.Guest {
			t.Fatalf("got %+v, %v", ann, err)
		}
		for _, name := range []string{"Ann", "ann", "ANN"} {
			if got, err := s.LogIn(t.Context(), home, name, secret(t, "secret")); err != nil || got != ann {
				t.Errorf("LogIn as %q: got %+v, %v", name, got, err)
			}
		}
		md5, err := passwd.FromMD5("5ebe2294ecd0e0f08eab7690d2a6ee69")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.LogIn(t.Context(), home, "ann", md5)
		wantNone(t, "LogIn with the MD5 of the password", err)
		_, err = s.LogIn(t.Context(), home, "ann", secret(t, "Secret"))
		wantCode(t, "LogIn with another password", err, account.CodeDenied)
		_, err = s.LogIn(t.Context(), home, "ann", passwd.Secret{})
		wantCode(t, "LogIn with nothing", err, account.CodeDenied)

		_, err = s.Register(t.Context(), home, "aNN", secret(t, "other"))
		wantCode(t, "Register of a name that is taken", err, account.CodeTaken)
		if got, err := newService(t, e).LogIn(t.Context(), home, "ann", secret(t, "secret")); err != nil || got != ann {
			t.Errorf("LogIn after a restart: got %+v, %v", got, err)
		}
		if got, err := s.ByID(t.Context(), 1); err != nil || got != ann {
			t.Errorf("ByID: got %+v, %v", got, err)
		}
		_, err = s.ByID(t.Context(), 2)
		wantCode(t, "ByID of nobody", err, account.CodeNoAccount)
		_, err = s.Lookup(t.Context(), "bob")
		wantCode(t, "Lookup of nobody", err, account.CodeNoAccount)
		_, err = s.Lookup(t.Context(), "a/b")
		wantCode(t, "Lookup of no name", err, account.CodeNoAccount)
	})
}

func TestRegisterRefuses(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ian")
	for name, want := range map[string]account.Code{
		"": account.CodeBadName, "a b": account.CodeBadName, "ann/bob": account.CodeBadName, "all": account.CodeBadName, "jürgen": account.CodeBadName,
		"x-g12": account.CodeBadName, "lan": account.CodeLooksAlike, "1AN": account.CodeLooksAlike, "Ian": account.CodeTaken,
	} {
		_, err := s.Register(t.Context(), home, name, secret(t, "x"))
		wantCode(t, fmt.Sprintf("Register of %q", name), err, want)
	}
	_, err := s.Register(t.Context(), home, "ann", passwd.Secret{})
	wantCode(t, "Register without a password", err, account.CodeBadPassword)

	closed := newService(t, nil, func(c *account.Config) { c.Open = false })
	_, err = closed.Register(t.Context(), home, "ann", secret(t, "x"))
	wantCode(t, "Register where it is closed", err, account.CodeNotOpen)

	scripts := newService(t, nil, func(c *account.Config) { c.AnyScript = true })
	register(t, scripts, "Jürgen", "coco")
	_, err = scripts.Register(t.Context(), home, "сосо", secret(t, "x"))
	wantCode(t, "Register of Cyrillic letters that look like a Latin name", err, account.CodeLooksAlike)
}

// TestRaceForOneName has many register names that are one, or look like one, on two servers over one engine.
func TestRaceForOneName(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		servers := []*account.Service{newService(t, e), newService(t, e)}
		spellings := []string{"mia", "MIA", "m1a", "rnia", "Mla"}
		var mu sync.Mutex
		var made []account.Account
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				name := spellings[i%len(spellings)]
				a, err := servers[i%2].Register(t.Context(), account.Attempt{}, name, secret(t, name))
				if err != nil {
					if !account.Is(err, account.CodeTaken) && !account.Is(err, account.CodeLooksAlike) {
						t.Errorf("got %v", err)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made = append(made, a)
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Fatalf("made %+v, want exactly one", made)
		}
		if got, err := servers[0].LogIn(t.Context(), home, made[0].Show, secret(t, made[0].Show)); err != nil || got != made[0] {
			t.Errorf("the one who was first cannot log in: %+v, %v", got, err)
		}
	})
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	e := memory.New(memory.Config{})
	servers := []*account.Service{newService(t, e), newService(t, e)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[uint64]string)
	for i := range 40 {
		wg.Go(func() {
			a, err := servers[i%2].Register(t.Context(), account.Attempt{}, botName(i), secret(t, "x"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[a.ID] != "" {
				t.Errorf("%+v, %v; number of %q", a, err, seen[a.ID])
			}
			seen[a.ID] = a.Name
		})
	}
	wg.Wait()
	for id, name := range seen {
		if a, err := servers[0].ByID(t.Context(), id); err != nil || a.Name != name {
			t.Errorf("ByID(%d) = %+v, %v, want %q", id, a, err, name)
		}
	}
}

// TestRegistrationThatBreaksOffLeavesNothing stops after each of the records.
func TestRegistrationThatBreaksOffLeavesNothing(t *testing.T) {
	for _, bucket := range []string{"account-last", "account-ids", "accounts"} {
		e := &brittle{Engine: memory.New(memory.Config{})}
		s := newService(t, e)
		e.broken = func(b, _ string) bool { return b == bucket }
		if _, err := s.Register(t.Context(), home, "ann", secret(t, "x")); err == nil {
			t.Fatalf("%s: no error", bucket)
		}
		e.broken = nil
		if s.Reserved("ann") {
			t.Errorf("%s: the name is taken by nobody", bucket)
		}
		for id := range uint64(3) {
			_, err := s.ByID(t.Context(), id)
			wantCode(t, bucket+": ByID", err, account.CodeNoAccount)
		}
		a, err := s.Register(t.Context(), home, "ann", secret(t, "x"))
		if err != nil {
			t.Fatalf("%s: once more: %v", bucket, err)
		}
		if got, err := s.ByID(t.Context(), a.ID); err != nil || got != a {
			t.Errorf("%s: ByID: got %+v, %v", bucket, got, err)
		}
	}
}

func TestOneNetworkCannotRegisterThousands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		try := func(at account.Attempt, name string) error {
			_, err := s.Register(t.Context(), at, name, secret(t, "x"))
			return err
		}
		made, work := 0, s.Work()
		for i := range 200 {
			at := home
			at.From = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			err := try(at, botName(i))
			if err == nil {
				made++
				continue
			}
			wantCode(t, "one too many", err, account.CodeRateLimited)
		}
		if made != 20 || s.Work() != work+20 {
			t.Errorf("made %d accounts with %d hashes, want 20 with 20", made, s.Work()-work)
		}
		wantNone(t, "from elsewhere", try(stranger, "bea"))
		wantNone(t, "from this computer", try(account.Attempt{From: netip.MustParseAddr("127.0.0.1")}, "cid"))
		time.Sleep(31 * time.Second)
		wantNone(t, "later", try(home, "dora"))
		wantCode(t, "and another", try(home, "emil"), account.CodeRateLimited)
	})
}

func TestVisitorsCannotUseAnAccountsName(t *testing.T) {
	e := &brittle{Engine: memory.New(memory.Config{})}
	s := newService(t, e)
	register(t, s, "Bob")
	for name, want := range map[string]bool{
		"bob": true, "BOB": true, "b0b": true, " bob": true, "ｂｏｂ": true, "bоb": true, "bobby": false, "": false, "bob the builder": false, "\xff\x00": false,
	} {
		if got := s.Reserved(name); got != want {
			t.Errorf("Reserved(%+q) = %v", name, got)
		}
	}
	e.broken = func(string, string) bool { return true }
	if !s.Reserved("carl") {
		t.Error("a name is free although nobody knows")
	}
}

// botName returns names that do not look alike.
func botName(i int) string {
	const letters = "abcdefghjkmpqstuwxyz"
	return "bot" + string(letters[i/len(letters)%len(letters)]) + string(letters[i%len(letters)])
}
