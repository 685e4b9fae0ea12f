package account_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/store/memory"
)

func TestGuestsHaveNamesOfTheirOwnAndNoPassword(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e)
		register(t, s, "ann")
		a, err := s.Guest(t.Context(), home, "Ann")
		if err != nil || a.Name != "ann-g2" || !a.Guest || a.Expires.IsZero() {
			t.Fatalf("got %+v, %v", a, err)
		}
		b, err := s.Guest(t.Context(), home, "")
		if err != nil || b.Name != "guest-g3" {
			t.Fatalf("got %+v, %v", b, err)
		}
		token := newToken(t, s, a, "")
		if got, _, err := s.ByToken(t.Context(), token.Text); err != nil || got != a {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = s.LogIn(t.Context(), home, a.Name, secret(t, "x"))
		wantCode(t, "with a password", err, account.CodeDenied)
		wantCode(t, "another password", s.ChangePassword(t.Context(), home, a.Name, secret(t, "x"), secret(t, "y"), ""), account.CodeDenied)
	})
	closed := newService(t, nil, func(c *account.Config) { c.Guests = false })
	_, err := closed.Guest(t.Context(), home, "ann")
	wantCode(t, "where there are none", err, account.CodeNotOpen)
}

func TestGuestsEndAndNobodyGetsTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := memory.New(memory.Config{})
		s := newService(t, e, func(c *account.Config) { c.GuestLife = 24 * time.Hour })
		register(t, s, "ann")
		away, err := s.Guest(t.Context(), home, "away")
		if err != nil {
			t.Fatal(err)
		}
		here, err := s.Guest(t.Context(), home, "here")
		if err != nil {
			t.Fatal(err)
		}
		late, err := s.Guest(t.Context(), home, "late")
		if err != nil {
			t.Fatal(err)
		}
		token, lateToken := newToken(t, s, away, ""), newToken(t, s, late, "")
		wantNone(t, "add", s.AddContact(t.Context(), away.Name, "ann"))
		wantNone(t, "block", s.Block(t.Context(), away.Name, "ann"))
		wantNone(t, "charge", s.Charge(t.Context(), away.Name, "f", 1))
		wantNone(t, "profile", s.SetProfile(t.Context(), away.Name, account.Profile{About: "x"}))

		time.Sleep(20 * time.Hour)
		_, _, err = s.ByToken(t.Context(), lateToken.Text) // Lives on from now.
		wantNone(t, "log-in", err)
		sweep := func() {
			t.Helper()
			wantNone(t, "Sweep", s.Sweep(t.Context(), func(name string) bool { return name == here.Name }, nil))
		}
		sweep()
		_, err = s.Lookup(t.Context(), away.Name)
		wantNone(t, "before the end", err)

		time.Sleep(5 * time.Hour)
		_, _, err = s.ByToken(t.Context(), token.Text)
		wantCode(t, "after the end", err, account.CodeDenied)
		h := listen(s)
		sweep()
		if got := h.take(); got != "away-g2 token-revoked" {
			t.Errorf("heard %q", got)
		}
		if lists, err := s.Lists(t.Context(), "ann"); err != nil || len(lists.Requesting) != 0 {
			t.Errorf("ann is asked to be a contact by %q, %v", lists.Requesting, err)
		}
		for _, bucket := range []string{"accounts", "tokens", "account-tokens", "account-guests", "contacts", "blocks", "file-quota", "profiles"} {
			list, err := e.List(t.Context(), bucket, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, en := range list {
				if en.Key == away.Name || en.Key == "away-g2/"+token.Device || en.Key == "away-g2" {
					t.Errorf("%s has %q", bucket, en.Key)
				}
			}
		}
		for _, name := range []string{here.Name, late.Name, "ann"} {
			_, err := s.Lookup(t.Context(), name)
			wantNone(t, name, err)
		}
		_, err = s.Register(t.Context(), account.Attempt{}, away.Name, secret(t, "x"))
		wantCode(t, "the name of a guest that was", err, account.CodeBadName)
		if again, err := s.Guest(t.Context(), home, "away"); err != nil || again.Name == away.Name {
			t.Errorf("got %+v, %v", again, err)
		}
	})
}

// TestGuestWhoseMakingBrokeOffIsSweptInTheEnd stops between the two records.
func TestGuestWhoseMakingBrokeOffIsSweptInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &brittle{Engine: memory.New(memory.Config{})}
		s := newService(t, e)
		e.broken = func(bucket, _ string) bool { return bucket == "accounts" }
		if _, err := s.Guest(t.Context(), home, "x"); err == nil {
			t.Fatal("no error")
		}
		e.broken = nil
		left := func() int {
			t.Helper()
			wantNone(t, "Sweep", s.Sweep(t.Context(), nil, nil))
			list, err := e.List(t.Context(), "account-guests", "")
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if n := left(); n != 1 {
			t.Errorf("%d entries at once", n)
		}
		time.Sleep(8 * 24 * time.Hour)
		if n := left(); n != 0 {
			t.Errorf("%d entries in the end", n)
		}
	})
}

// What others keep of a guest that has ended is forgotten as well, even if they cannot the first time.
func TestGuestIsForgottenByEverybodyInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		guest, err := s.Guest(t.Context(), home, "x")
		wantNone(t, "Guest", err)
		time.Sleep(8 * 24 * time.Hour)
		var asked []string
		var trouble error
		gone := func(_ context.Context, name string) error {
			asked = append(asked, name)
			return trouble
		}
		trouble = errors.New("the store is away")
		if err := s.Sweep(t.Context(), nil, gone); !errors.Is(err, trouble) {
			t.Errorf("while it does not work: %v", err)
		}
		trouble = nil
		for range 2 {
			wantNone(t, "Sweep", s.Sweep(t.Context(), nil, gone))
		}
		if want := []string{guest.Name, guest.Name}; !slices.Equal(asked, want) {
			t.Errorf("asked to forget %q, want %q", asked, want)
		}
	})
}

func TestOneNetworkCannotMakeThousandsOfGuests(t *testing.T) {
	s := newService(t, nil)
	made := 0
	for range 100 {
		if _, err := s.Guest(t.Context(), home, "x"); err == nil {
			made++
		} else {
			wantCode(t, "one too many", err, account.CodeRateLimited)
		}
	}
	if made != 20 {
		t.Errorf("made %d, want 20", made)
	}
}
