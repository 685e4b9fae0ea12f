// Package crash is a test: it starts the real program as processes, has clients talk over it, kills and stops what it can
// while they do, and looks for every message afterwards.
//
// What must be so, whatever was killed:
//
//   - what a client was told is stored is in the log, under the number it was told, with its text;
//   - nothing is there twice, and what one client said is in the order in which it said it;
//   - every client was given each event once, in the order of the log, without a hole;
//   - when everything runs again, everything that was said is stored.
//
// 'go test' kills a few times; 'make crash' as often as -kills says.
package crash
