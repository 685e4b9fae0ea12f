package account_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/store/memory"
)

func logIn(t *testing.T, s *account.Service, name string) account.Account {
	t.Helper()
	a, err := s.LogIn(t.Context(), account.Attempt{}, name, secret(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newToken(t *testing.T, s *account.Service, who account.Account, label string) account.Token {
	t.Helper()
	token, err := s.NewToken(t.Context(), who, label)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func labels(t *testing.T, s *account.Service, name string) string {
	t.Helper()
	list, err := s.Tokens(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range list {
		all = append(all, d.Label)
	}
	return strings.Join(all, ",")
}

func TestTokenLogsOneDeviceInUntilItIsRevoked(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e)
		register(t, s, "Ann", "bob")
		ann := logIn(t, s, "Ann")
		a, b := newToken(t, s, ann, "laptop"), newToken(t, s, ann, "phone\x1b[31m\n")
		if a.Device == b.Device || strings.ContainsAny(a.Device, "-/ ") || a.Device == "" {
			t.Errorf("got devices %q and %q", a.Device, b.Device)
		}
		other := newService(t, e) // Another server, or this one after a restart.
		got, device, err := other.ByToken(t.Context(), a.Text)
		if err != nil || got != ann || device != a.Device {
			t.Errorf("ByToken = %+v, %q, %v", got, device, err)
		}
		if got := labels(t, s, "ANN"); got != "laptop,phone[31m" && got != "phone[31m,laptop" {
			t.Errorf("got devices %q", got)
		}
		wantCode(t, "Revoke of another's", s.Revoke(t.Context(), "bob", a.Device), account.CodeNotFound)
		wantNone(t, "Revoke", s.Revoke(t.Context(), "ann", a.Device))
		wantCode(t, "Revoke again", s.Revoke(t.Context(), "ann", a.Device), account.CodeNotFound)
		_, _, err = other.ByToken(t.Context(), a.Text)
		wantCode(t, "a revoked token", err, account.CodeDenied)
		_, _, err = other.ByToken(t.Context(), b.Text)
		wantNone(t, "the other token", err)
		for _, text := range []string{"", "x", strings.Repeat("A", 43), b.Text + "A", b.Text[:42], strings.ToUpper(b.Text), a.Device} {
			_, _, err := s.ByToken(t.Context(), text)
			wantCode(t, fmt.Sprintf("token %q", text), err, account.CodeDenied)
		}
		if got := labels(t, s, "nobody"); got != "" {
			t.Errorf("nobody has devices %q", got)
		}
	})
}

func TestTokensAreNotStored(t *testing.T) {
	e := memory.New(memory.Config{})
	s := newService(t, e)
	register(t, s, "ann")
	token := newToken(t, s, logIn(t, s, "ann"), "laptop")
	for _, bucket := range []string{"accounts", "account-ids", "account-last", "account-guests", "tokens", "account-tokens"} {
		list, err := e.List(t.Context(), bucket, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, en := range list {
			if strings.Contains(en.Key+string(en.Val), token.Text) {
				t.Errorf("the token is in %s: %q %s", bucket, en.Key, en.Val)
			}
		}
	}
	// With another key the same store knows no token.
	if err := e.Delete(t.Context(), "account-secrets", "tokens", 0); err != nil {
		t.Fatal(err)
	}
	_, _, err := newService(t, e).ByToken(t.Context(), token.Text)
	wantCode(t, "without the key", err, account.CodeDenied)
}

func TestAnotherPasswordEndsTheTokensOfOthers(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	thief := logIn(t, s, "ann")
	mine, stolen := newToken(t, s, logIn(t, s, "ann"), "mine"), newToken(t, s, thief, "stolen")
	h := listen(s)
	wantNone(t, "ChangePassword", s.ChangePassword(t.Context(), home, "ann", secret(t, "ann"), secret(t, "new"), mine.Device))
	if got := h.take(); got != "ann password-changed, ann token-revoked" {
		t.Errorf("heard %q", got)
	}
	_, _, err := s.ByToken(t.Context(), stolen.Text)
	wantCode(t, "the other token", err, account.CodeDenied)
	_, _, err = s.ByToken(t.Context(), mine.Text)
	wantNone(t, "the token that was to be kept", err)
	// Who had logged in just before with the old password gets nothing that lasts.
	_, _, err = s.ByToken(t.Context(), newToken(t, s, thief, "late").Text)
	wantCode(t, "a token made after that", err, account.CodeDenied)
}

// TestTokensEndWithThePasswordEvenIfRevokingBreaksOff: the account's own record decides.
func TestTokensEndWithThePasswordEvenIfRevokingBreaksOff(t *testing.T) {
	e := &brittle{Engine: memory.New(memory.Config{})}
	s := newService(t, e)
	register(t, s, "ann")
	token := newToken(t, s, logIn(t, s, "ann"), "")
	changed := false
	e.broken = func(bucket, _ string) bool {
		broken := changed && bucket != "read accounts" && bucket != "read tokens"
		changed = changed || bucket == "accounts"
		return broken
	}
	err := s.ChangePassword(t.Context(), home, "ann", secret(t, "ann"), secret(t, "new"), token.Device)
	if !errors.Is(err, errBroken) && err != nil {
		t.Fatalf("got %v", err)
	}
	e.broken = nil
	_, _, err = s.ByToken(t.Context(), token.Text)
	if _, e := s.LogIn(t.Context(), home, "ann", secret(t, "new")); e != nil {
		t.Fatalf("the password was not changed: %v", e)
	}
	wantCode(t, "the token", err, account.CodeDenied)
}

func TestOneDeviceTooManyRevokesTheOneLongestUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, nil)
		register(t, s, "ann")
		ann := logIn(t, s, "ann")
		var tokens []account.Token
		for i := range 32 {
			tokens = append(tokens, newToken(t, s, ann, fmt.Sprint(i)))
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Hour)
		if _, _, err := s.ByToken(t.Context(), tokens[0].Text); err != nil {
			t.Fatal(err)
		}
		newToken(t, s, ann, "new")
		_, _, err := s.ByToken(t.Context(), tokens[0].Text)
		wantNone(t, "the oldest, which was used", err)
		_, _, err = s.ByToken(t.Context(), tokens[1].Text)
		wantCode(t, "the next one, which was not", err, account.CodeDenied)
		if list, err := s.Tokens(t.Context(), "ann"); err != nil || len(list) != 32 {
			t.Errorf("got %d devices, %v", len(list), err)
		}
	})
}

func TestLabelsAreCut(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	newToken(t, s, logIn(t, s, "ann"), " "+strings.Repeat("ü\x00", 500))
	if got := labels(t, s, "ann"); len(got) > 64 || strings.Trim(got, "ü") != "" || got == "" {
		t.Errorf("got %q", got)
	}
}
