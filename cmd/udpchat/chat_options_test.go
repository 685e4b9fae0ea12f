package main

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/client/lab"
)

func TestChatOptions(t *testing.T) {
	for _, tt := range []struct {
		o    chatOptions
		want string // The server's address, or part of the error.
	}{
		{chatOptions{server: "localhost"}, "localhost:4000"},
		{chatOptions{server: "localhost:5"}, "localhost:5"},
		{chatOptions{server: "::1"}, "[::1]:4000"},
		{chatOptions{server: "[::1]:5"}, "[::1]:5"},
		{chatOptions{server: "a:b:c"}, "--server"},
		{chatOptions{server: ""}, "--server"},
		{chatOptions{server: ":5"}, "localhost:5"},
		{chatOptions{server: "x:99999"}, "no number from 1 to 65535"},
		{chatOptions{server: "x:"}, "no number from 1 to 65535"},
		{chatOptions{server: "x", transport: "smoke"}, "--transport"},
		{chatOptions{server: "x", protocol: "smoke"}, "--protocol"},
		{chatOptions{server: "x", protocol: "native"}, "x:4000"},
		{chatOptions{server: "x", protocol: "native", transport: transportAuto}, "x:4000"},
		{chatOptions{server: "x", protocol: "native", transport: lab.Plain}, "always encrypted"},
		{chatOptions{server: "x", protocol: "native", callback: "127.0.0.1:0"}, "--callback"},
		{chatOptions{server: "x", protocol: "native", guest: true, passwordFile: "f"}, "--guest or a password"},
		{chatOptions{server: "x", protocol: "native", history: 501}, "--history 501"},
		{chatOptions{server: "x", guest: true}, "the lab protocol has no accounts"},
		{chatOptions{server: "x", redundancy: "lots"}, "--redundancy"},
		{chatOptions{server: "x", transport: lab.TCP, callback: "127.0.0.1:0"}, "--callback"},
		{chatOptions{server: "x", callback: "127.0.0.1"}, "--callback"},
		{chatOptions{server: "x", name: "a\nb"}, "--name"},
		{chatOptions{server: "x", rooms: []string{""}}, "--room"},
	} {
		if tt.o.transport == "" {
			tt.o.transport = lab.UDP
		}
		if tt.o.protocol == "" {
			tt.o.protocol = "lab"
		}
		if tt.o.redundancy == "" {
			tt.o.redundancy = "latency"
		}
		err := tt.o.check()
		if got := fmt.Sprint(err); err != nil && !strings.Contains(got, tt.want) || err == nil && tt.o.server != tt.want {
			t.Errorf("%+v: %v, want %q", tt.o, err, tt.want)
		}
	}
}

func TestChatProtocolFollowsFromTheTransportUnlessItIsNamed(t *testing.T) {
	for _, tt := range []struct {
		o                   chatOptions
		protocol, transport string
	}{
		{chatOptions{transport: transportAuto}, protocolNative, transportAuto},
		{chatOptions{transport: lab.TCP}, protocolNative, lab.TCP},
		{chatOptions{transport: lab.Plain}, protocolLab, lab.Plain},
		{chatOptions{transport: transportAuto, callback: "127.0.0.1:0"}, protocolLab, lab.UDP},
		{chatOptions{transport: transportAuto, protocol: protocolLab}, protocolLab, lab.UDP},
	} {
		tt.o.server, tt.o.redundancy = "x", "latency"
		if err := tt.o.check(); err != nil || tt.o.protocol != tt.protocol || tt.o.transport != tt.transport {
			t.Errorf("%s over %s, %v; want %s over %s", tt.o.protocol, tt.o.transport, err, tt.protocol, tt.transport)
		}
	}
}

func TestDefaultName(t *testing.T) {
	t.Setenv("USER", "ann")
	t.Setenv("USERNAME", "")
	if got := defaultName(); got != "ann" {
		t.Errorf("defaultName = %q, want the user's", got)
	}
	t.Setenv("USER", "")
	if got := defaultName(); !strings.HasPrefix(got, "guest-") || len(got) != len("guest-")+4 {
		t.Errorf("defaultName = %q, want a guest's", got)
	}
}
