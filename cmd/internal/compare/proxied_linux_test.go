package compare

import "testing"

// The proxy carries questions and answers as any transport does.
func TestProxyTransportCarries(t *testing.T) {
	p, err := RunPingPong(t.Context(), proxyTransport{}, 20)
	if err != nil || p.Transport != ProxyTransport {
		t.Errorf("got %+v, %v", p, err)
	}
}
