package compare

import (
	"fmt"
	"strings"
)

// Transports returns all contestants, in the order of the report.
func Transports() []Transport {
	return []Transport{
		tcpTransport{"cubic"}, tcpTransport{"bbr"}, tcpTransport{"reno"},
		plainTransport{},
	}
}

// TransportNamed returns the transport of that name, or an error that lists the names.
func TransportNamed(name string) (Transport, error) {
	var names []string
	for _, t := range Transports() {
		if t.Info().Name == name {
			return t, nil
		}
		names = append(names, t.Info().Name)
	}
	return nil, fmt.Errorf("no transport %q; there are: %s", name, strings.Join(names, ", "))
}
