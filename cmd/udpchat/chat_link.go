package main

import (
	"context"
	"fmt"
	"time"

	"udpchat/client/lab"
	"udpchat/reliable"
)

// commandLink shows what is known about the link. The round trip through the server is measured with a HELO, whatever
// the transport; the rest only our own transport knows.
func (u *chatUI) commandLink(ctx context.Context, _ string) error {
	start := time.Now()
	if _, err := u.client.Hello(ctx, "link"); err != nil {
		return inWords("not measured", err)
	}
	u.out.event(fmt.Sprintf("* %s %v to %v: the server answered within %s",
		u.transport, u.client.LocalAddr(), u.client.RemoteAddr(), milliseconds(time.Since(start))))
	if s, ok := u.client.LinkStats(); ok {
		u.showStats("link", s)
	}
	if at := u.client.Callback(); at.IsValid() {
		u.out.event(fmt.Sprintf("* callback address %v", at))
	}
	if s, ok := u.client.CallbackStats(); ok {
		u.showStats("callback", s)
	}
	switch u.transport {
	case lab.TCP:
		u.out.event("* TCP repeats what is lost in the kernel, which does not say how much.")
	case lab.Plain:
		u.out.event("* Plain datagrams: your own requests are repeated until they are answered; what others say may be lost.")
	}
	return nil
}

// showStats shows the figures of one reliable connection.
func (u *chatUI) showStats(what string, s reliable.ConnStats) {
	rtt := "round trip not measured yet"
	if s.RTT > 0 {
		rtt = fmt.Sprintf("round trip %s (least %s)", milliseconds(s.RTT), milliseconds(s.RTTMin))
	}
	u.out.event(fmt.Sprintf("* %s: %s, loss %.1f %% out and %.1f %% in", what, rtt, 100*s.LossSent, 100*s.LossReceived))
	u.out.event(fmt.Sprintf("* %s: %d datagrams out, %d in; %d recovered by FEC, %d retransmitted",
		what, s.DatagramsSent, s.DatagramsReceived, s.RecoveredByFEC, s.Retransmits))
}

// milliseconds writes d as people read it.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
