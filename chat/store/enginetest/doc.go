// Package enginetest is the conformance suite that every chat.Engine passes.
//
// An engine's own test calls Run with a way to make storage and to open engines on it:
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, enginetest.Config{
//			New: func(tb testing.TB) func() (chat.Engine, error) {
//				dir := tb.TempDir()
//				return func() (chat.Engine, error) { return sqlite.Open(dir, sqlite.Config{}) }
//			},
//			Durable: true,
//		})
//	}
//
// The checks ask for what package chat promises of an engine and nothing more: Seqs may have
// gaps, entries may reach subscribers after Append has returned, from other goroutines. They need
// an engine that keeps the last 500 messages of a room, 1,000 records and 8 MiB of files, and that
// recognises the ids of those messages. Each check uses storage of its own, and none sleeps: what
// has to arrive is waited for, and what must not arrive is looked for after something that was
// sent later has arrived.
//
// Checks makes single checks available to tests of the suite itself, which run them on engines
// with planted bugs.
package enginetest
