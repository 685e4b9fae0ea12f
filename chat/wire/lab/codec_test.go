package lab

import (
	"slices"
	"strings"
	"testing"

	"udpchat/chat/wire/internal/wiretest"
)

func TestAppendRequestSpellsBothDialects(t *testing.T) {
	tests := []struct {
		req             Request
		spaced, compact string
	}{
		{Helo{"HELO x"}, "HELO x\n", "HELO x\n"},
		{Kill{}, "KILL_SERVICE\n", "KILL_SERVICE\n"},
		{join, joinText, strings.ReplaceAll(joinText, ": ", ":")},
		{Leave{"1", "2", "c"}, "LEAVE_CHATROOM: 1\nJOIN_ID: 2\nCLIENT_NAME: c\n", "LEAVE_CHATROOM: 1\nJOIN_ID: 2\nCLIENT_NAME: c\n"},
		{Chat{"1", "2", "c", "hi"}, "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: hi\n\n", "CHAT: 1\nJOIN_ID: 2\nCLIENT_NAME: c\nMESSAGE: hi\n\n"},
		{Disconnect{"0", "0", "c"}, "DISCONNECT: 0\nPORT: 0\nCLIENT_NAME: c\n", "DISCONNECT:0\nPORT:0\nCLIENT_NAME:c\n"},
		{Unknown{"ANYTHING"}, "ANYTHING\n", "ANYTHING\n"},
	}
	for _, test := range tests {
		if got := string(AppendRequest(nil, test.req, Spaced)); got != test.spaced {
			t.Errorf("%#v spaced: got %q, want %q", test.req, got, test.spaced)
		}
		if got := string(AppendRequest(nil, test.req, Compact2015)); got != test.compact {
			t.Errorf("%#v compact: got %q, want %q", test.req, got, test.compact)
		}
	}
}

func TestReplyDecoderReadsWhatAppendReplyWrites(t *testing.T) {
	tests := []struct {
		reply Reply
		text  string
	}{
		{HeloReply{"HELO BASE_TEST", "10.0.0.1", "4000", "42"}, "HELO BASE_TEST\nIP:10.0.0.1\nPort:4000\nStudentID:42\n"},
		{Joined{"room1", "10.0.0.1", "4000", "1", "7"}, "JOINED_CHATROOM: room1\nSERVER_IP: 10.0.0.1\nPORT: 4000\nROOM_REF: 1\nJOIN_ID: 7\n"},
		{Left{"1", "7"}, "LEFT_CHATROOM: 1\nJOIN_ID: 7\n"},
		{ChatMessage{"1", "c", "hi\nthere"}, "CHAT: 1\nCLIENT_NAME: c\nMESSAGE: hi\nthere\n\n"},
		{ErrorReply{CodeNotMember, "not in room 7"}, "ERROR_CODE: 4\nERROR_DESCRIPTION: not in room 7\n"},
		{UnknownReply{"whatever"}, "whatever\n"},
	}
	var all string
	var want outcome
	for _, test := range tests {
		if got := string(AppendReply(nil, test.reply)); got != test.text {
			t.Errorf("%#v: got %q, want %q", test.reply, got, test.text)
		}
		all += test.text
		want = append(want, wiretest.Values(test.reply)...)
	}
	for cut := 0; cut <= len(all); cut++ {
		if got := decodeReplies(false, all[:cut], all[cut:]); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: got %v, want %v", cut, got, want)
		}
	}
}

func TestReplyDecoderTakesOtherServers(t *testing.T) {
	tests := []struct {
		name, in string
		want     outcome
	}{
		{"helo with spaces and carriage returns", "HELO a\r\nIP: 1.2.3.4\r\nPort: 1\r\nStudentID: x\r\n", wiretest.Values[Reply](HeloReply{"HELO a", "1.2.3.4", "1", "x"})},
		{"no last newline", "LEFT_CHATROOM:1\nJOIN_ID:2", wiretest.Values[Reply](Left{"1", "2"})},
		{"code is a word", "ERROR_CODE: x\nERROR_DESCRIPTION: y\n", outcome{`error "ERROR_CODE: x" want an integer`}},
	}
	for _, test := range tests {
		if got := decodeReplies(true, test.in); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAppendKeepsValuesInTheirLine(t *testing.T) {
	got := string(AppendError(nil, ErrorReply{CodeMalformed, "a\nERROR_CODE: 2"}))
	if want := "ERROR_CODE: 1\nERROR_DESCRIPTION: a ERROR_CODE: 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for text, want := range map[string]string{
		"":               "",
		"\n\n":           "",
		"a\n\nCHAT: 1":   "a\n \nCHAT: 1",
		"a\r\n\r\nb\r\n": "a\n \nb",
		"\n\nb":          "\n \nb",
		" a ":            " a ",
	} {
		b := AppendChatMessage(nil, ChatMessage{"1", "c", text})
		if got, want := decodeReplies(false, string(b)), wiretest.Values[Reply](ChatMessage{"1", "c", want}); !slices.Equal(got, want) {
			t.Errorf("text %q: got %v, want %v", text, got, want)
		}
	}
}
