// Package reliable makes connections over UDP that lose nothing, repeat nothing and keep the order, on links that do
// all three.
//
// An Endpoint owns a UDP socket; it accepts connections and dials them on that one socket. A Conn is a net.Conn:
//
//	e, err := reliable.Listen(":4000", reliable.Config{})
//	conn, err := e.Accept()                                            // server
//	conn, err := reliable.Dial(ctx, "example.org:4000", reliable.Config{}) // client
//
// Lost datagrams are sent again by KCP's state machine, and mostly do not have to be: every group of datagrams is
// followed by repair symbols at growing distances, from which the receiver rebuilds what is missing before anybody has
// to ask. Everything is encrypted and authenticated under keys from TLS 1.3, in one round trip; a client knows a server by its
// public key ([Config].ServerKey). A server sends no more than it got to an address that is not proven, and asks for a
// proof first while many clients are under way.
//
// SPEC.md beside this file is the protocol as a document. Machine is one connection without socket, clock and
// goroutines, for simulations and other event loops.
//
// A connection carries further streams, each with an order of its own, opened by either side:
//
//	file, err := conn.OpenStream(reliable.Bulk)
//	s, err := conn.AcceptStream(ctx) // with Config.Streams
//
// What leaves is bounded by a model of the way to the peer that follows arrival rates and round trips, not losses. A few packets of the
// express streams, of which the connection itself is one, go at once whatever bulk streams do.
//
// A connection outlives its client's address: when a NAT or a phone changes it, the server asks whether the client is there
// and goes on ([Conn.Moved]). Datagrams grow as far as the way carries them, and shrink again when it stops to. A
// connection at rest keeps some 4 KB and goes on with the next byte without a word.
//
// A server that was killed and started again with the same key ([Config].Identity) tells clients of its former connections that it has
// forgotten them, by datagrams that only it can make: the connection ends with [ErrForgotten], and another one can be made at once. Until it
// runs again, and if it has another key, clients notice by its silence.
//
// [Conn.Stats] and [Endpoint.Stats] are figures, [Config].Trace tells of every event, and [TraceTo] writes them down.
//
// Two clients behind NATs can be connected to each other, if a server introduces them: [Endpoint.Meet]. Both prove their keys, and [Words]
// lets people make sure that the server did not lie.
//
// Where UDP does not get through, ServerTLS and DialTLS make connections of TLS over TCP with the same pinned key.
//
// Endpoint, Conn and Stream are safe for concurrent use.
package reliable
