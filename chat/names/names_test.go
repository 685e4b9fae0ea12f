package names_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"udpchat/chat/names"
)

// TestAcceptable has names that people really use.
func TestAcceptable(t *testing.T) {
	for _, name := range []string{
		"a", "room1", "client 1", "Ann-Kathrin O'Neil", "a  b", "C++ & Go: tips (2)", "#general", "@x", "50%", "a/b\\c", "~`|<>\"$^",
		"Jürgen", "Ju\u0308rgen", "Ægir", "Ελένη", "Иван Петров", "김민준", "田中さん", "张伟", "محمد", "שרה לוי", "अनुष्का", "ไทย", "ñandú", "Nguyễn",
		"می\u200cخواهم",                    // Persian: the non-joiner is spelling.
		"ක්\u200dරිස්",                     // Sinhala: the joiner is spelling.
		"👩\u200d💻", "❤\ufe0f\u200d🔥", "👍🏽", // One picture each.
		"❤\ufe0f room", "1\ufe0f\u20e3", "☎\ufe0e",
		"葛\U000e0100城", // Japanese: which form of the first character.
		"ᠮᠣᠩᠭᠣᠯ\u180b", // Mongolian: which form of the last letter.
		"x\u00b2", "½", "№5", "€", "٣",
		strings.Repeat("x", 64), strings.Repeat("ü", 32),
	} {
		if err := names.Check(name, 0); err != nil {
			t.Errorf("Check(%+q) = %v, want nil", name, err)
		}
	}
}

// TestNotAcceptable has one name for each way to be wrong; the text is what users see.
func TestNotAcceptable(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault names.Fault
		says  string
	}{
		{"", names.Empty, "name is empty"},
		{strings.Repeat("x", 65), names.TooLong, "name has 65 bytes, the most is 64"},
		{strings.Repeat("ü", 33), names.TooLong, "name has 66 bytes, the most is 64"},
		{strings.Repeat("\x00", 65), names.TooLong, "name has 65 bytes, the most is 64"},
		{"ab\xffc", names.NotUTF8, "name is not valid UTF-8 at byte 2"},
		{"ab\xc3", names.NotUTF8, "name is not valid UTF-8 at byte 2"},
		{"\xed\xa0\x80", names.NotUTF8, "name is not valid UTF-8 at byte 0"}, // A surrogate.
		{"\xc0\xaf", names.NotUTF8, "name is not valid UTF-8 at byte 0"},     // Longer than needed.
		{"a\x00", names.Control, "name has U+0000 at byte 1, which is a control character"},
		{"a\nb", names.Control, "name has U+000A at byte 1, which is a control character"},
		{"a\tb", names.Control, "name has U+0009 at byte 1, which is a control character"},
		{"\x1b[31mred", names.Control, "name has U+001B at byte 0, which is a control character"},
		{"a\x7f", names.Control, "name has U+007F at byte 1, which is a control character"},
		{"a\u0085b", names.Control, "name has U+0085 at byte 1, which is a control character"},
		{"\u009b31m", names.Control, "name has U+009B at byte 0, which is a control character"},
		{"ä\u2028b", names.LineBreak, "name has U+2028 at byte 2, which breaks the line"},
		{"a\u2029", names.LineBreak, "name has U+2029 at byte 1, which breaks the line"},
		{"a\u202etxt.exe", names.Direction, "name has U+202E at byte 1, which changes the direction of writing"},
		{"\u200fabc", names.Direction, "name has U+200F at byte 0, which changes the direction of writing"},
		{"a\u2066b", names.Direction, "name has U+2066 at byte 1, which changes the direction of writing"},
		{"a\u061c", names.Direction, "name has U+061C at byte 1, which changes the direction of writing"},
		{" a", names.EdgeSpace, "name begins or ends with a space"},
		{"a ", names.EdgeSpace, "name begins or ends with a space"},
		{" ", names.EdgeSpace, "name begins or ends with a space"},
		{"a\u00a0b", names.OddSpace, "name has U+00A0 at byte 1, which is not the ordinary space"},
		{"a\u3000b", names.OddSpace, "name has U+3000 at byte 1, which is not the ordinary space"},
		{"a\u200bb", names.Invisible, "name has U+200B at byte 1, which is invisible there"},
		{"\ufeffab", names.Invisible, "name has U+FEFF at byte 0, which is invisible there"},
		{"a\u00adb", names.Invisible, "name has U+00AD at byte 1, which is invisible there"},
		{"a\u2060b", names.Invisible, "name has U+2060 at byte 1, which is invisible there"},
		{"a\u034fb", names.Invisible, "name has U+034F at byte 1, which is invisible there"},
		{"\u3164", names.Invisible, "name has U+3164 at byte 0, which is invisible there"},
		{"\u2800", names.Invisible, "name has U+2800 at byte 0, which is invisible there"},
		{"ann\u200d", names.Invisible, "name has U+200D at byte 3, which is invisible there"},
		{"an\u200dn", names.Invisible, "name has U+200D at byte 2, which is invisible there"},
		{"\u0438\u200c\u0438", names.Invisible, "name has U+200C at byte 2, which is invisible there"},
		{"👩\u200d", names.Invisible, "name has U+200D at byte 4, which is invisible there"},
		{"👩\u200d\u200d💻", names.Invisible, "name has U+200D at byte 4, which is invisible there"},
		{"a\ufe0f", names.Invisible, "name has U+FE0F at byte 1, which is invisible there"},
		{"\ufe0f", names.Invisible, "name has U+FE0F at byte 0, which is invisible there"},
		{"a\U000e0100", names.Invisible, "name has U+E0100 at byte 1, which is invisible there"},
		{"a\U000e0041", names.Invisible, "name has U+E0041 at byte 1, which is invisible there"},
		{"\u0301a", names.LoneMark, "name has U+0301 at byte 0, which is a mark with nothing before it"},
		{"a \u0301", names.LoneMark, "name has U+0301 at byte 2, which is a mark with nothing before it"},
		{"a\ue000", names.Unassigned, "name has U+E000 at byte 1, which is private or not assigned"},
		{"a\ufdd0", names.Unassigned, "name has U+FDD0 at byte 1, which is private or not assigned"},
		{"a\uffff", names.Unassigned, "name has U+FFFF at byte 1, which is private or not assigned"},
	} {
		err := names.Check(c.name, 0)
		e, ok := errors.AsType[*names.Error](err)
		if !ok || e.Fault != c.fault || e.Error() != c.says {
			t.Errorf("Check(%+q) = %v, want fault %d, %q", c.name, err, c.fault, c.says)
		}
	}
}

