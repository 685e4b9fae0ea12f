package compare

import (
	"fmt"
	"strings"

	"udpchat/reliable"
)

// Transports returns all contestants, in the order of the report.
func Transports() []Transport {
	return []Transport{
		tcpTransport{"cubic"}, tcpTransport{"bbr"}, tcpTransport{"reno"},
		plainTransport{},
		kcpTransport{name: "kcp", text: "KCP, settings 1,10,2,1, windows of 1,024 segments"},
		kcpTransport{name: "kcp-fec", text: "the same with kcp-go's own FEC, 3 parity packets for 10", data: 10, parity: 3},
		quicTransport{},
		udpchatTransport{name: "udpchat", text: "ours, redundancy for latency", redundancy: reliable.RedundancyLatency},
		udpchatTransport{name: "udpchat-economy", text: "ours, with fewer bytes", redundancy: reliable.RedundancyEconomy},
	}
}

// TransportNamed returns the transport of that name, those that are no contestants included, or an error that lists the names.
func TransportNamed(name string) (Transport, error) {
	var names []string
	if name == ProxyTransport {
		return proxyTransport{}, nil
	}
	for _, t := range Transports() {
		if t.Info().Name == name {
			return t, nil
		}
		names = append(names, t.Info().Name)
	}
	return nil, fmt.Errorf("no transport %q; there are: %s", name, strings.Join(names, ", "))
}
