package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of host names (RFC 1123 2.1, RFC 1035 2.3.4). Longer ones are refused.
const (
	hostBytesMax  = 253
	labelBytesMax = 63
)

// hostFrom returns text, an IP address or host name without port, as it is to be shown; empty stays empty. It does not
// ask whether there is such a host: it may be known only to those who are to reach us by it.
func hostFrom(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		// A zone means something on this machine only, and 0.0.0.0 is no address to reach anybody at.
		return ip.Unmap().String(), ip.Zone() == "" && !ip.Unmap().IsUnspecified()
	}
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", false
		}
	}
	last := labels[len(labels)-1]
	return text, len(text) <= hostBytesMax && strings.Trim(last, "0123456789") != "" // 300.1.2.3 is a mistake.
}

// hostPortFrom is hostFrom for text with a port from 1 to 65535 behind it.
func hostPortFrom(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return "", false
	}
	host, ok := hostFrom(host)
	n, err := strconv.ParseUint(port, 10, 16)
	return net.JoinHostPort(host, port), ok && err == nil && n > 0
}

// isLabel reports whether s may be a part of a host name between its dots.
func isLabel(s string) bool {
	return s != "" && len(s) <= labelBytesMax && s[0] != '-' && s[len(s)-1] != '-' &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		})
}