func TestLimitIsAnArgument(t *testing.T) {
	if err := names.Check("abcd", 4); err != nil {
		t.Errorf("4 bytes of 4: %v", err)
	}
	if err := names.Check("abcde", 4); err == nil {
		t.Error("5 bytes of 4: no error")
	}
	if err := names.Check(strings.Repeat("x", 100), 200); err != nil {
		t.Errorf("100 bytes of 200: %v", err)
	}
}

// FuzzCheck states what an accepted name never has, in other words than the code, and that no
// name breaks the line it is reported on.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{"", "ann", "a b", "ä\u2028", "👩\u200d💻", "\x80", "a\u202eb", "❤\ufe0f"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := names.Check(name, 0)
		if err != nil {
			for _, r := range err.Error() {
				if r < ' ' || r > '~' {
					t.Fatalf("Check(%q) says %q, which is not plain text", name, err)
				}
			}
			return
		}
		if name == "" || len(name) > names.BytesMax || !utf8.ValidString(name) || strings.TrimSpace(name) != name {
			t.Fatalf("Check(%q) = nil", name)
		}
		visible := false
		for _, r := range name {
			switch {
			case unicode.IsControl(r), r == '\u2028', r == '\u2029', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
				t.Fatalf("Check(%q) = nil, but it has %U", name, r)
			case unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S):
				visible = true
			}
		}
		if !visible {
			t.Fatalf("Check(%q) = nil, but there is nothing to see", name)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, name := range []string{"client1", "田中さん 👩\u200d💻"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := names.Check(name, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
