// Package simulate runs both ends of a connection, as they are, on a bad link in virtual time, and checks from the
// outside that nothing was lost, repeated, reordered or changed.
//
//	for seed := range uint64(100) {
//		synctest.Test(t, func(t *testing.T) {
//			result := simulate.Run(simulate.NewScenario(seed), planted.None)
//			…
//		})
//	}
//
// A [Scenario] is everything that will happen, drawn from a seed: what the link does to datagrams and until when, what
// each side's application writes and when it does not read, how the connection ends. [Run] plays it: reliable.Machine
// on both sides, the server's behind the gate that checks cookies, netem links between them, one goroutine, one heap
// of events. The same seed gives datagrams of the same kinds and sizes at the same times; their bytes are encrypted under
// keys from crypto/rand, so they are the same if that is fixed too (testing/cryptotest.SetGlobalRandom), within one
// process. Across processes the timestamps in the ARQ's segments differ: its clock starts when the process does.
//
// A checker looks at histories alone: what applications wrote, read and were told, and which datagrams left and came.
// Its rules are listed in checker.go. The first broken one is the [Violation] of the [Result]; to see that they bite,
// Run can be told to plant a mistake in the connection.
//
// # Time
//
// Run must be called in a bubble of testing/synctest, on a time of its own: the ARQ reads package time, so Run sleeps
// until the next event and bubble and heap agree. All times are whole milliseconds, as the ARQ counts them.
//
// Nothing here is safe for concurrent use, but any number of runs may go on at once, each in its bubble.
//
// A [Contest] lets several connections, and flows like TCP's, share one line.
//
// The package does not simulate sockets, goroutines, calls or changes of address.
package simulate
