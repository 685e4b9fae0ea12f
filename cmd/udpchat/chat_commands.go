package main

import (
	"context"
	"errors"
	"fmt"

	"udpchat/client/clean"
	"udpchat/client/lab"
)

// noRoom is shown to people who are in no room.
const noRoom = "* You are in no room. /join ROOM enters one."

// chatCommands returns all commands, in the order of /help.
func chatCommands() slashCommands[*chatUI] {
	return slashCommands[*chatUI]{
		{"/join", "ROOM", "enter a room, and say the following lines there", (*chatUI).commandJoin},
		{"/leave", "[ROOM]", "leave a room (the current one)", (*chatUI).commandLeave},
		{"/rooms", "", "list the rooms you are in", (*chatUI).commandRooms},
		{"/room", "ROOM", "say the following lines in another room you are in", (*chatUI).commandRoom},
		{"/link", "[live]", "show the state of the link: round trip, loss, what was recovered; live: every 2 s, or no more", (*chatUI).commandLink},
		{"/quit", "", "say goodbye and end", (*chatUI).commandQuit},
		{"/help", "", "list the commands", (*chatUI).commandHelp},
	}
}

func (u *chatUI) commandJoin(ctx context.Context, room string) error { return u.join(ctx, room) }

func (u *chatUI) commandLeave(ctx context.Context, room string) error {
	if room == "" {
		room = u.current
	}
	if room == "" {
		return fmt.Errorf("you are in no room")
	}
	err := u.client.Leave(ctx, room)
	if errors.Is(err, lab.ErrNotJoined) {
		return fmt.Errorf("you are not in room %s: /rooms lists yours", clean.Name(room))
	}
	if err != nil {
		return inWords("not left", err)
	}
	if room != u.current {
		return nil
	}
	// On with the room joined last of those that are left.
	u.current = ""
	for _, r := range u.client.Rooms() {
		u.current = r.Name
	}
	return nil
}

func (u *chatUI) commandRooms(context.Context, string) error {
	rooms := u.client.Rooms()
	for _, r := range rooms {
		where := ""
		if r.Name == u.current {
			where = " (current)"
		}
		u.out.event(fmt.Sprintf("* [%s]%s", shownName(r.Name), where))
	}
	if len(rooms) == 0 {
		u.out.event(noRoom)
	}
	return nil
}

func (u *chatUI) commandRoom(_ context.Context, room string) error {
	for _, r := range u.client.Rooms() {
		if r.Name == room {
			u.current = room
			return nil
		}
	}
	return fmt.Errorf("you are not in room %s: /join %[1]s enters it", clean.Name(room))
}

func (u *chatUI) commandQuit(context.Context, string) error { return errQuit }

func (u *chatUI) commandHelp(context.Context, string) error {
	chatCommands().show(u.out)
	return nil
}
