package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"udpchat/client/clean"
	"udpchat/client/lab"
	"udpchat/reliable"
)

// commandLink shows what is known about the link. The round trip through the server is measured with a HELO, whatever
// the transport; the rest only our own transport knows.
func (u *chatUI) commandLink(ctx context.Context, how string) error {
	switch how {
	case "live":
		return u.live.toggle(u.out, u.transport, u.client.LinkStats)
	case "":
	default:
		return fmt.Errorf("/link %s: want /link, or /link live", clean.Line(how))
	}
	start := time.Now()
	if _, err := u.client.Hello(ctx, "link"); err != nil {
		return inWords("not measured", err)
	}
	u.out.event(fmt.Sprintf("* %s %v to %v: the server answered within %s",
		u.transport, u.client.LocalAddr(), u.client.RemoteAddr(), milliseconds(time.Since(start))))
	if s, ok := u.client.LinkStats(); ok {
		showStats(u.out, "link", s)
	}
	if at := u.client.Callback(); at.IsValid() {
		u.out.event(fmt.Sprintf("* callback address %v", at))
	}
	if s, ok := u.client.CallbackStats(); ok {
		showStats(u.out, "callback", s)
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
func showStats(out chatOutput, what string, s reliable.ConnStats) {
	rtt := "round trip not measured yet"
	if s.RTT > 0 {
		rtt = fmt.Sprintf("round trip %s (least %s)", milliseconds(s.RTT), milliseconds(s.RTTMin))
	}
	out.event(fmt.Sprintf("* %s: %s, loss %.1f %% out and %.1f %% in", what, rtt, 100*s.LossSent, 100*s.LossReceived))
	out.event(fmt.Sprintf("* %s: %d datagrams out, %d in; %d recovered by FEC, %d retransmitted",
		what, s.DatagramsSent, s.DatagramsReceived, s.RecoveredByFEC, s.Retransmits))
	if s.BytesSent > 0 {
		out.event(fmt.Sprintf("* %s: of %s out %s data, %s redundancy, %s acknowledgements; datagrams of up to %d bytes",
			what, kilobytes(s.BytesSent), percent(s.Sent.Data, s.BytesSent), percent(s.Sent.Repair, s.BytesSent),
			percent(s.Sent.Acks, s.BytesSent), s.MTU))
	}
	if s.BurstPackets > 0 {
		out.event(fmt.Sprintf("* %s: a loss out takes %.1f packets along, %s on average", what, s.BurstPackets, milliseconds(s.BurstSent)))
	}
	if s.Roams+s.Challenges > 0 {
		out.event(fmt.Sprintf("* %s: the address of this side has changed %d times", what, s.Roams+s.Challenges))
	}
}

// chatLiveEvery is how often /link live shows the link.
const chatLiveEvery = 2 * time.Second

// A liveLink shows the link again and again. The zero value shows nothing. It belongs to the goroutine of run.
type liveLink struct {
	end  chan struct{} // nil: nothing is shown.
	task sync.WaitGroup
}

// toggle begins to show the link, or stops to. stats returns its figures, false if there are none.
func (l *liveLink) toggle(out chatOutput, transport string, stats func() (reliable.ConnStats, bool)) error {
	if l.stop() {
		out.event("* The link is not shown any more.")
		return nil
	}
	last, ok := stats()
	if !ok {
		return fmt.Errorf("nothing is known about the link over %s: only reliable UDP measures it", transport)
	}
	out.event("* The link is shown every 2 s. /link live ends that.")
	end := make(chan struct{})
	l.end = end
	l.task.Go(func() { // Ends when end is closed.
		tick := time.NewTicker(chatLiveEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			if s, ok := stats(); ok {
				if s.DatagramsSent < last.DatagramsSent {
					last = reliable.ConnStats{} // Another connection.
				}
				out.event(liveLine(last, s))
				last = s
			}
		}
	})
	return nil
}

// stop ends what toggle began, and reports whether there was anything to end.
func (l *liveLink) stop() bool {
	if l.end == nil {
		return false
	}
	close(l.end)
	l.task.Wait()
	l.end = nil
	return true
}

// liveLine says what has happened on the link between two looks at it.
func liveLine(last, now reliable.ConnStats) string {
	rate := func(before, after uint64) string {
		return kilobytes(uint64(float64(after-before)/chatLiveEvery.Seconds())) + "/s"
	}
	return fmt.Sprintf("* link: round trip %s, loss %.1f %% out and %.1f %% in, %s out (%s redundancy), %s in, %d recovered, %d retransmitted",
		milliseconds(now.RTT), 100*now.LossSent, 100*now.LossReceived, rate(last.BytesSent, now.BytesSent),
		percent(now.Sent.Repair-last.Sent.Repair, now.BytesSent-last.BytesSent), rate(last.BytesReceived, now.BytesReceived),
		now.RecoveredByFEC-last.RecoveredByFEC, now.Retransmits-last.Retransmits)
}

// percent writes a share as people read it.
func percent(part, whole uint64) string {
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(max(whole, 1)))
}

// kilobytes writes n bytes as people read it.
func kilobytes(n uint64) string { return fmt.Sprintf("%.1f kB", float64(n)/1000) }

// milliseconds writes d as people read it.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
