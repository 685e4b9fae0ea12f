// Package chat knows rooms, members, JOIN_IDs and the order of what happens.
//
// A Hub has rooms and users. Connect makes a User out of a name and a Receiver; the user joins
// rooms, says things in them, leaves them, and is closed when its client has gone:
//
//	hub, err := chat.New(chat.Config{Engine: engine})
//	user, err := hub.Connect("ann", receiver, chat.SmallIDs)
//	room, err := user.Join(ctx, "kitchen")
//	err = user.Say(ctx, room, "", "hello")
//	err = user.Close(ctx, chat.ReasonDisconnected)
//
// Those who log in are not users but devices of accounts. An account is a member of a room until it
// leaves, whether a device of it is there or not; LogIn makes a Device out of an account, a device and a
// Receiver, and the device is told about the logs it attaches to: rooms, direct conversations, and the
// account's own log, from which its devices learn what another one has done:
//
//	device, err := hub.LogIn(ctx, chat.Login{Account: "ann", Device: "d7"}, receiver)
//	place, err := device.Join(ctx, "kitchen") // Or Attach, Resume, Direct.
//	evs, err := device.History(ctx, "kitchen", chat.Page{Before: place.Head + 1})
//	said, err := device.Say(ctx, "kitchen", 1, chat.Content{Text: "hello"})
//	err = device.Close(ctx)
//
// That an account is a member, and with whom it talks, are records of the engine (enrol.go, direct.go), as are
// topics and read markers. The core asks Config.Accounts who exists and who has blocked whom, and is told of
// changes with Announce.
//
// Nothing happens in a room but through the Engine: Join, Leave and Say write a record down
// (record.go) and append it to the room's log, the engine hands every record back in one order,
// and only then is it an Event and are members told. So the answer to Join is the joiner's own
// KindJoined event, in the same queue as everything else in that room.
//
// # What a device may rely on
//
// What History returns up to Place.Head, and what the device is told live after it, is together every
// event of the log, once and in the order of Seq, without those of accounts that its account has blocked;
// so numbers may have gaps. A message for which Say returned nil is in the log once, and saying it once more
// with the same counter changes nothing. After a restart, or on another node, Resume goes on where a client
// stopped, or says that it cannot.
//
// Who is there (Presence), who is typing and how far an account has read are states, the newest of which
// counts: they are told to those who watch, on all nodes, and kept nowhere but for read markers, which are
// written every other second. A device watches its contacts, those it talks with, and the members of rooms it is
// attached to that have at most 10,000 (Who knows the others). In rooms where many are attached changes of presence
// are told in rounds, and a device whose Receiver is a Pacer and has no room is told when it has (audience.go, teller.go): some
// states are left out then, the newest never.
//
// # What a member may rely on
//
// In each room a user receives exactly the events from its own KindJoined to its own KindLeft,
// both included, in the order of Seq, which is the same order for all members. The member an
// event is about receives it first, then the others in the order in which they joined. Join and
// Leave return after the user has received its own event; after Close has returned, with or
// without an error, the Receiver is not called again.
//
// A user that is closed while it joins is in no room afterwards. If the engine does not take or
// hand back the KindLeft record (it is gone, or ctx ended), Close removes the member all the same
// and says so with its error; then the others are not told.
//
// # Whispers
//
// A user that came by Enter instead of Connect has a name to which other users may Whisper. That is for
// protocols that have direct messages but no accounts: it goes past the rooms, is not stored, and a
// Receipt says what became of it.
//
// # Several nodes
//
// Hubs on one engine are one chat. They tell each other who is there (nodes.go): accounts, the names of visitors who can
// be whispered to, and who sits in the rooms in which there are visitors. So Who, Present, Online and IsOnline are about
// all nodes, a name that a visitor does not share is taken on all of them, and a whisper goes to all who have the name,
// wherever they are: once to each, in the order in which it was said, and with a Receipt that waits for the answer (post.go).
// A user who has said something in a room may Ask the visitors of other nodes whether they have it, and front-ends may leave a
// Note for those who serve an account, wherever that is.
//
// What one node has just done reaches the others a moment later. In that moment two of them may let in visitors by one name
// that neither shares: both stay, and both hear what is whispered to it. A node that is not heard of for twelve seconds is
// gone with all its people; whispers to them are not taken then. A node that has just begun (Start) knows the others' people
// when they have answered it, and JoinIDs are unique on one Hub only.
//
// # Concurrency
//
// All methods may be called at the same time. Locks are taken in the order hub, room, account, user or
// device, people, user table, visitor table, then whatever Receive and Hear lock, and last a Receipt and the post; no
// two of the same kind are ever held together.
// None is held over a call to the engine. Events are delivered with the room locked, so Receive
// must not block.
//
// One user's calls may run concurrently too; they are then ordered by the engine like anybody's,
// except that its KindLeft comes after everything it said or joined before it.
//
// With Start, or the first LogIn, Enter or Join, the Hub starts three goroutines: one tells other nodes who is here and writes read
// markers, one tells devices what was gathered for them, and one takes whispers to other nodes; Close waits for them.
//
// # What it does not do
//
// It knows no protocol, no socket and no passwords; it does not limit rates (front-ends do).
//
// Whether somebody was here (Since) is forgotten when the process ends, and a crash makes read markers some seconds
// older. A Hub has at most Config.RoomsMax rooms at a time. One that only visitors have used, and in which nobody is, gives up
// its place when another one needs it; one that an account has entered never does. Direct conversations and accounts are not
// counted.
package chat
