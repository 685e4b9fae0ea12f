package jsonchat

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func text(s string) *string { return &s }

var (
	plain = Message{
		UserID: 3, TargetID: 4, ContentType: Plaintext, Content: "aGk=", Timestamp: 1666500000000,
		MD5: text("3411336659bd035f1665b2547891ecb3"),
	}
	bob = UserInfo{UserID: 3, Username: "Ym9i"}
)

const (
	plainJSON = `{"userid":3,"targetid":4,"contenttype":"plaintext","content":"aGk=","timestamp":1666500000000,` +
		`"md5encoded":"3411336659bd035f1665b2547891ecb3","filemd5":null}`
	bobJSON = `{"userid":3,"username":"Ym9i","avatar":null}`
)

// requests are all there are, as they are written.
var requests = []struct {
	req  Request
	tok  int64
	json string
}{
	{State{}, 0, `{"request":"STATE","tokenid":null,"body":{}}`},
	{State{}, 7, `{"request":"STATE","tokenid":7,"body":{}}`},
	{Register{Identity{"Ym9i", "b", nil}}, 7, `{"request":"REGISTER","tokenid":7,"body":{"username":"Ym9i","passwd":"b","newPasswd":null}}`},
	{Login{Identity{"Ym9i", "b", nil}}, 7, `{"request":"LOGIN","tokenid":7,"body":{"username":"Ym9i","passwd":"b","newPasswd":null}}`},
	{Logout{}, 7, `{"request":"LOGOUT","tokenid":7,"body":{}}`},
	{Profile{3}, 7, `{"request":"PROFILE","tokenid":7,"body":{"userid":3}}`},
	{ModifyPasswd{Identity{"Ym9i", "b", text("c")}}, 7, `{"request":"MODIFYPASSWD","tokenid":7,"body":{"username":"Ym9i","passwd":"b","newPasswd":"c"}}`},
	{ModifyProfile{bob}, 7, `{"request":"MODIFYPROFILE","tokenid":7,"body":` + bobJSON + `}`},
	{SendMsg{plain}, 7, `{"request":"SENDMSG","tokenid":7,"body":` + plainJSON + `}`},
	{AckFetch{1666500000000}, 7, `{"request":"ACKFETCH","tokenid":7,"body":{"timestamp":1666500000000}}`},
	{FetchMsg{}, 7, `{"request":"FETCHMSG","tokenid":7,"body":{}}`},
	{FindFile{"ab"}, 7, `{"request":"FINDFILE","tokenid":7,"body":{"filemd5":"ab"}}`},
	{FetchFile{"ab"}, 7, `{"request":"FETCHFILE","tokenid":7,"body":{"msgmd5":"ab"}}`},
	{SearchUsr{"Ym9i"}, 7, `{"request":"SEARCHUSR","tokenid":7,"body":{"username":"Ym9i"}}`},
	{AddContact{3}, 7, `{"request":"ADDCONTACT","tokenid":7,"body":{"userid":3}}`},
	{FetchContact{}, math.MaxInt64, `{"request":"FETCHCONTACT","tokenid":9223372036854775807,"body":{}}`},
	{Unknown{"DANCE"}, 7, `{"request":"DANCE","tokenid":7,"body":{}}`},
}

// responses are one of each kind, as they are written.
var responses = []struct {
	res  Response
	json string
}{
	{Response{Name: TokenName, Body: Token{7}}, `{"response":"TOKEN","status":"OK","info":null,"body":{"tokenid":7}}`},
	{Response{Name: "STATE", Body: bob}, `{"response":"STATE","status":"OK","info":null,"body":` + bobJSON + `}`},
	{Response{Name: "STATE", Err: "Exception: User not logged in"}, `{"response":"STATE","status":"ERR","info":"Exception: User not logged in","body":null}`},
	{Response{Name: "LOGOUT"}, `{"response":"LOGOUT","status":"OK","info":null,"body":null}`},
	{Response{Name: "PROFILE", Body: UserInfo{3, "Ym9i", text("")}}, `{"response":"PROFILE","status":"OK","info":null,"body":{"userid":3,"username":"Ym9i","avatar":""}}`},
	{Response{Name: "SENDMSG", Body: Sent{"ab"}}, `{"response":"SENDMSG","status":"OK","info":null,"body":{"md5encoded":"ab"}}`},
	{Response{Name: ForwardName, Body: plain}, `{"response":"FORWARDMSG","status":"OK","info":null,"body":` + plainJSON + `}`},
	{Response{Name: "FETCHMSG", Body: Messages{[]Message{plain}}}, `{"response":"FETCHMSG","status":"OK","info":null,"body":{"messages":[` + plainJSON + `]}}`},
	{Response{Name: "FETCHMSG", Body: Messages{[]Message{}}}, `{"response":"FETCHMSG","status":"OK","info":null,"body":{"messages":[]}}`},
	{
		Response{Name: "FETCHCONTACT", Body: Contacts{[]UserInfo{bob}, []UserInfo{}, []UserInfo{}}},
		`{"response":"FETCHCONTACT","status":"OK","info":null,"body":{"contacts":[` + bobJSON + `],"pending":[],"requesting":[]}}`,
	},
	{Response{Name: UnknownName, Err: "Unkown request"}, `{"response":"UNKNOWN","status":"ERR","info":"Unkown request","body":null}`},
	{
		Response{Name: "PROFILE", Body: UserInfo{3, "é😀\"<&\u2028", nil}},
		`{"response":"PROFILE","status":"OK","info":null,"body":{"userid":3,"username":"\u00e9\ud83d\ude00\"<&\u2028","avatar":null}}`,
	},
}

