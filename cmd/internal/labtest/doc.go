// Package labtest grades servers of the lab chat protocol: it plays the protocol's rules against a running server and
// says for each what was expected, what came, and what to do about it.
//
//	report, err := labtest.Run(ctx, labtest.Config{Server: "localhost:4000", Transport: labtest.TCP})
//	report.WriteTable(os.Stdout)
//
// A rule is one sentence about the protocol that can be seen from outside. Rules are played one after the other, each
// on connections and in rooms of its own, so that one mistake of a server costs the rule that names it and not the
// others. Where a rule needs something that another rule has found missing, it is skipped and says so.
//
// What a server sends is read twice. The lenient reader (parse.go) understands a message however it is spelt, ended or
// cut, and notes what is unusual about it; all rules but those about spelling go by it. The course's own tester read
// line by line and counted: its scenario (graded.go) is read that way, because its grades came of that.
//
// The pipeline, and where its stages are:
//
//	catalogue.go   which rules there are; rules_*.go, graded.go: how each is played
//	run.go         plays them in order; notices when the server is gone
//	player.go      what a rule is played with; client.go: one socket and its inbox
//	network.go     sockets: TCP, reliable UDP, plain datagrams, and the bad link
//	transcript.go  everything that passed on all sockets, with times
//	score.go       outcomes into points and grades, without I/O
//	table.go, json.go, junit.go, html.go, list.go, class.go   what people and programs read
//
// Run plays one server and may be called concurrently for different ones. It starts no process and stops none, but the
// last rules send KILL_SERVICE: a server that passes them is gone afterwards.
package labtest
