package clean

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "hello, wörld 你好 שלום 🙂", "hello, wörld 你好 שלום 🙂"},
		{"empty", "", ""},
		{"colour disappears", "\x1b[1;31mred\x1b[0m alert", "red alert"},
		{"colour with 8-bit CSI as UTF-8", "\u009b31mred", "red"},
		{"lone C1 byte is not UTF-8", "\x9b31mred", "�31mred"},
		{"window title", "a\x1b]0;root@host\x07b", "ab"},
		{"title ended by ST", "a\x1b]0;x\x1b\\b", "ab"},
		{"title ended by C1 ST", "a\u009d0;x\u009cb", "ab"},
		{"clipboard", "\x1b]52;c;cm0gLXJm\x07ok", "ok"},
		{"hyperlink keeps its text", "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\", "here"},
		{"device control", "\x1bPq#0;2;0;0;0\x1b\\after", "after"},
		{"application command", "\x1b_Gf=100;AAAA\x1b\\after", "after"},
		{"string that never ends hides nothing", "a\x1b]0;still here", "a0;still here"},
		{"string ended in the middle of a character", "\x1b]0;ĜĜ", "Ĝ"},
		{"single shift two", "\x1bNx \u008ey", "x y"},
		{"reset to initial state", "a\x1bcb", "ab"},
		{"lone escape at the end", "a\x1b", "a"},
		{"sequence without end", "a\x1b[12;", "a"},
		{"escape inside a sequence", "\x1b[\x1b[31mx", "x"},
		{"bell, backspace, delete", "a\a\b\x7fb", "ab"},
		{"tab is a space", "a\tb", "a b"},
		{"all spaces are one kind", "a\u00a0b\u3000c\u2009d\u2800e", "a b c d e"},
		{"line breaks are marks", "a\nb\r\nc\rd\u2028e\u0085f\vg\fh", "a⏎b⏎c⏎d⏎e⏎f⏎g⏎h"},
		{"empty line inside", "a\n\nb", "a⏎⏎b"},
		{"line breaks at the ends disappear", "\r\n\na\n\n", "a"},
		{"a sequence does not swallow the next line", "\x1b]0;x\nb\x07c", "0;x⏎bc"},
		{"bidi override", "user\u202etxt.exe\u202c", "usertxt.exe"},
		{"bidi isolates and marks", "\u2066a\u2069\u200f\u200e\u061cb", "ab"},
		{"zero width", "a\u200bb\u200cc\u2060d\ufeffe\u00adf", "abcdef"},
		{"joined emoji fall apart", "👩\u200d💻 ❤\ufe0f", "👩💻 ❤"},
		{"tags cannot smuggle", "x\U000e0041\U000e0042", "x"},
		{"variation selectors cannot smuggle", "x\U000e0101\ufe01", "x"},
		{"Hangul filler", "\u3164\u115f\u1160\uffa0x", "x"},
		{"private use", "\ue0b0x\U000f0001", "�x�"},
		{"unassigned", "\u0378\U000e1000", "��"},
		{"emoji newer than our tables", "\U0001fae9", "\U0001fae9"},
		{"noncharacter", "\ufffe\U0010ffff", "��"},
		{"invalid UTF-8", "a\xffb\xc3", "a�b�"},
		{"surrogate half", "\xed\xa0\x80", "�"},
		{"overlong NUL", "\xc0\x80", "�"},
		{"marks", "e\u0301 ệ", "e\u0301 ệ"},
		{"flood of marks", "z" + strings.Repeat("\u0336", 100) + "y", "z" + strings.Repeat("\u0336", combiningMax) + "y"},
		{"mark with nothing to sit on", "\u0336x", "◌\u0336x"},
		{"mark on a space", "a \u0336x", "a ◌\u0336x"},
		{"decomposed Hangul", "\u1112\u1161\u11ab", "\u1112\u1161\u11ab"},
		{"visible format character leaves a trace", "\u06dd", "�"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
			check(t, tt.in)
		})
	}
}

func TestLineOfTheLongestMessageIsWhole(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("x", 64<<10),
		strings.Repeat("\n", 64<<10-1) + "x",
		strings.Repeat("é", 32<<10),
	} {
		got := Line(s)
		if strings.ContainsRune(got, ellipsis) {
			t.Errorf("Line of %d bytes was cut to %d", len(s), len(got))
		}
	}
}

func TestLineIsCut(t *testing.T) {
	s := strings.Repeat("é", lineRunesMax+1)
	got := Line(s)
	if n := utf8.RuneCountInString(got); n != lineRunesMax || !strings.HasSuffix(got, string(ellipsis)) {
		t.Errorf("Line of %d characters: %d characters, ends with %q", lineRunesMax+1, n, got[len(got)-3:])
	}
	check(t, s)
}

