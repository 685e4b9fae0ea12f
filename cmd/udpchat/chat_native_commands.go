package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/client/clean"
)

// nativeCommands returns all commands, in the order of /help.
func nativeCommands() slashCommands[*nativeUI] {
	return slashCommands[*nativeUI]{
		{"/join", "ROOM", "enter a room, and say the following lines there", (*nativeUI).commandJoin},
		{"/leave", "[ROOM]", "leave a room (the current one) on all your devices", (*nativeUI).commandLeave},
		{"/room", "ROOM|@NAME", "say the following lines in another room or conversation", (*nativeUI).commandRoom},
		{"/rooms", "[all]", "list the rooms and conversations you are in; all: the server's rooms", (*nativeUI).commandRooms},
		{"/msg", "NAME [TEXT]", "say something to somebody directly; no text: the following lines", (*nativeUI).commandMsg},
		{"/private", "NAME", "talk to somebody past the server, if both want it and a way is found", (*nativeUI).commandPrivate},
		{"/stopprivate", "[NAME]", "end that, or decline it", (*nativeUI).commandStopPrivate},
		{"/who", "[all]", "list who is in the current room; all: everybody who is online", (*nativeUI).commandWho},
		{"/since", "TIME", "list who has been online within that time, such as 15m or 2h", (*nativeUI).commandSince},
		{"/history", "[N]", "show N messages (20) before those shown", (*nativeUI).commandHistory},
		{"/topic", "[TEXT]", "set the current room's topic; no text: none", (*nativeUI).commandTopic},
		{"/contacts", "[add|remove NAME]", "list, add and remove contacts; adding accepts a request", (*nativeUI).commandContacts},
		{"/block", "[NAME]", "neither hear somebody nor be seen by them; no name: list them", (*nativeUI).commandBlock},
		{"/unblock", "NAME", "end that", (*nativeUI).commandUnblock},
		{"/file", "send PATH|get N [PATH]", "send a file here; fetch the file with that number", (*nativeUI).commandFile},
		{"/away", "", "tell your contacts that you are away", (*nativeUI).commandAway},
		{"/back", "", "tell them that you are back", (*nativeUI).commandBack},
		{"/devices", "[revoke DEVICE]", "list your devices, or log one out", (*nativeUI).commandDevices},
		{"/link", "[live]", "show the state of the link; live: every 2 s, or no more", (*nativeUI).commandLink},
		{"/logout", "", "forget the account on this machine, and end", (*nativeUI).commandLogout},
		{"/quit", "", "end", (*nativeUI).commandQuit},
		{"/help", "", "list the commands", (*nativeUI).commandHelp},
	}
}

// command carries out a line that begins with a slash.
func (u *nativeUI) command(ctx context.Context, line string) error {
	ctx, cancel := context.WithTimeout(ctx, nativeAnswerWait)
	defer cancel()
	return nativeCommands().carryOut(u, ctx, line)
}

// nativeAnswerWait bounds each command that waits for the server. It is long enough for a server that is started again.
const nativeAnswerWait = 30 * time.Second

func (u *nativeUI) commandJoin(ctx context.Context, room string) error {
	p, err := u.client.Join(ctx, room, u.history)
	if err != nil {
		return inNative("not joined", err)
	}
	u.begins(p)
	u.enter(placeOf(p.Log, p.Peer))
	if p.Forgets {
		u.out.event(fmt.Sprintf("* [%s] forgets: what is said here is lost when the server stops", shownName(p.Log)))
	}
	if p.Topic != "" && u.interactive {
		u.out.event(fmt.Sprintf("* [%s] topic: %s", shownName(p.Log), clean.Line(p.Topic)))
	}
	return nil
}

// enter makes a place the current one.
func (u *nativeUI) enter(p place) {
	if !slices.Contains(u.entered, p) {
		u.entered = append(u.entered, p)
	}
	u.current = p
}

// find returns the place we are in that has this name.
func (u *nativeUI) find(name string) (place, error) {
	for _, p := range u.entered {
		if p.name == name {
			return p, nil
		}
	}
	for _, f := range u.client.Followed() { // Conversations that others have begun.
		if p := placeOf(f.Log, f.Peer); p.name == name && !f.Own {
			return p, nil
		}
	}
	return place{}, fmt.Errorf("you are not in %s: /rooms lists where you are", clean.Name(name))
}

func (u *nativeUI) commandLeave(ctx context.Context, room string) error {
	p := u.current
	if room != "" {
		p = place{room, room}
	}
	if p.log == "" {
		return errors.New("you are in no room")
	}
	if strings.HasPrefix(p.name, "@") {
		return errors.New("direct conversations have no end: /block keeps somebody away")
	}
	if err := u.client.Leave(ctx, p.log); err != nil {
		return inNative("not left", err)
	}
	u.entered = slices.DeleteFunc(u.entered, func(o place) bool { return o == p })
	if u.current == p {
		u.current = place{}
		if n := len(u.entered); n > 0 {
			u.current = u.entered[n-1]
		}
	}
	u.out.event(fmt.Sprintf("* You have left [%s].", shownName(p.name)))
	return nil
}