func TestRequestsAreWrittenAndRead(t *testing.T) {
	for _, test := range requests {
		if got := string(AppendRequest(nil, test.req, test.tok)); got != test.json {
			t.Errorf("%#v: got %s, want %s", test.req, got, test.json)
		}
		req, token, err := ParseRequest([]byte(test.json))
		if err != nil || !reflect.DeepEqual(req, test.req) || token != test.tok {
			t.Errorf("%s: got %#v, token %d, %v", test.json, req, token, err)
		}
	}
}

func TestResponsesAreWrittenAndRead(t *testing.T) {
	for _, test := range responses {
		got := string(AppendResponse([]byte("x"), test.res))
		if got != "x"+test.json {
			t.Errorf("%#v: got %s, want %s", test.res, got, test.json)
		}
		res, err := ParseResponse([]byte(got[1:]))
		if err != nil || !reflect.DeepEqual(res, test.res) {
			t.Errorf("%s: got %#v, %v", got[1:], res, err)
		}
	}
	for _, res := range []Response{{Name: "FETCHMSG", Body: Messages{}}, {Name: "FETCHCONTACT", Body: Contacts{}}} {
		if got := string(AppendResponse(nil, res)); strings.Count(got, "null") != 1 { // That of info.
			t.Errorf("nil lists: got %s, want empty ones", got)
		}
	}
}

// TestRequestsAsProgramsWriteThem: other orders, missing keys, nulls, spaces, Latin-1, keys that nobody knows.
func TestRequestsAsProgramsWriteThem(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Request
		tok  int64
	}{
		{`{"request":"STATE","body":{},"tokenid":null}`, State{}, 0},
		{` { "tokenid" : 5 , "request" : "STATE" } `, State{}, 5},
		{`{"request":"STATE","tokenid":5,"body":null}`, State{}, 5},
		{`{"request":"STATE","tokenid":"5"}`, State{}, 0},
		{`{"request":"STATE","tokenid":5.0}`, State{}, 0},
		{`{"request":"STATE","tokenid":-5}`, State{}, 0},
		{`{"request":"STATE","tokenid":99999999999999999999}`, State{}, 0},
		{`{"request":"STATE","tokenid":1,"tokenid":2}`, State{}, 2},
		{`{"request":"STATE","Request":"LOGOUT","TOKENID":3,"more":[{"x":1}]}`, State{}, 0},
		{`{"request":"LOGIN","tokenid":5,"body":{"username":"Ym9i","passwd":"b"}}`, Login{Identity{"Ym9i", "b", nil}}, 5},
		{`{"request":"MODIFYPASSWD","tokenid":5,"body":{"passwd":"b","newPasswd":"c"}}`, ModifyPasswd{Identity{"", "b", text("c")}}, 5},
		{`{"request":"MODIFYPROFILE","tokenid":5,"body":{"username":"Ym9i","avatar":"x"}}`, ModifyProfile{UserInfo{0, "Ym9i", text("x")}}, 5},
		{"{\"request\":\"SEARCHUSR\",\"body\":{\"username\":\"J\xfcrgen\"}}", SearchUsr{"Jürgen"}, 0},
		{`{"request":"SEARCHUSR","body":{"username":"Jürgen"}}`, SearchUsr{"Jürgen"}, 0},
		{`{"request":"state"}`, Unknown{"state"}, 0},
		{`{"request":5,"tokenid":5}`, Unknown{}, 5},
		{`{}`, Unknown{}, 0},
		{`{"request":"` + strings.Repeat("é", 100) + `"}`, Unknown{strings.Repeat("é", 32)}, 0},
	} {
		req, token, err := ParseRequest([]byte(test.in))
		if err != nil || !reflect.DeepEqual(req, test.want) || token != test.tok {
			t.Errorf("%s: got %#v, token %d, %v; want %#v, token %d", test.in, req, token, err, test.want, test.tok)
		}
	}
}

