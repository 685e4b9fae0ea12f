// Package im speaks the instant messaging protocol on a session: it turns requests into calls of the chat core and of the
// accounts, and the core's events into packets. The protocol is described in chat/wire/im/PROTOCOL.md, which the code cites.
//
//	front := im.New(im.Config{Accounts: accounts, Room: "lobby"})
//	err := front.Serve(ctx, session, hub)
//
// How it is cut:
//
//	serve.go     reads a session and carries out its requests
//	login.go     who may log in, and what happens then
//	member.go    a client in the core's eyes: its Receive turns what happens into packets
//	talks.go     direct conversations: what came while the user was away, then what comes
//	reads.go     how far the user has read
//	requests.go  messages, lists and blocks
//	private.go   introduces two clients to each other
//	letters.go   does so if they are at different servers of a cluster
//	files.go     who has which files, of which clients get chunks from each other
//	out.go       packets leave one by one, with a pause between them
//	errors.go    what is refused, in the protocol's words
//
// One Front serves any number of sessions at the same time. Serve runs on its caller's goroutine; a further one runs while
// there are messages to be read from a log. Locks, from outside in: the core's, a Front's or its files', a member's, an
// out's. None is held while anything blocks.
package im
