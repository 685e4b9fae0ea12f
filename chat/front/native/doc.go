// Package native speaks the native protocol on a session: it turns requests into calls of the chat core and of the
// accounts, and the core's events into messages. The protocol is described in chat/wire/native/SPEC.md, which the code
// cites.
//
//	front, err := native.New(native.Config{Accounts: accounts, Engine: engine, Spool: dir})
//	err = front.Serve(ctx, session, hub)
//
// One Front serves any number of sessions at the same time. It refuses those that are not encrypted.
//
// How it is cut:
//
//	serve.go     reads a session, cuts it into messages and limits them
//	lanes.go     carries requests out: those of one log in order, others beside them
//	newroom.go   how fast an account may make rooms
//	login.go     registering, logging in and out
//	requests.go  who may ask for what, and one line per request: to logs.go, people.go, devices.go, private.go, files.go
//	receiver.go  the core's events, as bytes (event.go), to the session
//	files.go     tickets (tickets.go) for transfers (transfer.go), which are sessions of their own; spool.go has what came so far
//	notes.go     what the Fronts of a cluster tell each other
//	limiter.go   how fast a connection, an account and a network may ask
//	order.go     keeps messages that must be said again from being overtaken
//	errors.go    what went wrong, as a code (codes.go)
//
// # Goroutines and locks
//
// Serve runs on its caller's goroutine, which reads. Requests are carried out on goroutines of their lanes, which exist only
// while there is work; Serve waits for them. An idle session has the reader only. Locks, from outside in: the core's room
// lock; then one of receiver, conn, registry. None is held while anything blocks.
package native
