package carrier

import (
	"errors"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	for text, want := range map[string]Request{
		"UCP1 hold\n":          {},
		"UCP1 hold relay\nxyz": {Target: "relay"},
		"UCP1 to web-2\n":      {Connect: true, Target: "web-2"},
	} {
		line, _, _ := strings.Cut(text, "\n")
		for cut := range len(line) + 1 {
			if _, n, err := ParseRequest([]byte(text[:cut])); n != 0 || err != nil {
				t.Errorf("%q: %d, %v", text[:cut], n, err)
			}
		}
		r, n, err := ParseRequest([]byte(text))
		if r != want || n != len(line)+1 || err != nil {
			t.Errorf("%q: got %+v, %d, %v", text, r, n, err)
		}
		if got := string(r.Append(nil)); got != line+"\n" {
			t.Errorf("%q became %q", line, got)
		}
	}
	for _, bad := range []string{
		"\n", "UCP1\n", "UCP1 \n", "UCP1 hold \n", "UCP1 to\n", "UCP1 to \n", "UCP1 to A\n", "UCP1 to a b\n", "UCP1 to a\r\n", "UCP2 hold\n",
		"UCP1 keep\n", "UCP1 to " + strings.Repeat("a", NameBytesMax+1) + "\n", strings.Repeat("U", LineBytesMax),
	} {
		if r, n, err := ParseRequest([]byte(bad)); !errors.Is(err, ErrSyntax) || n != 0 {
			t.Errorf("%q: got %+v, %d, %v", bad, r, n, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, want := range []Answer{{OK: true}, {Text: "there is no target x"}, {Text: ""}} {
		b := append(want.Append(nil), "what follows"...)
		if got, n, err := ParseAnswer(b); got != want || n != len(b)-len("what follows") || err != nil {
			t.Errorf("%q: got %+v, %d, %v", b, got, n, err)
		}
	}
	long := Answer{Text: "two\nlines " + strings.Repeat("ä", 200)}.Append(nil)
	if got, n, err := ParseAnswer(long); n != len(long) || err != nil || !strings.HasPrefix(got.Text, "two lines ä") || len(long) > LineBytesMax {
		t.Errorf("a long text became %q, %v", long, err)
	}
	for _, bad := range []string{"OK\n", "no\n", "\n", "HTTP/1.1 400 Bad Request\r\n"} {
		if _, _, err := ParseAnswer([]byte(bad)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// Whatever is taken for a request or an answer is what was meant: it becomes the same bytes again.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"UCP1 hold\n", "UCP1 hold relay\n", "UCP1 to a-1\n", "ok\n", "no such\n", "UCP1 to \n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, n, err := ParseRequest(b); err == nil && n > 0 && string(r.Append(nil)) != string(b[:n]) {
			t.Errorf("%q was read as %+v", b[:n], r)
		}
		if a, n, err := ParseAnswer(b); err == nil && n > 0 {
			again, _, err := ParseAnswer(a.Append(nil)) // What cannot be in a line has become something else.
			if third, _, _ := ParseAnswer(again.Append(nil)); err != nil || again.OK != a.OK || third != again {
				t.Errorf("%q was read as %+v, then as %+v and %+v, %v", b[:n], a, again, third, err)
			}
		}
	})
}
