// Package names decides which names of rooms and clients are acceptable.
//
// Check is the whole of it: it answers nil, or an *Error that says what is wrong with a name and
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
// The package does not yet make names comparable: "Room" and "room" are two names, and so are two
// spellings of the same letters.
package names
