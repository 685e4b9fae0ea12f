// Package session is a connection with a bounded outbox: the one type in which TCP, TLS, reliable UDP and plain
// datagrams meet.
//
// A front-end reads from a session on one goroutine and queues what it has to say with Enqueue, which never blocks and
// so may be called with a room locked. A goroutine writes the outbox to the connection while something waits in it and
// ends when it is empty: an idle session has no goroutine and no buffer of its own. Whoever made a session must call
// Close in the end, also after Abort or an error; when Close returns, the connection is closed and nothing of the
// session runs any more.
//
// The outbox keeps these rules:
//
//  1. What is queued leaves in the order of the Enqueue calls, each message whole, or the session ends.
//  2. On plain datagrams one message is one Write, because there a Write is a datagram. On streams messages that wait
//     together may share a Write; a message is never cut between two of them.
//  3. When more than Config.OutboxBytes wait, the session ends with ErrSlow and the rest is thrown away. Whoever called
//     Enqueue for somebody else's message needs to do nothing about it: the session's own reader finds out.
//  4. A peer that takes nothing at all for a minute is as slow as one whose outbox is full.
//
// Read and Unread belong to one reader; everything else may be called by any goroutine at any time.
//
// The package knows no protocol: it neither cuts what it reads into messages nor says good-bye to the peer.
package session
