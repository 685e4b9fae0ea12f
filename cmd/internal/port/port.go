// Package port finds ports for tests that start a server where another one was, or must know its port beforehand.
//
// Port 0 is no way to find those: what the system gave away once it gives to anybody else as soon as nobody has it, and
// clients are anybody else. So these are ports that the system gives to nobody who does not ask for them by number.
package port

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The ports that are given: below those that Linux (32768), macOS and Windows (49152) give to whoever wants any.
const (
	first = 20_000
	last  = 31_999
)

// triesMax is how many ports are tried for each that is wanted. On a machine where so many are taken there is none.
const triesMax = 100

// Free returns n different ports of 127.0.0.1 that are free over TCP and UDP. They are chosen by chance, so that processes
// that look for some at the same time do not find the same.
func Free(n int) (ports []int, err error) {
	var why error
	for range n * triesMax {
		if len(ports) == n {
			return ports, nil
		}
		port := first + rand.IntN(last-first+1)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			why = err
			continue
		}
		defer tcp.Close() // When all have been found: none is found twice.
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			why = err
			continue
		}
		defer udp.Close()
		ports = append(ports, port)
	}
	if len(ports) == n {
		return ports, nil
	}
	return nil, errors.Join(errors.New("port: none is free"), why)
}
