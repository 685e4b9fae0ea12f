package main

import (
	"context"
	"fmt"
	"slices"

	"udpchat/client/clean"
	"udpchat/reliable"
)

// commandLink shows what is known about the link.
func (u *nativeUI) commandLink(_ context.Context, how string) error {
	stats := func() (reliable.ConnStats, bool) {
		l := u.client.Link()
		return l.UDP, l.UDP.DatagramsSent > 0
	}
	l := u.client.Link()
	switch how {
	case "live":
		return u.live.toggle(u.out, l.Transport, stats)
	case "":
	default:
		return fmt.Errorf("/link %s: want /link, or /link live", clean.Line(how))
	}
	if l.Transport == "" {
		u.out.event(fmt.Sprintf("* There is no connection; %d messages wait for one.", l.Unstored))
		return nil
	}
	u.out.event(fmt.Sprintf("* %s %s to %s: the server answered within %s", l.Transport, l.Local, l.Remote, milliseconds(l.Round)))
	u.mu.Lock()
	took := slices.Clone(u.took)
	u.mu.Unlock()
	if len(took) > 0 {
		slices.Sort(took)
		u.out.event(fmt.Sprintf("* the last %d messages of others took %s (median) to %s from the server's store to here",
			len(took), milliseconds(took[len(took)/2]), milliseconds(took[len(took)-1])))
	}
	if l.Unstored > 0 {
		u.out.event(fmt.Sprintf("* %d of your messages are not stored yet", l.Unstored))
	}
	if s, ok := stats(); ok {
		showStats(u.out, "link", s)
	} else {
		u.out.event("* TCP repeats what is lost in the kernel, which does not say how much.")
	}
	return nil
}
