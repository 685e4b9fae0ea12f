// Package clean makes text from strangers safe to print on a terminal.
//
// A chat message is bytes chosen by somebody else. Printed as they are, they can recolour or wipe
// the screen, change the title, write to the clipboard, answer questions the terminal was never
// asked, turn the reading direction so that a line says the opposite of what was sent, or look like
// a line of ours. Everything that comes from the network goes through one of three functions:
//
//	clean.Line(s)   one line, for lists, logs and scripts
//	clean.Text(s)   several lines, for a screen
//	clean.Name(s)   a name of a person or a room
//
// What they do, in this order:
//
//  1. Bytes that are not UTF-8 become U+FFFD.
//  2. The text is cut into lines at LF, CR, CRLF, VT, FF, NEL, U+2028 and U+2029, so that an escape
//     sequence can never swallow a second line.
//  3. Complete escape sequences (CSI, OSC, DCS, SOS, PM, APC, single shifts and the short ones)
//     disappear with all they hold; C1 characters count as the ESC form they abbreviate. Of a
//     sequence that never ends only the introducer disappears: it must not hide the words after it.
//  4. What is left is checked character by character. Nothing passes because step 3 missed it.
//
// Character by character:
//
//   - dropped: control characters (C0, DEL, C1), format characters (all of category Cf: bidi
//     controls, zero-width space, joiner and non-joiner, byte order mark, soft hyphen, tags),
//     variation selectors, and letters that are invisible by definition (the Hangul fillers).
//     Emoji joined by U+200D therefore fall apart into the emoji they consist of: readable, and
//     there is no safe way to tell an emoji sequence every terminal knows from one that hides text.
//   - become one ordinary space: a tab and every other kind of space, the empty braille cell too.
//   - become U+FFFD: private use, unassigned and noncharacters. Emoji newer than our Unicode
//     tables are let through.
//   - combining marks: at most combiningMax on one character; one at the beginning of a line or
//     after a space gets a dotted circle to carry it, so that it cannot decorate what we print
//     before it.
//
// The result is valid UTF-8, contains none of the dropped characters, and cleaning it again changes
// nothing. All functions are pure and safe for concurrent use.
//
// What this does not do: letters of languages written from right to left still reorder the neutral
// characters beside them on terminals that implement the bidi algorithm, and letters that merely
// look like others stay (that is a matter of choosing names, not of printing them).
package clean