// TestMalformedBodiesSayWhatIsWanted takes every field of every request away, and puts something else in its place.
func TestMalformedBodiesSayWhatIsWanted(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"REGISTER", `{"passwd":"b"}`, "username: string"},
		{"LOGIN", `{"username":"b"}`, "passwd: string"},
		{"LOGIN", `{"username":null,"passwd":"b"}`, "username: string"},
		{"LOGIN", `{"username":5,"passwd":"b"}`, "username: string"},
		{"LOGIN", `[]`, "body: object"},
		{"STATE", `"x"`, "body: object"},
		{"PROFILE", `{"userid":"3"}`, "userid: number"},
		{"PROFILE", `null`, "userid: number"},
		{"PROFILE", `{"userid":1e3}`, "userid: number"},
		{"MODIFYPASSWD", `{"passwd":"b","newPasswd":null}`, "newPasswd: string"},
		{"MODIFYPASSWD", `{"passwd":"b","newPasswd":"c","username":1}`, "username: string"},
		{"MODIFYPROFILE", `{"username":"b","avatar":1}`, "avatar: string"},
		{"MODIFYPROFILE", `{"username":"b","userid":"x"}`, "userid: number"},
		{"ACKFETCH", `{}`, "timestamp: number"},
		{"FINDFILE", `{}`, "filemd5: string"},
		{"FETCHFILE", `{"msgmd5":["x"]}`, "msgmd5: string"},
		{"SEARCHUSR", `{}`, "username: string"},
		{"ADDCONTACT", `{}`, "userid: number"},
		{"SENDMSG", `{}`, "userid: number"},
		{"SENDMSG", strings.Replace(plainJSON, `"plaintext"`, `"video"`, 1), "contenttype: plaintext, image or file"},
		{"SENDMSG", strings.Replace(plainJSON, `1666500000000`, `"now"`, 1), "timestamp: number"},
		{"SENDMSG", strings.Replace(plainJSON, `"filemd5":null`, `"filemd5":1`, 1), "filemd5: string"},
	} {
		in := fmt.Sprintf(`{"request":%q,"tokenid":5,"body":%s}`, test.name, test.body)
		req, token, err := ParseRequest([]byte(in))
		if want := (Malformed{test.name, test.want}); err != nil || req != want || token != 5 {
			t.Errorf("%s: got %#v, token %d, %v; want %#v", in, req, token, err, want)
		}
	}
	for _, in := range []string{"", "x", "[]", "null", `"x"`, "5", `{"request":"STATE"`, "{}{}", strings.Repeat("[", 100_000)} {
		if req, _, err := ParseRequest([]byte(in)); err == nil {
			t.Errorf("%.20s: got %#v, want an error", in, req)
		}
	}
}

func TestResponsesThatCannotBe(t *testing.T) {
	for _, in := range []string{
		`x`, `{}`, `{"response":"STATE"}`, `{"response":"STATE","status":"MAYBE","info":null,"body":null}`,
		`{"response":"STATE","status":"ERR","info":null,"body":null}`, `{"response":"STATE","status":"ERR","info":"","body":null}`, `{"response":"STATE","status":"OK","info":"x","body":null}`,
		`{"response":"STATE","status":"OK","info":null,"body":[]}`, `{"response":"TOKEN","status":"OK","info":null,"body":{}}`,
		`{"response":"FETCHMSG","status":"OK","info":null,"body":{"messages":[{}]}}`,
		`{"response":"FETCHCONTACT","status":"OK","info":null,"body":{"contacts":[],"pending":[]}}`,
	} {
		if res, err := ParseResponse([]byte(in)); err == nil {
			t.Errorf("%s: got %#v, want an error", in, res)
		}
	}
}

// TestMessageMD5IsWhatClientsCompute: computed once by another program (md5 of b"hi" + struct.pack("<iii", 3, 4, low)).
func TestMessageMD5IsWhatClientsCompute(t *testing.T) {
	if got, want := MessageMD5([]byte("hi"), 3, 4, 1666500000000), *plain.MD5; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := MessageMD5(nil, 1, 2, 0), "23e8278e2b69a3a75fa59b23c49ed6ad"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
