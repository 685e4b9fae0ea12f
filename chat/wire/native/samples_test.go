package native

// Samples of every message, with every field set, by which the tests go.

var (
	sampleFile   = &File{Digest: []byte("0123456789abcdef0123456789abcdef"), Size: 5, Name: "a.txt", Type: "text/plain"}
	samplePerson = Person{Account: "ann", Show: "Ann", State: StateAway, Since: 1_700_000_000_000_000, Visitor: 9, Contact: ContactMine}
	sampleEvent  = Event{
		Log: "kitchen", Seq: 42, Time: 1_700_000_000_000_001, Kind: KindSaid, Account: "ann", Show: "Ann", Visitor: 7,
		Device: "a1", Counter: 3, Text: "hällo", File: sampleFile, Reason: ReasonLost, Peer: "bob", About: "dm/ann/bob", Number: 41,
	}
)

func sampleRequests() []Request {
	return []Request{
		Hello{1, 1, CanFiles | CanPrivate, 1_700_000_000_000_000, "test/1"},
		Ping{1_700_000_000_000_000},
		Register{"ann", "secret", "laptop", true},
		LogIn{Name: "ann", Password: "secret", Label: "laptop", WatchAll: true},
		LogIn{Token: "t0k3n"},
		Guest{"ann", "laptop", true},
		LogOut{true},
		Password{"old", "new"},
		Tokens{},
		Revoke{"a1"},
		Say{Log: "kitchen", Counter: 3, Text: "hällo"},
		Say{Log: "kitchen", Counter: 4, File: sampleFile},
		Join{"kitchen", 50},
		Attach{"kitchen", "e1", 41, 50},
		Leave{"kitchen"},
		Direct{"bob", 50},
		History{Log: "kitchen", N: 50, After: 1, Before: 99, Epoch: "e1"},
		History{Log: "kitchen", N: 50, Around: 7},
		History{Log: "kitchen", N: 50, At: 1_700_000_000_000_000},
		Mark{"kitchen", 42},
		Typing{"kitchen", true, ""},
		Presence{State: StateAway},
		Topic{"kitchen", "food"},
		Rooms{"a", 100},
		Conversations{"kitchen"},
		Who{Log: "kitchen"},
		Who{"kitchen", 500},
		Since{Ago: 60_000},
		Since{60_000, 500},
		Contacts{},
		Contacts{"bob", ContactMine | ContactTheirs},
		AddContact{"bob"},
		RemoveContact{"bob"},
		Block{"bob"},
		Unblock{"bob"},
		Blocked{},
		Upload{sampleFile.Digest, 5},
		Download{"kitchen", 42},
		Transfer{"t0k3n", 3},
		Chunk{3, []byte("data")},
		Finish{},
		Private{"bob", "b1", []byte("call"), StepRequest, []byte("key"), []string{"192.0.2.1:4000", "[2001:db8::1]:4000"}, "", "why"},
		Whisper{"bob", "psst"},
	}
}

// An answer is a reply and the type of the request it answers.
type answer struct {
	to    Type
	reply Reply
}

func sampleAnswers() []answer {
	return []answer{
		{TypeSay, Error{CodeRateLimited, "too fast", 1500, "4F2A", "text"}},
		{TypeHello, Welcome{1, CanFiles | CanGuests, 1, 2, 3, "udpchat", 65536, 1 << 30, "192.0.2.1:4000"}},
		{TypePing, Pong{1, 2, 3}},
		{TypeLogIn, LoggedIn{"ann", "Ann", "a1", "t0k3n", "ac/ann", true, 1_700_000_000_000_000}},
		{TypeLogOut, Done{}},
		{TypeTokens, TokenList{[]Device{{"a1", "laptop", 1, 2, true}}}},
		{TypeSay, Said{42, 1_700_000_000_000_001}},
		{TypeAttach, Place{"dm/ann/bob", "e1", 42, 7, "food", 41, "bob", true, true, []Event{sampleEvent}, true}},
		{TypeHistory, Page{"e1", []Event{sampleEvent, sampleEvent}, true}},
		{TypeRooms, RoomList{[]Room{{"kitchen", 1, 2, "food"}}, true}},
		{TypeConversations, ConversationList{[]Conversation{{"kitchen", "e1", 42, 41, "food", "bob", 1}}, true}},
		{TypeWho, People{[]Person{samplePerson}, true}},
		{TypeBlocked, Names{[]string{"bob", "eve"}}},
		{TypeUpload, Ticket{"t0k3n", 3, 5, sampleFile.Digest, 60_000}},
		{TypeTransfer, Transferring{3, 5, true}},
	}
}

func samplePushes() []Push {
	return []Push{
		sampleEvent,
		Typing{"kitchen", true, "ann"},
		Presence{Person: &samplePerson},
		Drain{2000, "192.0.2.1:4000", "restart"},
		Chunk{3, []byte("data")},
		Finish{},
		Private{"ann", "a1", []byte("call"), StepAccept, []byte("key"), []string{"192.0.2.1:4000"}, "192.0.2.1:5000", ""},
		Whisper{"bob", "psst"},
	}
}