func (u *nativeUI) commandRoom(_ context.Context, name string) error {
	p, err := u.find(name)
	if err == nil {
		u.enter(p)
	}
	return err
}

func (u *nativeUI) commandRooms(ctx context.Context, all string) error {
	switch all {
	case "":
	case "all":
		return u.allRooms(ctx)
	default:
		return errors.New("usage: /rooms, or /rooms all")
	}
	list, err := u.client.Conversations(ctx)
	if err != nil {
		return inNative("not listed", err)
	}
	shown := 0
	for _, c := range list {
		if c.Own {
			continue
		}
		shown++
		p := placeOf(c.Log, c.Peer)
		line := fmt.Sprintf("* [%s]", shownName(p.name))
		if p == u.current {
			line += " (current)"
		}
		if c.Head > c.Mark {
			line += fmt.Sprintf(" up to %d new", c.Head-c.Mark)
		}
		if c.Topic != "" {
			line += ": " + clean.Line(c.Topic)
		}
		u.out.event(line)
	}
	if shown == 0 {
		u.out.event(noRoom)
	}
	return nil
}

// allRooms lists the server's rooms.
func (u *nativeUI) allRooms(ctx context.Context) error {
	after := ""
	for {
		rooms, more, err := u.client.Rooms(ctx, after)
		if err != nil {
			return inNative("not listed", err)
		}
		for _, r := range rooms {
			line := fmt.Sprintf("* [%s] %d here", shownName(r.Name), r.Here)
			if r.Topic != "" {
				line += ": " + clean.Line(r.Topic)
			}
			u.out.event(line)
			after = max(after, r.Name)
		}
		if !more || len(rooms) == 0 {
			return nil
		}
	}
}

func (u *nativeUI) commandMsg(ctx context.Context, arg string) error {
	name, text, said := strings.Cut(arg, " ")
	name = strings.TrimPrefix(name, "@")
	p, err := u.find("@" + name)
	if err != nil {
		d, err := u.client.Direct(ctx, name, u.history)
		if e, ok := errors.AsType[native.Error](err); ok && e.Code == native.CodeNoUser && said {
			// Somebody without an account, perhaps.
			return inNative("not sent", u.client.Whisper(ctx, name, strings.TrimSpace(text)))
		}
		if err != nil {
			return inNative("not sent", err)
		}
		u.begins(d)
		p = placeOf(d.Log, d.Peer)
	}
	if !slices.Contains(u.entered, p) {
		u.entered = append(u.entered, p)
	}
	if !said {
		u.current = p
		return nil
	}
	return u.say(ctx, p, strings.TrimSpace(text))
}

func (u *nativeUI) commandWho(ctx context.Context, all string) error {
	room := u.current.log
	switch {
	case all == "all":
		room = ""
	case all != "":
		return errors.New("usage: /who, or /who all")
	case room == "":
		return errors.New("you are in no room: /who all lists who is online")
	}
	people, err := u.client.Who(ctx, room)
	if err != nil {
		return inNative("not listed", err)
	}
	return u.people(people)
}

func (u *nativeUI) commandSince(ctx context.Context, ago string) error {
	d, err := time.ParseDuration(ago)
	if err != nil || d <= 0 || d > native.SinceMax {
		return errors.New("usage: /since TIME, such as /since 90s, /since 15m or /since 2h30m; a year at most")
	}
	people, err := u.client.Since(ctx, d)
	if err != nil {
		return inNative("not listed", err)
	}
	return u.people(people)
}

// people prints a list.
func (u *nativeUI) people(all []client.Person) error {
	for _, p := range all {
		u.out.event(showPerson(p, u.interactive))
	}
	if len(all) == 0 {
		u.out.event("* Nobody.")
	}
	return nil
}

// showPerson returns the line for somebody on a list.
func showPerson(p client.Person, interactive bool) string {
	line := "* " + shownName(p.Name())
	switch {
	case p.Account == "":
		return line + " (a visitor without an account)"
	case p.Contact == native.ContactTheirs:
		return line + " wants to be your contact" // And shows nothing until then.
	}
	line += fmt.Sprintf(" %v", p.State)
	if !p.Since.IsZero() && interactive {
		line += p.Since.Local().Format(" since Jan 2 15:04")
	}
	switch p.Contact {
	case native.ContactMine:
		line += ", your contact"
	case native.ContactMine | native.ContactTheirs:
		line += ", contacts of each other"
	}
	return line
}

