package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
)

// serversMax is how many servers of a cluster may be named; the client learns of the others from those. More are refused.
const serversMax = 32

// Servers reads a list of URLs of NATS servers with commas between them, as --nats does.
func Servers(text string) ([]string, error) { return serversFrom(text) }

// serversFrom reads a list of URLs of NATS servers.
func serversFrom(raw any) ([]string, error) {
	servers, err := textsFrom(raw)
	if err != nil {
		return nil, err
	}
	if len(servers) > serversMax {
		return nil, fmt.Errorf("%d servers", len(servers))
	}
	for i, text := range servers {
		u, err := url.Parse(text) // The error would show the password.
		if err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) || u.Hostname() == "" {
			return nil, fmt.Errorf("server %d is no URL of a NATS server", i+1)
		}
	}
	return servers, nil
}

var userOfURL = regexp.MustCompile(`//[^/@ ,]*@`)

// withoutPassword is text for people to see: without what URLs in it have before their hosts.
func withoutPassword(text string) string { return userOfURL.ReplaceAllString(text, "//…@") }
