package names

import (
	"strings"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Nick returns the form of a name that anybody may choose, a room's or a visitor's, by which such names are compared: that of
// the profile Nickname (RFC 8266 2.3), which ignores case, width and how many spaces stand together.
func Nick(name string) (string, error) {
	if err := Check(name, 0); err != nil {
		return "", err
	}
	key, err := precis.Nickname.CompareKey(name)
	if err != nil {
		return "", &Error{Fault: Profile, Bytes: len(name), Max: BytesMax}
	}
	return key, nil
}

// Look returns what a name looks like: names that a person could take for each other have the same. It is made for the
// confusions that are common (0 and o; 1, l and i; rn and m; letters of Greek and Cyrillic that look like Latin ones),
// not for all there are. It takes any name and is no name itself.
//
// Accounts are stored by it. So what it returns for a name must never change.
func Look(name string) string {
	key, err := precis.Nickname.CompareKey(name)
	if err != nil { // It has characters that no account has.
		key = strings.ToLower(norm.NFKC.String(name))
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(key) {
		if as, ok := looks[r]; ok {
			r = as
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(pairs.Replace(b.String()))
}

// pairs are letters that look like another one together.
var pairs = strings.NewReplacer("rn", "m", "vv", "w")

// looks are lower-case letters and digits that look like another one.
var looks = map[rune]rune{
	'0': 'o', '1': 'l', 'i': 'l', '|': 'l',

	// Latin.
	'ı': 'l', 'ɩ': 'l', 'ɑ': 'a', 'ɡ': 'g', 'ſ': 'f', 'ƽ': 's', 'ɢ': 'g', 'ɪ': 'l', 'ʏ': 'y', 'ᴏ': 'o', 'ᴄ': 'c', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w',
	'ᴢ': 'z', 'ꜱ': 's', 'ɯ': 'w', 'ƅ': 'b', 'ʋ': 'u', 'ǀ': 'l',

	// Cyrillic.
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'ҽ': 'e', 'һ': 'h', 'і': 'l', 'ј': 'j', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ԛ': 'q',
	'г': 'r', 'ѕ': 's', 'т': 't', 'ц': 'u', 'ѵ': 'v', 'ԝ': 'w', 'ѡ': 'w', 'х': 'x', 'у': 'y', 'ү': 'y', 'ӏ': 'l', 'з': '3', 'б': '6', 'ь': 'b',

	// Greek.
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'l', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'σ': 'o', 'τ': 't', 'υ': 'u', 'χ': 'x', 'γ': 'y', 'ω': 'w', 'ς': 'c',
	'ϳ': 'j', 'μ': 'u',

	// Armenian, and the rest of the small round ones.
	'օ': 'o', 'ս': 'u', 'ո': 'n', 'հ': 'h', 'զ': 'q', 'ց': 'g', 'յ': 'j', 'ք': 'p', 'ჿ': 'o', '೦': 'o', '०': 'o', '๐': 'o', '໐': 'o', '٥': 'o', 'ه': 'o',
}
