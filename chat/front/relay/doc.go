// Package relay speaks the relay chat protocol (REGISTER, SEND, FORWARD) on sessions, of which a user has one or two: it
// turns requests into calls of the chat core, and what others say into FORWARDs. The protocol is described in
// chat/wire/relay/PROTOCOL.md, which the code cites.
//
//	front := relay.New(relay.Config{Room: "lobby"})
//	err := front.Serve(ctx, session, hub)
//
// How it is cut:
//
//	serve.go    reads a session and hands each request on
//	register.go who may register as whom
//	user.go     the user in the core's eyes, and its end
//	send.go     carries out the SENDs of a user, one after the other
//	cast.go     who still has to acknowledge a broadcast, of this server or another one
//	pipe.go     what is written to a session: not too close together, and one FORWARD at a time
//	errors.go   what went wrong, as an ERROR
//
// One Front serves any number of sessions at the same time; both of a user's must be sessions of the same Front. Serve
// runs on its caller's goroutine. While there is something to write that has to wait, a session has one more goroutine, and
// while SENDs are under way a user has one; Serve waits for both. Locks, from outside in: the core's room lock; then
// Front.mu; then the core's others; then one of user, casts or pipe. None is held while anything blocks.
package relay