func TestText(t *testing.T) {
	long := strings.Repeat("a\n", textLinesMax+1)
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"nothing printable", "\x1b[2J\n\u200b", nil},
		{"one line", "hello", []string{"hello"}},
		{"several", "a\r\n\tb\n\nc\n", []string{"a", " b", "", "c"}},
		{"each line on its own", "a\x1b]0;\nb\x07c", []string{"a0;", "bc"}},
		{"too many lines", long, append(slices.Repeat([]string{"a"}, textLinesMax-1), "…")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in); !slices.Equal(got, tt.want) {
				t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
			}
			check(t, tt.in)
		})
	}
}

func TestName(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "client1", "client1"},
		{"spaces", "  Ada \t Lovelace\n", "Ada Lovelace"},
		{"line break is a space", "a\nb", "a b"},
		{"nothing to see", "\u200b\u3164", "?"},
		{"escape", "\x1b[31mred", "red"},
		{"long", strings.Repeat("x", 65), strings.Repeat("x", 63) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Name(tt.in); got != tt.want {
				t.Errorf("Name(%q) = %q, want %q", tt.in, got, tt.want)
			}
			check(t, tt.in)
		})
	}
}

// FuzzClean proves the promise of the package comment for all three functions.
func FuzzClean(f *testing.F) {
	for _, s := range []string{
		"", "hello", "\x1b[31mred\x1b[0m", "\u009b31m", "\x9b31m", "\x1b]0;x\x07y", "\x1b]0;ĜĜ\x1b",
		"\x1bP\x1b\\\x1b_\u009c", "a\r\nb\u2028c", "\u202eabc", "👩\u200d💻", "\u0336\u0336", "\xff\xfe",
		"\x1b\u0301", "\u1160\u1161", "  a  b ", "\u06dd\ufffc",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t, s) })
}

// check verifies what must hold for the cleaned form of any text.
func check(t *testing.T, s string) {
	t.Helper()
	line, name, text := Line(s), Name(s), Text(s)
	for _, got := range append([]string{line, name}, text...) {
		checkPrintable(t, s, got)
	}
	if again := Line(line); again != line {
		t.Errorf("Line(%q) = %q, cleaned again %q", s, line, again)
	}
	if again := Name(name); again != name {
		t.Errorf("Name(%q) = %q, cleaned again %q", s, name, again)
	}
	if again := Text(strings.Join(text, "\n")); !slices.Equal(again, text) {
		t.Errorf("Text(%q) = %q, cleaned again %q", s, text, again)
	}
	if n := utf8.RuneCountInString(line); n > lineRunesMax {
		t.Errorf("Line gave %d characters", n)
	}
	if n := utf8.RuneCountInString(name); n > nameRunesMax || n == 0 {
		t.Errorf("Name gave %d characters", n)
	}
	if len(text) > textLinesMax {
		t.Errorf("Text gave %d lines", len(text))
	}
}

// checkPrintable spells the forbidden characters out, independently of how safe finds them.
func checkPrintable(t *testing.T, in, got string) {
	t.Helper()
	if !utf8.ValidString(got) {
		t.Errorf("cleaned %q: %q is not valid UTF-8", in, got)
	}
	marks := combiningMax // At the beginning of a line nothing may carry a mark.
	for _, r := range got {
		switch {
		case r < ' ', 0x7f <= r && r <= 0x9f:
			t.Errorf("cleaned %q: %q holds control character %U", in, got, r)
		case r == '\u061c', '\u200b' <= r && r <= '\u200f', '\u2028' <= r && r <= '\u202e',
			'\u2060' <= r && r <= '\u206f', r == '\ufeff', r == '\u00ad', r == '\u180e':
			t.Errorf("cleaned %q: %q holds invisible %U", in, got, r)
		case '\ufe00' <= r && r <= '\ufe0f', '\U000e0000' <= r && r <= '\U000e0fff',
			r == '\u3164', r == '\u115f', r == '\u1160', r == '\uffa0', r == '\u034f':
			t.Errorf("cleaned %q: %q holds invisible %U", in, got, r)
		case '\ue000' <= r && r <= '\uf8ff', unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			t.Errorf("cleaned %q: %q holds %U", in, got, r)
		case unicode.Is(unicode.M, r):
			if marks++; marks > combiningMax {
				t.Errorf("cleaned %q: %q has too many combining marks in one place", in, got)
			}
			continue
		}
		marks = 0
	}
}
