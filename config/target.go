package config

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// targetsMax is how many services beside the server may be named. More are refused.
const targetsMax = 64

var targetName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// targetsFrom reads a list of NAME=HOST:PORT.
func targetsFrom(raw any) ([]string, error) {
	targets, err := textsFrom(raw)
	if err != nil {
		return nil, err
	}
	if len(targets) > targetsMax {
		return nil, fmt.Errorf("%d targets", len(targets))
	}
	seen := map[string]bool{}
	for _, text := range targets {
		name, addr, _ := strings.Cut(text, "=")
		host, port, err := net.SplitHostPort(addr)
		n, portErr := strconv.ParseUint(port, 10, 16)
		switch {
		case !targetName.MatchString(name):
			return nil, fmt.Errorf("the name of %q must have 1 to 32 of a-z, 0-9 and -", text)
		case err != nil || host == "" || portErr != nil || n == 0:
			return nil, fmt.Errorf("the address of %q is no HOST:PORT", text)
		case seen[name]:
			return nil, fmt.Errorf("the name %s is there twice", name)
		}
		seen[name] = true
	}
	return targets, nil
}
