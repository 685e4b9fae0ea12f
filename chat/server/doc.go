// Package server accepts connections, makes sessions of them, finds the front-end each of them speaks to, and ends them
// all in order.
//
//	srv := server.New(hub, server.Config{Logger: log})
//	go srv.Serve(ctx, server.Listener{Listener: tcp, Transport: "tcp", Fronts: fronts})
//	go srv.Serve(ctx, server.Listener{Listener: endpoint, Transport: "udp", Fronts: fronts, Call: callBack})
//	...
//	err := srv.Shutdown(ctx)
//
// A connection passes these stages; each can end it:
//
//	accept   the listener's next; when the process is out of descriptors we wait instead of spinning
//	admit    new sessions per second of its network, sessions of its network, sessions in all
//	sniff    which front-end; skipped if the listener has only one. Where there is TLS a peer may begin with it, and is
//	         sniffed again inside
//	serve    the front-end, on the session's only goroutine; a panic ends its session and no other
//	close    what still waits is written, one line is logged
//
// A network is what one customer of a provider usually has: an IPv4 /24, an IPv6 /56. Loopback is exempt from limits
// by network.
//
// Every ended session is logged once, as "session ended", with the reason in one word: "left" (the peer closed),
// "protocol" (the front-end's decision; err says which), "slow", "timeout", "lost" (the connection broke), "panic" or
// "shutdown". When very many end, as strangers can arrange, the rest is only counted.
//
// A Server is safe for concurrent use; one Serve runs for each listener. The package speaks no protocol and opens no
// sockets: a listener may be of any kind.
package server
