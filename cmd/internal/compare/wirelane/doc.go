// Package wirelane runs programs' sockets over an emulated link: two network namespaces, each with a TUN device, and a
// netem link in between that takes the IP packets of one and writes them to the other. Kernel TCP and every UDP transport
// meet the same link there that simulations meet on virtual time, only in real time.
//
//	lane := wirelane.New()
//	wire, err := lane.Run(ctx, wirelane.Order{Job: "chat", Profile: profile, Seed: 1, Limit: time.Minute}, &result)
//
// A job runs in a child process of its own, which is this program started again: [Main], called first thing in main,
// notices and runs the job by its name. Both ends of every connection are in that one process and share its clock. A fresh
// pair of namespaces per run matters: a kernel remembers what it learned about a peer. There is no route out of them, and
// they vanish with the process, which ends with its parent.
//
// An ordinary user can do all this where user namespaces are allowed and /dev/net/tun is open to all; [Lane.Check] says in
// one line what is missing. It needs Linux.
//
// Lane is safe for concurrent use. The package knows nothing of the transports that run over it.
package wirelane
