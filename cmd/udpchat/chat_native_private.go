package main

import (
	"context"
	"errors"
	"fmt"

	"udpchat/client"
	"udpchat/client/clean"
)

// commandPrivate asks for a direct connection, or accepts one, and has the following lines said there.
func (u *nativeUI) commandPrivate(ctx context.Context, name string) error {
	p, err := u.client.Private(ctx, name)
	if err != nil {
		return inNative("no direct connection", err)
	}
	u.enter(placeOf(p.Log, p.Peer))
	u.mu.Lock()
	direct := u.direct[p.Peer]
	u.mu.Unlock()
	if !direct {
		u.out.event(fmt.Sprintf("* Until there is a direct connection with %s, the server carries what you say.", shownName(p.Peer)))
	}
	return nil
}

func (u *nativeUI) commandStopPrivate(ctx context.Context, name string) error {
	err := u.client.StopPrivate(ctx, name)
	if errors.Is(err, client.ErrNoPrivate) {
		if name == "" {
			return errors.New("there is no direct connection to end; with more than one name whose")
		}
		return fmt.Errorf("there is no direct connection to end with %s", shownName(name))
	}
	return inNative("the other could not be told", err)
}

// noteDirect notes with whom there is a direct connection, and reports whether there was one.
func (u *nativeUI) noteDirect(ev client.Private) (was bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	was = u.direct[ev.Peer]
	switch ev.State {
	case client.PrivateUp:
		if u.direct == nil {
			u.direct = make(map[string]bool)
		}
		u.direct[ev.Peer] = true
	case client.PrivateOver:
		delete(u.direct, ev.Peer)
	}
	return was
}

// showPrivate returns the line for what has become of a direct connection; was says that there was one.
func showPrivate(ev client.Private, was bool) string {
	peer := shownName(ev.Peer)
	switch ev.State {
	case client.PrivateAsked:
		return fmt.Sprintf("* %s wants to talk to you directly, past the server: /private %[1]s accepts, /stopprivate %[1]s declines", peer)
	case client.PrivateUp:
		return fmt.Sprintf("* Connected to %[1]s directly, at %[2]s, encrypted from end to end. Nobody sits in between if %[1]s sees these words, too: %[3]s",
			peer, clean.Name(ev.Address), ev.Words)
	case client.PrivateOver:
		if ev.Err == nil && !was {
			return fmt.Sprintf("* There will be no direct connection with %s: the server carries what you say.", peer)
		}
		if ev.Err == nil {
			return fmt.Sprintf("* The direct connection with %s is over: the server carries what you say.", peer)
		}
		return fmt.Sprintf("* No direct connection with %s: the server carries what you say. (%s)", peer, privateReason(ev.Err))
	}
	return ""
}

// privateReason is why there is none, in words for the user.
func privateReason(err error) string {
	switch {
	case errors.Is(err, client.ErrUnanswered):
		return "nobody accepted in time"
	case errors.Is(err, context.DeadlineExceeded):
		return "no way was found through what stands between you, such as NATs"
	}
	return nativeReason(err)
}
