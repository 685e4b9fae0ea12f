package names

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// guestMark stands between the name a guest asked for and its number. No account that registers may look like that.
const guestMark = "-g"

// words may not be names of accounts: they would be taken for the server, or for everybody.
var words = []string{"all", "everyone", "server", "system", "udpchat"}

// Account returns the form of an account's name by which accounts are told apart: that of the profile
// UsernameCaseMapped (RFC 8265 3.3). Names that differ in case, width or composition only have the same. It accepts every
// name an account can have, so it is what names are looked up by; NewAccount says which ones may be new.
func Account(name string) (string, error) {
	if err := Check(name, AccountBytesMax); err != nil {
		return "", err
	}
	for at, r := range name {
		if !accountRune(r) {
			return "", accountError(name, Character, at)
		}
	}
	if r, _ := utf8.DecodeRuneInString(name); strings.ContainsRune(punctuation, r) {
		return "", accountError(name, Character, 0)
	}
	canonical, err := precis.UsernameCaseMapped.String(name)
	if err != nil {
		// What is left are characters that are only different ways to write others, and lines of mixed directions.
		return "", &Error{Fault: Profile, Bytes: len(name), Max: AccountBytesMax}
	}
	if len(canonical) > AccountBytesMax { // Some characters grow when they are mapped.
		return "", &Error{Fault: TooLong, Bytes: len(canonical), Max: AccountBytesMax}
	}
	return canonical, nil
}

// NewAccount is Account for a name that somebody wants to register: unless anyScript is true it has ASCII letters and digits
// only, it does not mix scripts, and it is not a word that means somebody else.
func NewAccount(name string, anyScript bool) (string, error) {
	canonical, err := Account(name)
	if err != nil {
		return "", err
	}
	if !anyScript {
		if at := strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }); at >= 0 {
			return "", accountError(name, NotASCII, at)
		}
	}
	if at := mixed(canonical); at >= 0 {
		return "", accountError(canonical, MixedScripts, at)
	}
	if slices.ContainsFunc(words, func(w string) bool { return Look(w) == Look(canonical) }) || isGuest(canonical) {
		return "", &Error{Fault: Reserved, Bytes: len(name), Max: AccountBytesMax}
	}
	return canonical, nil
}

// Guest returns the name of the guest with that number who asked to be called wanted, which may be any name or empty. It is
// no name that anybody can register, and since no two guests have the same number, no name of another guest at any time.
func Guest(wanted string, number uint64) string {
	suffix := guestMark + strconv.FormatUint(number, 10)
	if len(wanted) > guestBaseBytesMax {
		wanted = wanted[:guestBaseBytesMax]
	}
	if canonical, err := NewAccount(wanted, false); err == nil {
		return canonical + suffix
	}
	return "guest" + suffix
}

// isGuest reports whether a name is one that Guest returns.
func isGuest(canonical string) bool {
	i := strings.LastIndex(canonical, guestMark)
	if i < 0 {
		return false
	}
	_, err := strconv.ParseUint(canonical[i+len(guestMark):], 10, 64)
	return err == nil
}

// punctuation is what the names of accounts may have besides letters, marks and digits, but not at the beginning. Others
// have a meaning in some protocol or log name: slash, comma, star, number sign.
const punctuation = "._-"

func accountRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(punctuation, r)
}

func accountError(name string, f Fault, at int) error {
	r, _ := utf8.DecodeRuneInString(name[at:])
	return &Error{Fault: f, Offset: at, Rune: r, Bytes: len(name), Max: AccountBytesMax}
}

// together are the scripts that names may have at the same time (UTS 39 5.2, "highly restrictive").
var together = [][]string{
	{"Latin", "Han", "Hiragana", "Katakana"}, {"Latin", "Han", "Bopomofo"}, {"Latin", "Han", "Hangul"},
}

// mixed returns where the first character stands whose script does not go with those before it, or -1.
func mixed(name string) int {
	var seen []string
	for at, r := range name {
		s := script(r)
		if s == "" || slices.Contains(seen, s) {
			continue
		}
		seen = append(seen, s)
		if len(seen) > 1 && !slices.ContainsFunc(together, func(set []string) bool {
			return !slices.ContainsFunc(seen, func(s string) bool { return !slices.Contains(set, s) })
		}) {
			return at
		}
	}
	return -1
}

// script returns the script of a character, or "" for those that go with all.
func script(r rune) string {
	switch {
	case r < utf8.RuneSelf && !unicode.IsLetter(r):
		return ""
	case r < utf8.RuneSelf:
		return "Latin"
	case unicode.In(r, unicode.Common, unicode.Inherited):
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}
