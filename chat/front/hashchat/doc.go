// Package hashchat speaks the '#' chat protocol on a session: it turns requests into calls of the chat core, and the
// core's events into lines. The protocol is described in chat/wire/hashchat/PROTOCOL.md, which the code cites.
//
//	front := hashchat.New(hashchat.Config{Room: "lobby"})
//	err := front.Serve(ctx, session, hub)
//
// How it is cut:
//
//	serve.go     reads a session and carries out its requests
//	member.go    the client in the core's eyes: its Receive and Hear turn what happens into lines
//	online.go    ONLINE in a crowd: changes of the same second are sent together
//	errors.go    what the core refuses, as a CLOSE or as silence
//
// One Front serves any number of sessions at the same time. Serve runs on its caller's goroutine; in a crowd a timer
// runs for a moment. Locks, from outside in: the core's, then a Front's, then a member's. None is held while anything
// blocks.
package hashchat
