// Package plain makes connections out of plain text datagrams: one net.Conn per source address and
// port, one Write one datagram, one Read one datagram. It is for programs that speak a text
// protocol over UDP without any layer between, such as a student's client or nc -u.
//
// It does not own a socket. Whoever reads the socket calls Handle for every text datagram, and the
// connections write through Config.Send:
//
//	socket reader ──Handle──▶ Listener ──Accept, Read──▶ session
//	socket        ◀──Send──── Conn     ◀──Write───────── session
//
// # Rules
//
// Nothing is retransmitted. What the network loses is lost.
//
// A datagram identical to the previous one from its source within RepeatWindow is a repeat: the
// client did not see the answer, or the network doubled the datagram. It never reaches Read. The
// answers that the session noted with NoteAnswer are sent again; while the first copy still waits
// to be read, nothing is. This holds also for a short time after the connection was closed.
//
// A datagram longer than DatagramBytesMax is refused: its source gets Config.TooLong.
//
// The source address of a datagram may be forged. Until Proven is called the source gets at most
// AmplificationMax times the bytes that came from it, and no more than UnprovenBytes at once and
// UnprovenBytesPerSecond in the long run; what is beyond that is dropped and counted, and Write
// reports success, because loss is what this transport promises anyway. Sources on the loopback
// interface cannot be forged from elsewhere and are excepted.
//
// A source silent for Config.IdleTimeout has left: Read returns ErrIdle. A peer that speaks from
// another port, as one may that has answers sent there, is not silent if the session knows it and
// calls Alive. When there are too many
// connections the one longest silent among the unproven goes first: Read returns ErrEvicted.
//
// Datagrams that seem to come from the address they were sent to are dropped, as a server that
// answers itself never stops; and so are those that Config.IsAnswer knows as the words of a server,
// as two servers never stop either.
//
// # Concurrency and memory
//
// Everything is safe for concurrent use. One mutex guards a Listener and all its connections; it
// is never held during Send. There are no goroutines and one timer for all connections, plus one
// for each deadline that is set. An idle connection costs about 450 bytes.
//
// The package knows no chat protocol and does not tell text from binary.
package plain
