// Package compare is a laboratory: it puts the same messages through several transports over the same emulated link and
// tells when each of them arrived and what it cost on the wire.
//
//	[Spec]      one run: transport, lane, workload, link, seed, number of messages
//	[Transport] a contestant: it brings up both ends on a [Field]
//	[Field]     two hosts and the link between them: in memory on virtual time, or between network namespaces
//	[Play]      runs a workload on a field and returns a [Result]
//	[Runner]    runs specs in a lane; there is one for each [Lane]
//
// The sender keeps to a plan made beforehand from the seed alone: a message's latency counts from when it was planned to
// be sent, however late the transport took it, and a message that never arrived stays in the statistics as one that took
// for ever. The link's random numbers depend on the seed alone too, so all transports meet the same link.
//
// # Repeatability
//
// On virtual time plain, kcp and udpchat run on one goroutine: same seed, same figures to the last bit. Transports with
// goroutines of their own (quic, kcp-fec) meet the same link but not always in the same order: their figures repeat
// statistically. On a wire the kernel's clock adds its own noise, which the run without loss shows.
package compare
