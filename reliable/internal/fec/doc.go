// Package fec repairs lost datagrams: it adds repair symbols to groups of packets on the sending
// side and rebuilds missing packets from them on the receiving side.
//
// A source symbol is one packet of the retransmission layer above. A group is what one flush of
// that layer produced: one to SourceMax source symbols, usually one for chat, closed at once and
// never waiting for more traffic. Source symbols travel as they are, marked with group and index,
// so that without loss nothing is ever decoded. Repair symbols follow at growing gaps:
//
//	sender    Add, Add, …, Close(r) ─▶ Group ─▶ Repair(0), Repair(1), … at Plan.Gap(i)
//	receiver  Source(group, index, sym)            fresh or duplicate; may complete a group
//	          Repair(group, k, r, index, sym)      may rebuild what is missing
//
// # Repair symbols
//
// In a group of one, a repair symbol is a copy of the source symbol. In a group of k > 1 every
// source symbol becomes a shard: two bytes of length (big endian), the symbol, zeros up to the
// length of the longest shard. Repair symbol i is the sum over all source shards c of
// shard[c] / ((k+i) XOR c), byte by byte in GF(2^8) with the polynomial x^8+x^4+x^3+x^2+1: a
// Cauchy matrix, so any k of the k+r symbols give back the group, and repair symbol i is the same
// whatever r is. A repair symbol therefore carries k, r and its own index beside the group.
//
// # What is promised
//
// No source symbol is reported fresh or handed out twice, and with authentic input nothing is
// handed out that was not sent. Group, k, r, index and every length are checked before they are
// used, and a group whose parts contradict each other is not rebuilt. Corrupted contents, and
// numbers that are wrong but possible, cannot be found here: any bytes are a symbol, and a repair
// symbol taken for its neighbour gives other bytes. The integrity check of datagrams, which comes
// before this package, covers numbers and contents alike; a second one here would cost bytes in
// every repair symbol and find nothing new.
//
// # Memory
//
// An idle Encoder holds nothing but itself (40 bytes). An active Decoder holds a history of
// 4.2 KiB for recognising duplicates and at most DecoderBytesMax of symbols. After Forget it
// holds nothing but itself (192 bytes at most). Matrices live in
// Codecs, one value for many connections.
//
// # Concurrency
//
// Encoder, Group and Decoder belong to one goroutine (the connection's loop) and read no clock:
// now is the time since any fixed moment. Codecs is safe for concurrent use.
//
// # How much
//
// A LossEstimator learns from the fate of packets how much is lost and whether losses come together. From that and the
// round trip a Mode plans, for each group, how many repair symbols it gets and when they leave, and a Budget caps what
// they cost. The package does not send and does not acknowledge.
package fec
