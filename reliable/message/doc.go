// Package message cuts a stream of bytes into messages: any io.Reader and io.Writer, be it TCP, TLS or a connection of
// package reliable.
//
// # The frame
//
// A message travels as its length and its bytes, nothing between and nothing behind:
//
//	 0                   1                   2                   3
//	+--+-------------+                                                 length        written as
//	|00| length (6)  | message …                                       0 … 63        1 byte
//	+--+-------------+---------------+
//	|01|         length (14)         | message …                       64 … 16,383   2 bytes
//	+--+-----------------------------+-------------------------------+
//	|10|                         length (30)                         | message …     to 64 MiB     4 bytes
//	+--+-------------------------------------------------------------+
//	 11  never: no message is that long
//
// Rules:
//
//   - The length is a variable-length integer of RFC 9000 16, big endian: its two highest bits say how many bytes it
//     has. A chat message of 200 bytes pays 2 bytes instead of the 4 of a fixed field, an acknowledgement 1, and the
//     first byte alone tells how long the head is, which 7-bit groups would not.
//   - It has the shortest form that holds it (RFC 9000 leaves that open). A longer form is an error, so that a stream
//     of messages has exactly one encoding and no room for anything else.
//   - The form of 8 bytes is an error from its first byte on: BytesMax, the longest message of all, needs 4.
//   - A message may be empty: one zero byte. It is delivered like any other; protocols use it as a sign of life or as
//     an end mark. Being so cheap to send it must be counted like any other where messages are limited by rate.
//   - A stream ends properly between two messages only. Anywhere else it was truncated: io.ErrUnexpectedEOF.
//
// # Use
//
// Who sends has a Writer, or makes frames with Append or Frame for a queue that wants one slice per message. Who
// receives has a Reader, or a Decoder when the bytes come from elsewhere:
//
//	w := message.NewWriter(conn, message.Config{})
//	err := w.WriteMessage(m)                       // small: one Write of conn
//	err := w.WriteFrom(file, size)                 // never whole in memory
//
//	r := message.NewReader(conn, message.Config{})
//	defer r.Close()
//	m, err := r.Next()                             // a whole message
//	n, err := r.Begin()                            // or its length first, and then
//	_, err = io.Copy(file, r)                      // its bytes as they come
//
//	d.Feed(b)                                      // bytes from anywhere
//	m, ok, err := d.Next()                         // until ok is false
//
// # Memory
//
// Nothing is ever allocated by an announced length. A stream has a buffer of its own (Config.BufferBytes); a message
// that fits is put together there, costs no allocation and asks nobody. A longer one lives in an array that grows with
// the bytes that came, to at most twice their number, or three times for the moment of moving to a larger array. Who
// announces 64 MiB and sends nothing holds nothing.
//
// These arrays are charged to a Budget, which many streams share. What goes beyond it is refused, never waited for:
// half-received messages can only shrink by being completed, so streams that waited for each other's memory would wait
// for ever, and a few peers that never complete theirs could hold up everybody. A refused message is read and thrown
// away, the stream goes on behind it, and the peer can be told to try again later. Messages no longer than the buffer
// are never refused, so that talk goes on while files use up the memory; streams that must not starve each other get
// budgets of their own. How long a peer may take for a message is the caller's to decide, by a read deadline.
//
// # Ownership
//
// Slices that Next and Rest return are valid until the next call on the same Reader or Decoder, which may overwrite
// them and gives their memory back. Slices given to a Writer or to Append are the caller's again when the call returns;
// those given to Feed only when Next has returned ok == false.
//
// # Concurrency
//
// A Budget is safe for concurrent use. Readers, Decoders and Writers are not: each belongs to one goroutine, which may
// be different ones for the Reader and the Writer of a connection. The package starts no goroutines, knows no clock and
// does not close streams. It neither checks nor encrypts what is in the messages.
package message
