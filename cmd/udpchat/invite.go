package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"udpchat/reliable"
)

// inviteScheme begins a link that carries a server's address and key.
const inviteScheme = "udpchat"

// An invite says where a server is and, if the key is not zero, which one it must be. As text it is a link,
// udpchat://HOST:PORT/#KEY, or without a key HOST:PORT.
type invite struct {
	server string // host:port
	key    reliable.Key
}

// String returns the link, or the bare address without a key.
func (i invite) String() string {
	if i.key == (reliable.Key{}) {
		return i.server
	}
	return (&url.URL{Scheme: inviteScheme, Host: i.server, Path: "/", Fragment: i.key.String()}).String()
}

// parseInvite reads a link or an address, to which withPort is applied.
func parseInvite(s string) (i invite, err error) {
	host := s
	if strings.HasPrefix(s, inviteScheme+":") {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.User != nil || u.RawQuery != "" {
			return i, errors.New("want " + inviteScheme + "://HOST:PORT/#KEY")
		}
		host = u.Host
		if u.Fragment != "" {
			if i.key, err = parseKey(u.Fragment); err != nil {
				return i, err
			}
		}
	}
	i.server, err = withPort(host)
	return i, err
}

// pin takes in what --server-key says; empty: nothing.
func (i *invite) pin(serverKey string) error {
	if serverKey == "" {
		return nil
	}
	key, err := parseKey(serverKey)
	switch {
	case err != nil:
		return fmt.Errorf("--server-key: %w", err)
	case i.key != (reliable.Key{}) && i.key != key:
		return errors.New("--server-key and the invite name different keys")
	}
	i.key = key
	return nil
}

// parseKey reads a server's key as a server shows it.
func parseKey(s string) (reliable.Key, error) {
	key, err := reliable.ParseKey(s)
	if err != nil {
		return key, fmt.Errorf("%q is no server key: want the %d letters and digits that the server shows when it starts",
			s, len(key.String()))
	}
	return key, nil
}

// invite returns the invite to the node's first reliable UDP address, or TCP where there is none: TLS has the same key.
// Others reach it where it says so (advertise), or, if it listens on all addresses, at the first of this machine that is not
// for itself alone.
func (n *node) invite() invite {
	if n.identity == nil {
		return invite{}
	}
	host, port, _ := net.SplitHostPort(best(n.addrs).Addr.String()) // What the kernel gave us has both.
	if n.cfg.Advertise != "" {
		host = n.cfg.Advertise
	} else if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = thisHost()
	}
	return invite{server: net.JoinHostPort(host, port), key: n.identity.Key()}
}

// thisHost returns an address of this machine by which others can reach it, IPv4 if there is one.
func thisHost() string {
	best := "127.0.0.1"
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return best
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String()
		}
		best = n.IP.String()
	}
	return best
}
