package carrier

import "time"

const (
	// requestTimeout is how long a peer may take to finish the line it has begun. After it the session ends.
	requestTimeout = 10 * time.Second

	// dialTimeout is how long a target, which is near, may take to answer. Then the peer is told that it does not.
	dialTimeout = 5 * time.Second

	// joinedMax is how many streams are joined to targets at once, each with two goroutines and 32 KiB. More are told so.
	joinedMax = 1024
)
