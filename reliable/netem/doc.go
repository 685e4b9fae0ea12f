// Package netem puts bad links between programs on purpose: datagrams are lost, delayed, cut off,
// repeated and reordered as on a real network, but the same way every time for the same seed.
//
// # How to use it
//
// Four shapes of the same thing, from pure to real:
//
//   - [Link] is one direction as a plain value. Push a datagram in at a time, ask NextAt when something
//     comes out, Pop it then. It has no goroutine, no clock and no global randomness.
//   - [Driver] is an event heap for simulations on one goroutine: links and timers on virtual time.
//   - [Network] is a network in memory. Its sockets are net.PacketConns, its clock is package time, so
//     that inside a testing/synctest bubble hours pass in milliseconds.
//   - [Proxy] is a bad link between real UDP sockets, the command "udpchat link".
//
// What a link does is data: [Params] for one direction, [Profile] for both. [ProfileNamed] has the
// networks people really sit on, from "lan" to "2g-rural".
//
// # What happens to a datagram
//
// The stages, in this order:
//
//  1. MTU: too large a packet vanishes silently (a black hole, as a broken path MTU discovery leaves it).
//  2. Events: partition, hold and release, handover gap, address change, times of extra loss or delay,
//     or of a smaller MTU.
//  3. Replay of a recorded network: loss and delay.
//  4. Loss: independent; bursts as a two-state chain in continuous time; a chain per packet.
//  5. Corruption and truncation.
//  6. Duplication.
//  7. Bottleneck: a rate in IP bytes (payload + 28) behind a drop-tail queue, maybe with other traffic.
//  8. Delay: constant, or with jitter that keeps the order; reordering only if asked for.
//
// Each stage has its own stream of random numbers, derived from (seed, direction, stage), and takes the
// same count of numbers for every datagram pushed, whether it acts or not and whether the datagram is
// still there or not. So switching one stage on leaves the decisions of all others as they were, and two
// runs can be compared datagram by datagram. What happens by the clock (bursts, rates, events) is a
// function of the seed and the time alone, whatever the traffic.
//
// Bursts come in two kinds. [Burst] moves with the clock and is right for all traffic. [Chain] is the
// classic Gilbert-Elliott model: its state moves only when a datagram passes, so that a burst of five
// packets lasts five seconds for somebody who sends one a second. Use it for bulk traffic only.
//
// # Concurrency
//
// Link and Driver belong to one goroutine. Network, Path, Socket and Proxy may be used by many.
//
// # What it does not do
//
// It models no wire below IP (no ARP, no collisions), no ICMP, no fragmentation, and marks (ECN) only of what PushMarked and
// Socket.WriteMarked send: a Proxy's datagrams have none. Corrupt
// datagrams are delivered corrupt, as if the UDP checksum were off: the layers above must notice.
package netem
