// Package lab speaks the lab chat protocol on a session: it turns requests into calls of the chat core, and the
// core's events into replies. The protocol is described in chat/wire/lab/PROTOCOL.md, which the code cites.
//
//	front := lab.New(lab.Config{StudentID: "12345678"})
//	err := front.Serve(ctx, session, hub)
//
// One Front serves any number of sessions at the same time, over any transport; all of them must be sessions of the
// same Front if clients are to be found by JOIN_ID from another connection.
//
// How it is cut:
//
//	serve.go     reads a session, decodes, limits, and hands each request to
//	requests.go  one method per request, which finds out who acts (actor.go) and calls the core
//	member.go    a client in the core's eyes: its Receive turns events into bytes for
//	link.go      a session that members share, on which a room's events go out once
//	peer.go      all that belongs to one Serve: its session, callback connections and members
//	newroom.go   how fast a peer may make rooms
//	callback.go  JOINs that want to be answered at another address
//	errors.go    what went wrong, as ERROR_CODE
//
// # Goroutines and locks
//
// Serve runs on its caller's goroutine, and so does a panic of it, after its members have left. A callback has one more
// goroutine, which first waits for the call and then serves the callback connection; Serve waits for all of them. A panic
// there ends that callback, with a line in the log, and nothing else. Locks, from outside in: the core's room lock, or a peer's (never both);
// then one of Front, member or link. None is held while anything blocks.
//
// It does not listen, does not close the session it was given unless clients live on over callbacks, and knows no
// accounts.
package lab
