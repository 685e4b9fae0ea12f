package native

// Which Go type a message is. decode tables are functions of the type, so that the package keeps no state.

func asRequest[M Request](body []byte) (Request, error) {
	var m M
	err := decodeBody(body, &m)
	return m, err
}

func asReply[M Reply](body []byte) (Reply, error) {
	var m M
	err := decodeBody(body, &m)
	return m, err
}

// requestDecoder returns nil for types that are not known.
func requestDecoder(t Type) func([]byte) (Request, error) {
	switch t {
	case TypeHello:
		return asRequest[Hello]
	case TypePing:
		return asRequest[Ping]
	case TypeRegister:
		return asRequest[Register]
	case TypeLogIn:
		return asRequest[LogIn]
	case TypeGuest:
		return asRequest[Guest]
	case TypeLogOut:
		return asRequest[LogOut]
	case TypePassword:
		return asRequest[Password]
	case TypeTokens:
		return asRequest[Tokens]
	case TypeRevoke:
		return asRequest[Revoke]
	case TypeSay:
		return asRequest[Say]
	case TypeJoin:
		return asRequest[Join]
	case TypeAttach:
		return asRequest[Attach]
	case TypeLeave:
		return asRequest[Leave]
	case TypeDirect:
		return asRequest[Direct]
	case TypeHistory:
		return asRequest[History]
	case TypeMark:
		return asRequest[Mark]
	case TypeTyping:
		return asRequest[Typing]
	case TypePresence:
		return asRequest[Presence]
	case TypeTopic:
		return asRequest[Topic]
	case TypeRooms:
		return asRequest[Rooms]
	case TypeConversations:
		return asRequest[Conversations]
	case TypeWho:
		return asRequest[Who]
	case TypeSince:
		return asRequest[Since]
	case TypeContacts:
		return asRequest[Contacts]
	case TypeAddContact:
		return asRequest[AddContact]
	case TypeRemoveContact:
		return asRequest[RemoveContact]
	case TypeBlock:
		return asRequest[Block]
	case TypeUnblock:
		return asRequest[Unblock]
	case TypeBlocked:
		return asRequest[Blocked]
	case TypeUpload:
		return asRequest[Upload]
	case TypeDownload:
		return asRequest[Download]
	case TypeTransfer:
		return asRequest[Transfer]
	case TypeChunk:
		return asRequest[Chunk]
	case TypeFinish:
		return asRequest[Finish]
	case TypePrivate:
		return asRequest[Private]
	case TypeWhisper:
		return asRequest[Whisper]
	}
	return nil
}

// answerDecoder returns nil for types that are not known.
func answerDecoder(t Type) func([]byte) (Reply, error) {
	switch t {
	case TypeError:
		return asReply[Error]
	case TypeHello:
		return asReply[Welcome]
	case TypePing:
		return asReply[Pong]
	case TypeRegister, TypeLogIn, TypeGuest:
		return asReply[LoggedIn]
	case TypeTokens:
		return asReply[TokenList]
	case TypeSay:
		return asReply[Said]
	case TypeJoin, TypeAttach, TypeDirect:
		return asReply[Place]
	case TypeHistory:
		return asReply[Page]
	case TypeRooms:
		return asReply[RoomList]
	case TypeConversations:
		return asReply[ConversationList]
	case TypeWho, TypeSince, TypeContacts:
		return asReply[People]
	case TypeBlocked:
		return asReply[Names]
	case TypeUpload, TypeDownload:
		return asReply[Ticket]
	case TypeTransfer:
		return asReply[Transferring]
	case TypeLogOut, TypePassword, TypeRevoke, TypeLeave, TypeMark, TypeTyping, TypePresence, TypeTopic,
		TypeAddContact, TypeRemoveContact, TypeBlock, TypeUnblock, TypeChunk, TypeFinish, TypePrivate, TypeWhisper:
		return asReply[Done]
	}
	return nil
}

// pushDecoder returns nil for types that are not known.
func pushDecoder(t Type) func([]byte) (Reply, error) {
	switch t {
	case TypeEvent:
		return asReply[Event]
	case TypeTyping:
		return asReply[Typing]
	case TypePresence:
		return asReply[Presence]
	case TypeDrain:
		return asReply[Drain]
	case TypeChunk:
		return asReply[Chunk]
	case TypeFinish:
		return asReply[Finish]
	case TypePrivate:
		return asReply[Private]
	case TypeWhisper:
		return asReply[Whisper]
	}
	return nil
}

// Type says which request or push it is.
func (Hello) Type() Type         { return TypeHello }
func (Ping) Type() Type          { return TypePing }
func (Register) Type() Type      { return TypeRegister }
func (LogIn) Type() Type         { return TypeLogIn }
func (Guest) Type() Type         { return TypeGuest }
func (LogOut) Type() Type        { return TypeLogOut }
func (Password) Type() Type      { return TypePassword }
func (Tokens) Type() Type        { return TypeTokens }
func (Revoke) Type() Type        { return TypeRevoke }
func (Say) Type() Type           { return TypeSay }
func (Join) Type() Type          { return TypeJoin }
func (Attach) Type() Type        { return TypeAttach }
func (Leave) Type() Type         { return TypeLeave }
func (Direct) Type() Type        { return TypeDirect }
func (History) Type() Type       { return TypeHistory }
func (Mark) Type() Type          { return TypeMark }
func (Typing) Type() Type        { return TypeTyping }
func (Presence) Type() Type      { return TypePresence }
func (Topic) Type() Type         { return TypeTopic }
func (Rooms) Type() Type         { return TypeRooms }
func (Conversations) Type() Type { return TypeConversations }
func (Who) Type() Type           { return TypeWho }
func (Since) Type() Type         { return TypeSince }
func (Contacts) Type() Type      { return TypeContacts }
func (AddContact) Type() Type    { return TypeAddContact }
func (RemoveContact) Type() Type { return TypeRemoveContact }
func (Block) Type() Type         { return TypeBlock }
func (Unblock) Type() Type       { return TypeUnblock }
func (Blocked) Type() Type       { return TypeBlocked }
func (Upload) Type() Type        { return TypeUpload }
func (Download) Type() Type      { return TypeDownload }
func (Transfer) Type() Type      { return TypeTransfer }
func (Chunk) Type() Type         { return TypeChunk }
func (Finish) Type() Type        { return TypeFinish }
func (Private) Type() Type       { return TypePrivate }
func (Whisper) Type() Type       { return TypeWhisper }
func (Event) Type() Type         { return TypeEvent }
func (Drain) Type() Type         { return TypeDrain }
func (u Unknown) Type() Type     { return u.Of }

func (Error) reply()            {}
func (Welcome) reply()          {}
func (Pong) reply()             {}
func (LoggedIn) reply()         {}
func (TokenList) reply()        {}
func (Said) reply()             {}
func (Place) reply()            {}
func (Page) reply()             {}
func (RoomList) reply()         {}
func (ConversationList) reply() {}
func (People) reply()           {}
func (Names) reply()            {}
func (Ticket) reply()           {}
func (Transferring) reply()     {}
func (Done) reply()             {}
func (Event) reply()            {}
func (Typing) reply()           {}
func (Presence) reply()         {}
func (Drain) reply()            {}
func (Chunk) reply()            {}
func (Finish) reply()           {}
func (Private) reply()          {}
func (Whisper) reply()          {}
func (Unknown) reply()          {}

func (Unknown) check() error { return nil }
