package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"syscall"
)

// portTriesMax is how many ports of the kernel's choice are tried until one is free on TCP and UDP. Each try fails only
// if somebody has that very number on UDP.
const portTriesMax = 50

// listenTCP opens a TCP listener on addr (HOST:PORT).
func listenTCP(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// listenPair opens a TCP listener and, with openUDP, a UDP socket on the same port number of addr. Port 0 is any port
// that is free on both.
func listenPair(ctx context.Context, addr string, openUDP func(addr string) error) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		ln, err := listenTCP(ctx, addr)
		if err != nil {
			return nil, err
		}
		_, got, err := net.SplitHostPort(ln.Addr().String())
		if err == nil {
			err = openUDP(net.JoinHostPort(host, got))
		}
		if err == nil {
			return ln, nil
		}
		err = errors.Join(err, ln.Close())
		if port != "0" || !inUse(err) || try == portTriesMax {
			return nil, err
		}
	}
}

// explainListen turns an error of the kernel into what the user can do about it.
func explainListen(addr string, err error) error {
	_, port, _ := net.SplitHostPort(addr)
	err = fmt.Errorf("cannot listen on %s: %w", addr, err)
	switch {
	case inUse(err):
		return advise(err, "Something else, perhaps another udpchat, uses port %s on TCP or UDP. Stop it, or take another port:\n"+
			"  udpchat serve --listen :%s", port, otherPort(port))
	case errors.Is(err, fs.ErrPermission):
		return advise(err, "Ports below 1024 need privileges here. Take another port:\n  udpchat serve --listen :4000")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return advise(err, "No network interface of this machine has that address. --listen :%s is all of them.", port)
	default:
		return advise(err, "Name another address with --listen HOST:PORT; :PORT is every address of this machine.")
	}
}

// otherPort is a port to suggest in place of port.
func otherPort(port string) string {
	if port == "4000" {
		return "4001"
	}
	return "4000"
}

// inUse reports whether err says that a port is taken.
func inUse(err error) bool {
	const wsaeaddrinuse = syscall.Errno(10048) // What Windows says; package syscall has no name for it there.
	return errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, wsaeaddrinuse)
}
