package route

import "unicode/utf8"

// Pattern matches names of rooms: * stands for any text, also none, ? for any one character, everything else for itself.
type Pattern string

// Match reports whether name is one that p means.
func (p Pattern) Match(name string) bool {
	pattern := string(p)
	// Where to go on when what follows the last * does not fit: one character later.
	star, retry := -1, 0
	at, n := 0, 0
	for n < len(name) {
		switch {
		case at < len(pattern) && pattern[at] == '*':
			star, retry = at, n
			at++
		case at < len(pattern) && pattern[at] == '?':
			_, size := utf8.DecodeRuneInString(name[n:])
			at, n = at+1, n+size
		case at < len(pattern) && pattern[at] == name[n]:
			at, n = at+1, n+1
		case star >= 0:
			retry++
			at, n = star+1, retry
		default:
			return false
		}
	}
	for at < len(pattern) && pattern[at] == '*' {
		at++
	}
	return at == len(pattern)
}
