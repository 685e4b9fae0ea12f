// Package proxy carries TCP connections over reliable UDP, so that programs which know nothing of it lose nothing on a bad
// link: each connection becomes an express stream of one reliable connection to a server, and there a session like any
// other.
//
//	p, err := proxy.New(ctx, proxy.Config{Listener: l, Dial: dial})
//	err = p.Run(ctx)
//
// The reliable connection is made first of all, and again for the next TCP connection when it has been lost; those it
// carried are reset. When all its streams are in use another one is made beside it. The end of one direction is passed on
// as it is, and so is a reset.
//
// A Proxy is safe for concurrent use. What passes is neither looked at nor kept.
package proxy
