// Package lane decides how fast a connection may send: congestion control without sockets and clocks (SPEC.md 11).
//
// A [Model] learns from acknowledgements how much the way to the peer carries and how long it takes, and says how many
// bytes may leave now. It follows the rate at which bytes arrive, not losses: a lost packet says nothing on a radio link. What
// makes it slow down is a queue: a round trip that is longer than the shortest, or a mark by a router that says so. Where the
// queue is a rival's, who fills it whatever we do, it sends as he does.
//
// A [Bucket] lets a few packets leave whatever the model says, so that a message never waits behind a transfer. A [Silence]
// counts the timeouts in which no acknowledgement came, for those who must become quiet then.
//
//	stamp := model.Sent(now, bytes)           // a packet leaves; keep the stamp with it
//	model.Acked(stamp), model.Lost(stamp)     // what became of it, once
//	model.Update(now, rtt)                    // after each batch of them
//	model.Allowance(now)                      // what may leave
//
// Times are since any fixed moment. Nothing here is safe for concurrent use.
package lane
