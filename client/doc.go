// Package client is a client of the native chat protocol: it keeps a conversation going whatever the network does.
//
//	c, err := client.Dial(ctx, client.Config{Server: "localhost:4000", Account: "ann", Password: secret})
//	_, err = c.Join(ctx, "lobby", 20)                 // with 20 events of the past
//	m, err := c.Say(ctx, "lobby", "hello")            // returns when it is stored
//	m, err := c.Send("lobby", "hello")                // returns at once; m tells what becomes of it
//	for ev := range c.Events() {
//		switch ev := ev.(type) {
//		case client.Said:     // ev.Name() said ev.Text in ev.Log
//		case client.Outgoing: // a message of ours is queued, sent, stored or failed
//		case client.Offline:  // the connection was lost; the client comes back by itself
//		}
//	}
//
// # What is promised
//
// A message of ours that is shown as [Stored] is in its log, once, for everybody. One that is not is sent again, as the same
// message, over as many connections as it takes, in the order it was said. Events of a log come once each, in the order of
// their numbers, without a hole: after a loss the client resumes where the program stopped, and when it cannot, it says
// so with a [Reload].
//
// A program that is started again with its [State], also after it was killed, is the same device, whose messages are never
// taken for others. Not kept are its messages that were not stored: those are lost, unless they were being sent just then.
// Direct conversations are followed without being entered, from where the account has read them: what the program has dealt
// with it must [Client.Read], or it comes again. Rooms it joins again, with as much of the past as it wants.
//
// # Connections
//
// Reliable UDP is tried first, TLS over TCP as well when it has not answered after 300 ms, and whichever answers first is
// taken. Both are encrypted, and the server is known by its key over both. A lost connection is made again at once, then four
// times a second for some ten seconds, then after growing, random times. A server that was killed is found within half a second
// when it runs again: over UDP it says itself that it does not know the connection, if it is asked anything, which an idle
// client does after 10 s. A server that is asked something and says nothing for 3 s is looked for over a new connection
// beside the old one. When the server announces that it will go, the client waits as it asks and goes where it says.
//
// With [Client.Private] two clients talk past the server, over a connection of their own, encrypted from end to end, if they find a way
// through what stands between them. A message has the same id on both ways, so that it is seen once, whichever it came.
//
// # Concurrency and memory
//
// All methods may be called concurrently. Methods with a context wait for the server, and for a connection if there is
// none; the others return at once. Events come on a channel. A program that does not take them holds up nothing and loses
// none that happen in logs: beyond a limit they are left at the server and read again later. What is true only now
// (typing, Outgoing) is dropped then, but for the newest presence of everybody. All limits are in limits.go.
//
// What this does not do: names and texts are as strangers wrote them and must be cleaned before they are shown, and nothing
// but the State is kept on disk.
package client
