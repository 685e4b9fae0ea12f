package clean

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// appendClean appends what may be printed of line to b and returns how many more characters fit.
// It writes at most one character more than left allows, so that the caller sees the overflow as a
// negative number and in the text, and cuts. line is valid UTF-8 without line breaks.
func appendClean(b *strings.Builder, line string, left int) int {
	line = withoutSequences(line)
	marks := -1 // Marks on the current character; negative while there is none that could carry one.
	for _, r := range line {
		r, keep := safe(r)
		switch {
		case !keep:
			continue
		case isMark(r):
			if marks < 0 {
				left = appendRune(b, dottedCircle, left)
				marks = 0
			}
			if marks == combiningMax {
				continue
			}
			marks++
		case r == ' ':
			marks = -1
		default:
			marks = 0
		}
		left = appendRune(b, r, left)
		if left < 0 {
			return left
		}
	}
	return left
}

// appendRune appends r unless the text has overflowed already, and returns how much still fits.
func appendRune(b *strings.Builder, r rune, left int) int {
	if left < 0 {
		return left
	}
	b.WriteRune(r)
	return left - 1
}

// withoutSequences returns s without the escape sequences in it. What is left may still hold
// control characters: safe is the judge of those, this only takes their arguments away with them.
func withoutSequences(s string) string {
	s = expandC1(s)
	at := strings.IndexByte(s, ansi.ESC)
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at:]
		_, _, n, state := ansi.DecodeSequence(s, ansi.NormalState, nil)
		if n == len(s) && state == ansi.StringState {
			// A string that never ends. Drop ESC and the character that opened it, and look for no
			// further sequences: each of them would be searched for its end again, to the end.
			b.WriteString(s[min(2, len(s)):])
			return b.String()
		}
		s = s[n:]
		// The parser takes the byte 0x9C for the end of a string even in the middle of a
		// character. Drop the rest of that character.
		for len(s) > 0 && !utf8.RuneStart(s[0]) {
			s = s[1:]
		}
		at = strings.IndexByte(s, ansi.ESC)
	}
	b.WriteString(s)
	return b.String()
}

// expandC1 returns s with every C1 character (U+0080 to U+009F) written as the two characters it
// abbreviates (ECMA-35 13.2.2), so that there is one form of every sequence.
func expandC1(s string) string {
	if !strings.ContainsFunc(s, isC1) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isC1(r) {
			b.WriteByte(ansi.ESC)
			b.WriteByte(byte(r - 0x40))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isC1(r rune) bool { return 0x80 <= r && r <= 0x9F }

// safe returns what to print for r, and whether to print anything. See the package comment.
func safe(r rune) (rune, bool) {
	switch {
	case ' ' <= r && r <= '~':
		return r, true
	case r == '\t', r == brailleBlank, unicode.Is(unicode.Zs, r):
		return ' ', true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return replacement, true // Format characters, but visible ones: leave a trace.
	case invisible(r):
		return 0, false
	case r == objectReplacement:
		return replacement, true
	case unicode.IsGraphic(r):
		return r, true
	case emojiFirst <= r && r <= emojiLast:
		return r, true
	default:
		return replacement, true
	}
}

const (
	firstMark         = '\u0300' // No character below is a mark; most of all text is below.
	brailleBlank      = '\u2800' // An empty cell; a symbol by category.
	objectReplacement = '\uFFFC'
	nullNotehead      = '\U0001D159' // Musical symbol without ink.
	khitanFiller      = '\U00016FE4' // Mark without ink.

	// The blocks in which Unicode sets aside room for pictures: nothing else will ever be put there.
	emojiFirst = '\U0001F300'
	emojiLast  = '\U0001FAFF'
)

// invisible reports whether r steers how other characters are shown, or leaves no ink itself.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		r == nullNotehead || r == khitanFiller
}

// isMark reports whether r is drawn onto the character before it. Hangul vowels and final
// consonants are letters by category but join the syllable before them, without a width.
func isMark(r rune) bool {
	if r < firstMark {
		return false
	}
	return unicode.Is(unicode.M, r) || 0x1160 <= r && r <= 0x11FF || 0xD7B0 <= r && r <= 0xD7FF
}
