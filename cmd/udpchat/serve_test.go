package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/config"
)

// fakeService serves until stop, and stop takes stopTakes or as long as it is allowed.
type fakeService struct {
	breaks    error // What serve returns at once; nil: it goes on.
	stopTakes time.Duration
	stopped   chan struct{}
}

func (f *fakeService) serve(context.Context) error {
	if f.breaks != nil {
		return f.breaks
	}
	<-f.stopped
	return nil
}

func (f *fakeService) stop(ctx context.Context) error {
	defer close(f.stopped)
	select {
	case <-time.After(f.stopTakes):
	case <-ctx.Done():
	}
	return nil
}

// Who ends a server, how long that takes at most, and what the process ends with.
func TestServeStops(t *testing.T) {
	broken := errors.New("no more sockets")
	tests := []struct {
		name     string
		service  fakeService
		signals  []time.Duration // When.
		killAt   time.Duration   // 0: never.
		wantCode int
		wantAt   time.Duration
		wantText string
	}{
		{"signal", fakeService{stopTakes: time.Second}, []time.Duration{time.Minute}, 0, exitOK, 61 * time.Second, "stopping: telling the members"},
		{"signal, members that do not listen", fakeService{stopTakes: time.Hour}, []time.Duration{0}, 0, exitOK, goodbyeTimeout, "stopped"},
		{"second signal", fakeService{stopTakes: time.Hour}, []time.Duration{0, time.Second}, 0, exitFailures, time.Second, "stopping"},
		{"KILL_SERVICE", fakeService{stopTakes: time.Hour}, nil, time.Second, exitOK, time.Second + killTimeout, "KILL_SERVICE"},
		{"broken listener", fakeService{breaks: broken}, nil, 0, exitFailures, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.service.stopped = make(chan struct{})
				signals, killed := make(chan os.Signal, 2), make(chan struct{})
				for _, at := range tt.signals {
					time.AfterFunc(at, func() { signals <- os.Interrupt })
				}
				if tt.killAt > 0 {
					time.AfterFunc(tt.killAt, func() { close(killed) })
				}
				start := time.Now()
				var out, errOut strings.Builder
				code := report(&errOut, runUntilStopped(t.Context(), &tt.service, signals, killed, &out))
				if at := time.Since(start); code != tt.wantCode || at != tt.wantAt || !strings.Contains(out.String(), tt.wantText) {
					t.Errorf("ended after %v with code %d, stdout %q, stderr %q; want %v, %d, %q",
						at, code, out.String(), errOut.String(), tt.wantAt, tt.wantCode, tt.wantText)
				}
				<-tt.service.stopped // After a second signal the process would be gone.
			})
		})
	}
}

func TestGreetShowsTheCommandToJoin(t *testing.T) {
	tcp := func(s string) address {
		return address{"tcp", config.Auto, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s))}
	}
	udp := func(s string) address {
		return address{"udp", config.Auto, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s))}
	}
	plain := address{"plain", config.Auto, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:4002"))}
	pin := func(a address, protocol string) address { a.protocol = protocol; return a }
	tests := []struct {
		addrs     []address
		line, cmd string
	}{
		{[]address{tcp("[::]:4000"), udp("[::]:4000")}, "tcp :4000, udp :4000", "./udpchat chat --server 127.0.0.1:4000 --name"},
		{[]address{tcp("127.0.0.1:4001")}, "tcp 127.0.0.1:4001", "./udpchat chat --server 127.0.0.1:4001 --transport tcp --name"},
		{[]address{tcp("[::1]:1"), plain, udp("[::1]:2")}, "tcp [::1]:1, plain 127.0.0.1:4002, udp [::1]:2", "./udpchat chat --server [::1]:2 --name"},
		{[]address{pin(udp("127.0.0.1:1"), "im"), pin(tcp("[::]:1"), "relay"), tcp("127.0.0.1:3")}, "udp 127.0.0.1:1 (im), tcp :1 (relay), tcp 127.0.0.1:3", "./udpchat chat --server 127.0.0.1:3 --transport tcp"},
		{[]address{plain}, "plain 127.0.0.1:4002", "./udpchat chat --server 127.0.0.1:4002 --transport plain --name"},
	}
	for _, tt := range tests {
		var b strings.Builder
		greet(&b, "./udpchat", tt.addrs, []string{"relay", "lab"}, invite{})
		if got := b.String(); !strings.HasPrefix(got, "listening on "+tt.line+"\n") || !strings.Contains(got, "\nspeaking relay, lab:") || !strings.Contains(got, "  "+tt.cmd) || !strings.Contains(got, "Ctrl-C") {
			t.Errorf("%v: got\n%s\nwant %q and %q", tt.addrs, got, tt.line, tt.cmd)
		}
	}
}