func (u *nativeUI) commandHistory(ctx context.Context, count string) error {
	n := nativeHistory
	if count != "" {
		var err error
		if n, err = strconv.Atoi(count); err != nil || n < 1 || n > native.PageEventsMax {
			return fmt.Errorf("usage: /history N: a number from 1 to %d", native.PageEventsMax)
		}
	}
	if u.current.log == "" {
		return errors.New("you are in no room")
	}
	u.mu.Lock()
	before := u.oldest[u.current.log]
	u.mu.Unlock()
	if before == 1 {
		u.out.event("* That is all.")
		return nil
	}
	events, more, err := u.client.History(ctx, u.current.log, client.Page{N: n, Before: before})
	if err != nil {
		return inNative("not read", err)
	}
	for _, ev := range events {
		if said, ok := ev.(client.Said); ok {
			u.out.event(showSaid(said, u.remember(said), 0, u.interactive))
		}
	}
	if !more {
		u.out.event("* That is all.")
	}
	return nil
}

func (u *nativeUI) commandTopic(ctx context.Context, text string) error {
	if u.current.log == "" {
		return errors.New("you are in no room")
	}
	if strings.HasPrefix(u.current.name, "@") {
		return errors.New("direct conversations have no topic")
	}
	return inNative("not set", u.client.SetTopic(ctx, u.current.log, text))
}

func (u *nativeUI) commandContacts(ctx context.Context, arg string) error {
	what, name, _ := strings.Cut(arg, " ")
	name = strings.TrimSpace(name)
	switch {
	case arg == "":
		people, err := u.client.Contacts(ctx)
		if err != nil {
			return inNative("not listed", err)
		}
		return u.people(people)
	case what == "add" && name != "":
		return inNative("not added", u.client.AddContact(ctx, name))
	case what == "remove" && name != "":
		return u.done(inNative("not removed", u.client.RemoveContact(ctx, name)), fmt.Sprintf("* %s is not on your list.", shownName(name)))
	}
	return errors.New("usage: /contacts, /contacts add NAME, or /contacts remove NAME")
}

func (u *nativeUI) commandBlock(ctx context.Context, name string) error {
	if name != "" {
		return u.done(inNative("not blocked", u.client.Block(ctx, name)), fmt.Sprintf("* %s is blocked. /unblock ends that.", shownName(name)))
	}
	names, err := u.client.Blocked(ctx)
	if err != nil {
		return inNative("not listed", err)
	}
	for _, name := range names {
		u.out.event(fmt.Sprintf("* %s is blocked", shownName(name)))
	}
	if len(names) == 0 {
		u.out.event("* Nobody is blocked.")
	}
	return nil
}

func (u *nativeUI) commandUnblock(ctx context.Context, name string) error {
	return u.done(inNative("not unblocked", u.client.Unblock(ctx, name)), fmt.Sprintf("* %s is not blocked any more.", shownName(name)))
}

func (u *nativeUI) commandAway(ctx context.Context, _ string) error {
	return u.done(inNative("not done", u.client.SetAway(ctx, true)), "* You are away. /back ends that.")
}

func (u *nativeUI) commandBack(ctx context.Context, _ string) error {
	return u.done(inNative("not done", u.client.SetAway(ctx, false)), "* You are back.")
}

func (u *nativeUI) commandDevices(ctx context.Context, arg string) error {
	if what, device, ok := strings.Cut(arg, " "); ok && what == "revoke" {
		return u.done(inNative("not logged out", u.client.Revoke(ctx, strings.TrimSpace(device))), "* That device is logged out.")
	} else if arg != "" {
		return errors.New("usage: /devices, or /devices revoke DEVICE")
	}
	devices, err := u.client.Devices(ctx)
	if err != nil {
		return inNative("not listed", err)
	}
	for _, d := range devices {
		line := fmt.Sprintf("* %s %s", clean.Name(d.Device), clean.Name(d.Label))
		if d.Current {
			line += " (this one)"
		}
		if d.Used != 0 && u.interactive {
			line += d.Used.Time().Local().Format(", used Jan 2 15:04")
		}
		u.out.event(line)
	}
	return nil
}

// done says that a command was carried out, unless it was not.
func (u *nativeUI) done(err error, line string) error {
	if err == nil {
		u.out.event(line)
	}
	return err
}

func (u *nativeUI) commandLogout(ctx context.Context, _ string) error {
	if err := u.flush(ctx); err != nil {
		return err
	}
	if err := u.client.LogOut(ctx); err != nil {
		return inNative("not logged out", err)
	}
	return errQuit
}

func (u *nativeUI) commandQuit(context.Context, string) error { return errQuit }

func (u *nativeUI) commandHelp(context.Context, string) error {
	nativeCommands().show(u.out)
	return nil
}
