package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// The transports and protocols a listener may have. Auto as a transport is tcp, udp and plain on one port number; auto
// as a protocol picks by the first bytes a peer sends.
const (
	Auto  = "auto"
	TCP   = "tcp"
	UDP   = "udp"   // Reliable UDP connections.
	Plain = "plain" // One lab message in one plain text datagram.

	Lab      = "lab"
	Native   = "native"
	Relay    = "relay"
	JSONChat = "jsonchat"
	IM       = "im"
	HashChat = "hashchat"
)

const listenersMax = 64 // More is a mistake: every listener costs a socket and a goroutine. More are refused.

// A Listener is one place to listen at. Its text form is ADDRESS[/TRANSPORT[/PROTOCOL]].
type Listener struct {
	Address   string // HOST:PORT; no HOST is every address of the machine, port 0 is any free port.
	Transport string
	Protocol  string
}

// String is the text form of l, without the parts that are auto anyway.
func (l Listener) String() string {
	s := l.Address
	if l.Transport != Auto || l.Protocol != Auto {
		s += "/" + l.Transport
	}
	if l.Protocol != Auto {
		s += "/" + l.Protocol
	}
	return s
}

// Has reports whether l listens for transport t (TCP, UDP or Plain). Plain datagrams can be nothing but lab messages, so
// a listener for another protocol on every transport has none.
func (l Listener) Has(t string) bool {
	if t == Plain && !l.mayBeLab() {
		return false
	}
	return l.Transport == Auto || l.Transport == t
}

func (l Listener) mayBeLab() bool { return l.Protocol == Auto || l.Protocol == Lab }

// listenersFrom reads a list of listeners as it comes from a flag or the environment (text, entries separated by
// spaces or commas) or from the file (text, or a list of texts and of maps).
func listenersFrom(raw any) ([]Listener, error) {
	var ls []Listener
	add := func(l Listener, err error) error {
		ls = append(ls, l)
		return err
	}
	switch v := raw.(type) {
	case string:
		for s := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ' ' || r == ',' }) {
			if err := add(listenerFromText(s)); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, entry := range v {
			if err := add(listenerFromEntry(entry)); err != nil {
				return nil, fmt.Errorf("entry %d: %w", i+1, err)
			}
		}
	default:
		return nil, fmt.Errorf("got %T instead of a list", raw)
	}
	if len(ls) == 0 || len(ls) > listenersMax {
		return nil, fmt.Errorf("got %d listeners, need 1 to %d", len(ls), listenersMax)
	}
	return ls, clash(ls)
}

func listenerFromEntry(entry any) (Listener, error) {
	switch v := entry.(type) {
	case string:
		return listenerFromText(v)
	case map[string]any:
		l := Listener{Transport: Auto, Protocol: Auto}
		for key, val := range v {
			text, ok := val.(string)
			if !ok {
				return l, fmt.Errorf("%s: got %v, which is no text (put it in quotes)", key, val)
			}
			switch key {
			case "address":
				l.Address = text
			case "transport":
				l.Transport = text
			case "protocol":
				l.Protocol = text
			default:
				return l, fmt.Errorf("unknown key %q (known are address, transport, protocol)", key)
			}
		}
		return l, l.check()
	default:
		return Listener{}, fmt.Errorf("got %v instead of an address", entry)
	}
}

func listenerFromText(s string) (Listener, error) {
	l := Listener{Transport: Auto, Protocol: Auto}
	parts := strings.Split(s, "/")
	if len(parts) > 3 {
		return l, fmt.Errorf("%q has more than three parts", s)
	}
	l.Address = parts[0]
	if len(parts) > 1 {
		l.Transport = parts[1]
	}
	if len(parts) > 2 {
		l.Protocol = parts[2]
	}
	return l, l.check()
}

func (l Listener) check() error {
	if l.Address == "" {
		return fmt.Errorf("address is missing")
	}
	_, port, err := net.SplitHostPort(l.Address)
	if err != nil {
		return fmt.Errorf("address %q is no HOST:PORT (every address of this machine is :PORT)", l.Address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is no number from 0 to 65535", port)
	}
	if transports := []string{Auto, TCP, UDP, Plain}; !slices.Contains(transports, l.Transport) {
		return fmt.Errorf("transport %q is none of %s", l.Transport, strings.Join(transports, ", "))
	}
	if protocols := []string{Auto, Lab, Native, Relay, JSONChat, IM, HashChat}; !slices.Contains(protocols, l.Protocol) {
		return fmt.Errorf("protocol %q is none of %s", l.Protocol, strings.Join(protocols, ", "))
	}
	if l.Transport == Plain && !l.mayBeLab() {
		return fmt.Errorf("protocol %s does not go over transport plain, which is for lab messages", l.Protocol)
	}
	return nil
}

// clash finds two listeners that want the same port. Addresses are compared as written: the kernel finds the rest.
func clash(ls []Listener) error {
	tcp, udp := map[string]bool{}, map[string]bool{}
	for _, l := range ls {
		if _, port, _ := net.SplitHostPort(l.Address); port == "0" {
			continue // Every such listener gets a port of its own.
		}
		if l.Has(TCP) {
			if tcp[l.Address] {
				return fmt.Errorf("%s is there twice for TCP", l.Address)
			}
			tcp[l.Address] = true
		}
		if l.Has(UDP) || l.Has(Plain) {
			if udp[l.Address] {
				return fmt.Errorf("%s is there twice for UDP; transport auto carries udp and plain on one port", l.Address)
			}
			udp[l.Address] = true
		}
	}
	return nil
}
