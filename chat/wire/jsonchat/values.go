package jsonchat

// A Request is what a client asks for: one of State, Register, Login, Logout, Profile, ModifyPasswd, ModifyProfile,
// SendMsg, AckFetch, FetchMsg, FindFile, FetchFile, SearchUsr, AddContact, FetchContact, Malformed and Unknown.
//
// Numbers are kept as they come: which of them are somebody's is the server's to know.
type Request interface{ Name() string }

// State asks who is logged in with the token.
type State struct{}

// Register makes a user and logs in.
type Register struct{ Identity }

// Login logs in.
type Login struct{ Identity }

// Logout undoes Login.
type Logout struct{}

// Profile asks for a user by number.
type Profile struct{ UserID int64 }

// ModifyPasswd changes the password of whoever is logged in.
type ModifyPasswd struct{ Identity }

// ModifyProfile changes name and avatar of whoever is logged in.
type ModifyProfile struct{ UserInfo }

// SendMsg sends a message; if its ContentType is File, the payload is the file.
type SendMsg struct{ Message }

// AckFetch says up to when the client has what FetchMsg gave it. It has no answer.
type AckFetch struct{ Timestamp int64 }

// FetchMsg asks for messages that are newer than what the client has.
type FetchMsg struct{}

// FindFile asks whether the server has a file with that MD5.
type FindFile struct{ FileMD5 string }

// FetchFile asks for the file of a message.
type FetchFile struct{ MsgMD5 string }

// SearchUsr asks for a user by its whole name.
type SearchUsr struct{ Username string }

// AddContact notes that the user wants to be in touch with another.
type AddContact struct{ UserID int64 }

// FetchContact asks for the three lists of contacts.
type FetchContact struct{}

// Malformed is a request whose body is not what its name wants.
type Malformed struct {
	Request string // Its name, one of those above.
	Want    string // What was expected, such as "userid: number".
}

// Unknown is a request of no known name.
type Unknown struct{ Request string }

func (State) Name() string         { return "STATE" }
func (Register) Name() string      { return "REGISTER" }
func (Login) Name() string         { return "LOGIN" }
func (Logout) Name() string        { return "LOGOUT" }
func (Profile) Name() string       { return "PROFILE" }
func (ModifyPasswd) Name() string  { return "MODIFYPASSWD" }
func (ModifyProfile) Name() string { return "MODIFYPROFILE" }
func (SendMsg) Name() string       { return "SENDMSG" }
func (AckFetch) Name() string      { return "ACKFETCH" }
func (FetchMsg) Name() string      { return "FETCHMSG" }
func (FindFile) Name() string      { return "FINDFILE" }
func (FetchFile) Name() string     { return "FETCHFILE" }
func (SearchUsr) Name() string     { return "SEARCHUSR" }
func (AddContact) Name() string    { return "ADDCONTACT" }
func (FetchContact) Name() string  { return "FETCHCONTACT" }
func (m Malformed) Name() string   { return m.Request }
func (u Unknown) Name() string     { return u.Request }

// Names of responses that answer no request of the same name.
const (
	TokenName   = "TOKEN"      // Goes before the answer to a request without a token; its body is a Token.
	ForwardName = "FORWARDMSG" // Somebody's message; its body is a Message.
	UnknownName = "UNKNOWN"    // The answer to a request of no known name.
)

// A Response is what a server sends: an answer, or something nobody asked for here.
type Response struct {
	Name string // Of the request, or one of the names above.
	Err  string // Why it failed, shown to a person; empty: it did not.
	Body Body   // nil is null.
}

// A Body is what a response carries: one of Token, UserInfo, Sent, Messages, Contacts and Message, by value.
type Body interface{ body() }

// An Identity is a user's name with a password, the body of REGISTER, LOGIN and MODIFYPASSWD.
type Identity struct {
	Username  string  `json:"username"`  // Base64 of UTF-8.
	Passwd    string  `json:"passwd"`    // MD5 of the password in hexadecimal.
	NewPasswd *string `json:"newPasswd"` // The same of the new one; nil is null.
}

// UserInfo is a user as others see it.
type UserInfo struct {
	UserID   int64   `json:"userid"`
	Username string  `json:"username"` // Base64 of UTF-8.
	Avatar   *string `json:"avatar"`   // Base64 of an image; nil is null.
}

// What a message's content is.
const (
	Plaintext = "plaintext"
	Image     = "image"
	File      = "file"
)

// A Message is from one user to another.
type Message struct {
	UserID      int64   `json:"userid"`
	TargetID    int64   `json:"targetid"`
	ContentType string  `json:"contenttype"` // Plaintext, Image or File.
	Content     string  `json:"content"`     // Base64 of UTF-8: the text, the image in base64, or the file's name.
	Timestamp   int64   `json:"timestamp"`   // Milliseconds since 1970 by the sender's clock.
	MD5         *string `json:"md5encoded"`  // Names the message: see MessageMD5. A server never sends null.
	FileMD5     *string `json:"filemd5"`     // MD5 of the file; null unless ContentType is File.
}

// Token is the body of TOKEN: the number by which the client's device is known from now on.
type Token struct {
	TokenID int64 `json:"tokenid"`
}

// Sent is the body of the answer to SENDMSG.
type Sent struct {
	MD5 string `json:"md5encoded"`
}

// Messages is the body of the answer to FETCHMSG.
type Messages struct {
	Messages []Message `json:"messages"` // Newest first; nil is the same as empty.
}

// Contacts is the body of the answer to FETCHCONTACT. A nil list is the same as an empty one.
type Contacts struct {
	Contacts   []UserInfo `json:"contacts"`   // Both have added each other.
	Pending    []UserInfo `json:"pending"`    // The user has added them.
	Requesting []UserInfo `json:"requesting"` // They have added the user.
}

func (Token) body()    {}
func (UserInfo) body() {}
func (Sent) body()     {}
func (Messages) body() {}
func (Contacts) body() {}
func (Message) body()  {}
