// Package names decides which names of rooms, clients and accounts are acceptable, and which are the same.
//
// Check is the first part of it: it answers nil, or an *Error that says what is wrong with a name and
// where. Everything here is a pure function and safe for concurrent use.
//
// A name is 1 to BytesMax bytes of UTF-8. Letters of any script, marks, numbers, punctuation and
// symbols may stand in it, and ordinary spaces between them. What may not stand in it is what a
// person cannot see, or what changes how the text around the name is shown: control characters
// (C0, DEL, C1), line and paragraph separators, characters that turn the direction of writing,
// spaces other than the ordinary one, and invisible characters. Three kinds of invisible
// characters are part of how some names are written and are accepted where they do that and
// nowhere else: joiners between characters of scripts (or emoji) that need them, presentation
// selectors after symbols, and ideographic variation selectors after Han characters.
//
// # Comparing
//
// Check only says what is fit to be seen. Account and Nick make names comparable, by the profiles of RFC 8265 and RFC 8266;
// NewAccount says which names may be new accounts; Look says what a name looks like, so that "ann" and "аnn" with a Cyrillic
// letter cannot both be accounts.
package names
