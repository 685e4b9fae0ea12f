package compare

import (
	"slices"
	"testing"
)

// The proxy carries questions and answers as any transport does.
func TestProxyTransportCarries(t *testing.T) {
	p, err := RunPingPong(t.Context(), proxyTransport{}, 20)
	if err != nil || p.Transport != ProxyTransport {
		t.Errorf("got %+v, %v", p, err)
	}
}

// A relay client speaks to the server on a wire, with and without the proxy.
func TestWireCarriesRelay(t *testing.T) {
	r := newWireRunner(t)
	for _, transport := range []string{"tcp-cubic", ProxyTransport} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			if transport != ProxyTransport {
				hasCongestionControl(t, r, transport)
			}
			res := r.Run(t.Context(), Spec{Transport: transport, Workload: "relay-sent", Link: lossy(0), Seed: 1, Messages: 3})
			if res.Error != "" || res.Delivered != 3 {
				t.Fatalf("%d of 3 delivered: %s", res.Delivered, res.Error)
			}
			if quickest := slices.Min(res.LatencyMs); quickest < 100 {
				t.Errorf("a message took %v ms on a round trip of 100", quickest)
			}
		})
	}
}
