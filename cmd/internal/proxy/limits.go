package proxy

import "time"

const (
	// streamsMax is how many TCP connections one reliable connection carries. There may be 64 express streams; the rest is
	// for those that have ended here and not yet there. For more another reliable connection is made.
	streamsMax = 48

	// connsMax is how many TCP connections are carried at once. More are reset.
	connsMax = 1024

	// answerTimeout is how long the server may take to agree. After it the reliable connection is given up.
	answerTimeout = 10 * time.Second

	// suspectAfter is after what silence of a server that is sent something we try whether a new connection finds it: one that
	// was killed tells nobody. On the worst links an answer takes a second or two. watchEvery is how often is looked.
	suspectAfter = 3 * time.Second
	watchEvery   = time.Second

	// retryGap is how long no reliable connection is tried after one has failed: TCP connections meanwhile are reset at once,
	// however many there are.
	retryGap = time.Second

	// acceptGap is how long nothing is accepted after that has failed, because the process has run out of something.
	acceptGap = 100 * time.Millisecond
)
