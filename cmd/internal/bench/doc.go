// Package bench drives many clients against a real server process and measures what they see.
//
// Fanout fills one room and counts deliveries: first as fast as the server goes, then at half that rate with latencies,
// and, if asked, once more with a member that has stopped reading. Idle opens connections that do nothing and looks at
// the server's memory and processor time. Store has clients talk to a server that remembers, and starts it again.
//
// The load maker runs in the same machine as the server and takes about half of it, so figures are for comparison, not
// for marketing. Start starts the server as a child process; both kinds of runs may be cancelled by their context and
// then end within a second.
package bench
