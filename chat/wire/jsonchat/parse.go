package jsonchat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A SyntaxError is a frame whose JSON is none, or no object. The stream goes on behind it.
type SyntaxError struct {
	Want string // What was expected instead.
}

// Error describes the fault in one line, without anything of the peer's.
func (e *SyntaxError) Error() string { return "jsonchat: want " + e.Want }

// An object is a JSON object whose values nobody has looked at. Keys count as they are spelled; of equal ones the last.
type object map[string]json.RawMessage

// parseObject reads a JSON text. One that is no UTF-8 is Latin-1: programs exist that cut every character to a byte.
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) {
		text = fromLatin1(text)
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, &SyntaxError{Want: "a JSON object"}
	}
	return o, nil
}

// fromLatin1 returns the UTF-8 of a text in which every byte is a character.
func fromLatin1(text []byte) []byte {
	b := make([]byte, 0, len(text)+len(text)/8)
	for _, c := range text {
		b = utf8.AppendRune(b, rune(c))
	}
	return b
}

// null reports whether key is missing or null.
func (o object) null(key string) bool {
	raw := bytes.TrimSpace(o[key])
	return len(raw) == 0 || string(raw) == "null"
}

// A reader takes the fields out of a body and notes the first that is not what it should be.
type reader struct {
	object
	want string // Empty: all was well.
}

func (r *reader) fail(want string) {
	if r.want == "" {
		r.want = want
	}
}

// number takes an integer.
func (r *reader) number(key string) int64 {
	n, ok := integer(r.object[key])
	if !ok {
		r.fail(key + ": number")
	}
	return n
}

// text takes a string.
func (r *reader) text(key string) string {
	var s *string
	if err := json.Unmarshal(r.object[key], &s); err != nil || s == nil {
		r.fail(key + ": string")
		return ""
	}
	return *s
}

// textOrNull takes a string, or nothing.
func (r *reader) textOrNull(key string) *string {
	if r.null(key) {
		return nil
	}
	s := r.text(key)
	return &s
}

// integer reads a JSON number without fraction or exponent.
func integer(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(raw)), 10, 64)
	if err != nil {
		return 0, false // Not n, which is the nearest number then.
	}
	return n, true
}

// ParseRequest reads the JSON of a request. token is 0 if the client sent none, or something that can be none. An error
// is a *SyntaxError; a request whose body is wrong is a Malformed, and one of no known name an Unknown.
func ParseRequest(text []byte) (req Request, token int64, err error) {
	o, err := parseObject(text)
	if err != nil {
		return nil, 0, err
	}
	token, _ = integer(o["tokenid"])
	r := reader{object: o}
	name := r.text("request")
	if r.want != "" {
		return Unknown{}, max(token, 0), nil
	}
	r.object = nil
	if !o.null("body") {
		if err := json.Unmarshal(o["body"], &r.object); err != nil {
			r.fail("body: object")
		}
	}
	req = r.request(name)
	if _, unknown := req.(Unknown); r.want != "" && !unknown {
		req = Malformed{Request: name, Want: r.want}
	}
	return req, max(token, 0), nil
}

// request takes the body of a request of that name.
func (r *reader) request(name string) Request {
	switch name {
	case State{}.Name():
		return State{}
	case Register{}.Name():
		return Register{r.identity()}
	case Login{}.Name():
		return Login{r.identity()}
	case Logout{}.Name():
		return Logout{}
	case Profile{}.Name():
		return Profile{r.number("userid")}
	case ModifyPasswd{}.Name():
		return ModifyPasswd{r.change()}
	case ModifyProfile{}.Name():
		return ModifyProfile{r.profile()}
	case SendMsg{}.Name():
		return SendMsg{r.message()}
	case AckFetch{}.Name():
		return AckFetch{r.number("timestamp")}
	case FetchMsg{}.Name():
		return FetchMsg{}
	case FindFile{}.Name():
		return FindFile{r.text("filemd5")}
	case FetchFile{}.Name():
		return FetchFile{r.text("msgmd5")}
	case SearchUsr{}.Name():
		return SearchUsr{r.text("username")}
	case AddContact{}.Name():
		return AddContact{r.number("userid")}
	case FetchContact{}.Name():
		return FetchContact{}
	}
	if len(name) > wordShownBytes {
		name = strings.ToValidUTF8(name[:wordShownBytes], "")
	}
	return Unknown{name}
}

func (r *reader) identity() Identity {
	return Identity{Username: r.text("username"), Passwd: r.text("passwd"), NewPasswd: r.textOrNull("newPasswd")}
}

// change takes the identity of MODIFYPASSWD: the name does not count, and may be missing; the new password must not.
func (r *reader) change() Identity {
	id := Identity{Passwd: r.text("passwd")}
	newPasswd := r.text("newPasswd")
	id.NewPasswd = &newPasswd
	if !r.null("username") {
		id.Username = r.text("username")
	}
	return id
}

// profile takes the user info of MODIFYPROFILE: the number does not count, and may be missing.
func (r *reader) profile() UserInfo {
	u := UserInfo{Username: r.text("username"), Avatar: r.textOrNull("avatar")}
	if !r.null("userid") {
		u.UserID = r.number("userid")
	}
	return u
}

func (r *reader) userInfo() UserInfo {
	return UserInfo{UserID: r.number("userid"), Username: r.text("username"), Avatar: r.textOrNull("avatar")}
}

func (r *reader) message() Message {
	m := Message{
		UserID: r.number("userid"), TargetID: r.number("targetid"),
		ContentType: r.text("contenttype"), Content: r.text("content"), Timestamp: r.number("timestamp"),
		MD5: r.textOrNull("md5encoded"), FileMD5: r.textOrNull("filemd5"),
	}
	switch m.ContentType {
	case Plaintext, Image, File:
	default:
		r.fail("contenttype: plaintext, image or file")
	}
	return m
}
