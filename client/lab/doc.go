// Package lab is a plain client of the lab chat protocol, the one chat/wire/lab/PROTOCOL.md describes.
//
//	c, err := lab.Dial(ctx, lab.Config{Transport: lab.UDP, Server: "localhost:4000", Name: "ann"})
//	room, err := c.Join(ctx, "lobby")
//	err = c.Say(ctx, room.Name, "hello")
//	for ev := range c.Events() { ... }   // In a goroutine of its own.
//	err = c.Disconnect(ctx)
//
// Three transports carry the same text: TCP, reliable UDP, and plain datagrams with one message each. Over TCP and
// reliable UDP nothing is repeated here. Over plain datagrams the client sends one request at a time and repeats it
// until it is answered, always within the second in which the server takes an identical datagram for a repeat; a
// request that stays unanswered fails with [ErrNoAnswer], and the server may or may not have acted on it. What
// others say has no such protection there: a lost datagram is a lost message.
//
// With Config.Callback the client listens at an address of its own and names it in CLIENT_IP and PORT. Requests go
// over the first connection; JOINED and everything after it come to the callback address, as a connection the
// server asked for (reliable UDP) or as datagrams.
//
// Events come on a bounded channel, everything the server sent in the order it arrived. Who lets it fill up stops
// the reading, and the server will cut a client off that does not read: so keep receiving until the channel is
// closed, also while one of the methods waits. Answers are given to the waiting method before their event is put on
// the channel.
//
// All methods may be called concurrently. An ERROR_CODE does not say which request it answers; it is given to the
// oldest one that waits for an answer, so a program that sends several at a time may see it blamed on the wrong one.
//
// What this does not do: it follows no SERVER_IP and PORT to another server, does not reconnect, and prints nothing:
// names and texts are as the server sent them and must be cleaned before they are shown.
package lab
