// Package jsonchat speaks the length-prefixed JSON chat protocol on a session: accounts, contacts, messages from user to
// user and files. The protocol is described in chat/wire/jsonchat/PROTOCOL.md, which the code cites.
//
//	front, err := jsonchat.New(ctx, jsonchat.Config{Engine: engine, Accounts: accounts})
//	err = front.Serve(ctx, session, hub)
//
// One Front serves any number of sessions at the same time, over any stream transport.
//
// How it is cut:
//
//	serve.go     reads a session and carries out its requests, one after the other
//	partial.go   bounds what is coming in and is not all there
//	payload.go   reads what follows a frame
//	requests.go  one method per request: who is who
//	say.go       SENDMSG
//	fetch.go     FETCHMSG and ACKFETCH
//	files.go     the files of messages, both ways
//	people.go    users as this protocol shows them, contacts and profiles
//	message.go   messages as the core keeps them, and as clients see them
//	out.go       frames to a client, which may be larger than its outbox
//	busy.go      places for what takes memory or disk
//	tokens.go    the numbers of devices, and what is remembered about them
//	device.go    the connections of one token
//	login.go     a device of the core that these connections share, and what it hears
//	forward.go   what it tells them
//	cursor.go    up to when the client has its messages
//	errors.go    what went wrong, in the words that clients know
//
// # Tokens, devices, log-ins
//
// A token is a number that a client keeps. All connections that use it here are one device. If somebody is logged in with
// it, they share one log-in, which is a device of the core: it hears what happens in the direct conversations of its
// account, and sends it to all of them.
//
// # Records
//
// What must outlive the process is in records of the engine, each changed by compare-and-set:
//
//	jsonchat-secrets  "tokens"             the key of the numbers and of their hashes
//	jsonchat-tokens   HASH                 who is logged in with a token, and its cursors; only for tokens that ever were
//	                                       used to log in, and at most 16 cursors
//	jsonchat-files    m/ACCOUNT/MSGMD5     the file of a message that the account sent or got
//	                  f/ACCOUNT/FILEMD5    a file that the account sent or got
//	                  s/SHA256             the MD5 of a file
//
// Messages are in the logs of direct conversations, which are the core's, those to oneself in the log dm/NAME/NAME, which no
// other protocol has.
//
// # Goroutines and locks
//
// Serve runs on its caller's goroutine. A log-in has one more goroutine while it has something to tell, and a connection one
// while a frame waits that is too large for its outbox; whoever made them waits for them. Locks, from outside in: the core's
// room lock, a log-in's, then the Front's, a device's or a connection's. None is held while anything blocks.
package jsonchat
