package account_test

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/account"
)

func TestCredentialsAreImportedAndExported(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e, func(c *account.Config) { c.Open = false })
		ctx := t.Context()
		const file = "\ufeffHans comp3331*\r\nyoda wise@!man\n\nluke pass word with spaces\nbad/name x\nYODA other\nyoda2\nall x\n" +
			"vader $argon2id$v=19$m=99999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nleia last"
		done, err := s.ImportCredentials(ctx, strings.NewReader(file), false)
		if err != nil || done.Made != 4 || done.Same != 1 || done.Changed != 0 {
			t.Fatalf("got %+v, %v", done, err)
		}
		var bad []int
		for _, b := range done.Bad {
			bad = append(bad, b.Line)
			if strings.Contains(b.Why, "argon2id$") {
				t.Errorf("line %d: %q shows a secret", b.Line, b.Why)
			}
		}
		if fmt.Sprint(bad) != "[5 7 8 9]" {
			t.Errorf("bad lines: %v", done.Bad)
		}
		for name, password := range map[string]string{"hans": "comp3331*", "yoda": "wise@!man", "luke": "pass word with spaces", "leia": "last"} {
			_, err := s.LogIn(ctx, home, name, secret(t, password))
			wantNone(t, name, err)
		}

		var out strings.Builder
		if n, err := s.ExportCredentials(ctx, &out); err != nil || n != 4 {
			t.Fatalf("exported %d, %v", n, err)
		}
		if strings.Contains(out.String(), "wise") || !strings.Contains(out.String(), "Hans $argon2id$") {
			t.Errorf("exported %q", out.String())
		}
		other := newService(t, nil)
		if done, err := other.ImportCredentials(ctx, strings.NewReader(out.String()), false); err != nil || done.Made != 4 || len(done.Bad) > 0 {
			t.Fatalf("imported again: %+v, %v", done, err)
		}
		_, err = other.LogIn(ctx, home, "yoda", secret(t, "wise@!man"))
		wantNone(t, "after export and import", err)

		token := newToken(t, other, logIn2(t, other, "yoda", "wise@!man"), "")
		done, err = other.ImportCredentials(ctx, strings.NewReader("yoda new\n"), true)
		if err != nil || done.Changed != 1 {
			t.Errorf("got %+v, %v", done, err)
		}
		_, err = other.LogIn(ctx, home, "yoda", secret(t, "new"))
		wantNone(t, "with the new password", err)
		_, _, err = other.ByToken(ctx, token.Text)
		wantCode(t, "with a token from before", err, account.CodeDenied)
	})
}

func logIn2(t *testing.T, s *account.Service, name, password string) account.Account {
	t.Helper()
	a, err := s.LogIn(t.Context(), account.Attempt{}, name, secret(t, password))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestImportOfSomethingElseEnds(t *testing.T) {
	s := newService(t, nil)
	done, err := s.ImportCredentials(t.Context(), strings.NewReader(strings.Repeat("\x7fELF\x00\n", 5000)), false)
	if err == nil || len(done.Bad) != 1000 {
		t.Errorf("got %d bad lines, %v", len(done.Bad), err)
	}
	done, err = s.ImportCredentials(t.Context(), strings.NewReader("ann x\n"+strings.Repeat("y", 1<<20)+"\nbob x\n"), false)
	if err != nil || done.Made != 2 || len(done.Bad) != 1 || done.Bad[0].Line != 2 {
		t.Errorf("a long line: %+v, %v", done, err)
	}
}
