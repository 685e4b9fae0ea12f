package names

import (
	"unicode"
	"unicode/utf8"
)

const (
	zeroWidthNonJoiner = '\u200C'
	zeroWidthJoiner    = '\u200D'
	textSelector       = '\uFE0E' // Shows the symbol before it as text.
	emojiSelector      = '\uFE0F' // Shows the symbol before it as a picture.
	idsFirst           = '\U000E0100'
	idsLast            = '\U000E01EF' // Ideographic variation selectors, from idsFirst on.
	brailleBlank       = '\u2800'     // Is a symbol by class, but has no dots.
)

// Check returns nil if name is acceptable as the name of a room or a client, or an *Error.
// bytesMax is the most bytes a name may have; 0 means BytesMax.
func Check(name string, bytesMax int) error {
	if bytesMax == 0 {
		bytesMax = BytesMax
	}
	if f, at := check(name, bytesMax); f != 0 {
		e := &Error{Fault: f, Offset: at, Bytes: len(name), Max: bytesMax}
		switch f {
		case Empty, TooLong, NotUTF8:
		default:
			e.Rune, _ = utf8.DecodeRuneInString(name[at:])
		}
		return e
	}
	return nil
}

// check returns the first fault of name and the offset of the character that has it, or 0.
func check(name string, bytesMax int) (f Fault, at int) {
	switch {
	case name == "":
		return Empty, 0
	case len(name) > bytesMax:
		// First of all, so that nothing below reads more of a stranger's bytes than the limit.
		return TooLong, bytesMax
	case name[0] == ' ':
		return EdgeSpace, 0
	case name[len(name)-1] == ' ':
		return EdgeSpace, len(name) - 1
	}
	prev := rune(-1)
	for at := 0; at < len(name); {
		r, size := utf8.DecodeRuneInString(name[at:])
		if r == utf8.RuneError && size == 1 {
			return NotUTF8, at
		}
		next, nextSize := utf8.DecodeRuneInString(name[at+size:])
		if nextSize == 0 {
			next = -1
		}
		if f := fault(prev, r, next); f != 0 {
			return f, at
		}
		prev, at = r, at+size
	}
	return 0, 0
}

// fault returns what is wrong with r between prev and next, or 0; -1 stands for no character.
func fault(prev, r, next rune) Fault {
	switch {
	case ' ' <= r && r <= '~':
		return 0
	case unicode.Is(unicode.Cc, r):
		return Control
	case unicode.In(r, unicode.Zl, unicode.Zp):
		return LineBreak
	case unicode.Is(unicode.Bidi_Control, r):
		return Direction
	case unicode.Is(unicode.Zs, r):
		return OddSpace
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		if !joins(prev) || !joins(next) {
			return Invisible
		}
		return 0
	case unicode.Is(unicode.Variation_Selector, r):
		if !selects(prev, r) {
			return Invisible
		}
		return 0
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), r == brailleBlank:
		return Invisible
	case unicode.IsMark(r) && (prev == -1 || prev == ' '):
		return LoneMark
	case !unicode.IsGraphic(r):
		return Unassigned
	}
	return 0
}

// joins reports whether a joiner may stand beside r: r belongs to a script, or is an emoji, in
// which joiners change what is seen. In Latin, Greek and Cyrillic words they would only hide
// there, and make two names that look the same.
func joins(r rune) bool {
	switch {
	case r == emojiSelector:
		return true
	case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		return false
	case r < 0x300: // ASCII and Latin-1 punctuation, spacing modifiers; also "no character".
		return false
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsSymbol(r)
}

// selects reports whether the variation selector r does something after prev.
func selects(prev, r rune) bool {
	switch {
	case r == textSelector || r == emojiSelector:
		return '0' <= prev && prev <= '9' || prev >= 0 && (unicode.IsSymbol(prev) || unicode.IsPunct(prev))
	case idsFirst <= r && r <= idsLast:
		return prev >= 0 && unicode.Is(unicode.Han, prev)
	}
	// What is left are the free variation selectors of Mongolian.
	return prev >= 0 && unicode.Is(unicode.Mongolian, prev)
}
