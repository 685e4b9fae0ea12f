package labtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// told is a message as text: kind, then fields in the order they came.
func told(m *message) string {
	s := string(m.kind)
	for _, key := range m.keys {
		s += fmt.Sprintf(" %s=%q", key, m.fields[m.alias(key)])
	}
	for name, on := range map[string]bool{"incomplete": !m.complete, "unended": !m.ended, "crlf": m.crlf, "tight": m.tight, "inside": m.blankInside} {
		if on {
			s += " " + name
		}
	}
	return s
}

// all parses everything, as after a lull.
func all(text string) (messages []string, blanks int) {
	b := []byte(text)
	for {
		m, n, before, ok := parse(b, true)
		blanks += before
		b = b[n:]
		if !ok {
			return messages, blanks
		}
		messages = append(messages, told(m))
	}
}

func TestParseUnderstandsWhatServersSend(t *testing.T) {
	tests := []struct{ text, want string }{
		{"HELO x\nIP:1.2.3.4\nPort:5\nStudentID:6\n", `HELO reply HELO="HELO x" IP="1.2.3.4" Port="5" StudentID="6" tight`},
		{"JOINED_CHATROOM: r\nSERVER_IP: a\nPORT: 1\nROOM_REF: 2\nJOIN_ID: 3\n",
			`JOINED_CHATROOM JOINED_CHATROOM="r" SERVER_IP="a" PORT="1" ROOM_REF="2" JOIN_ID="3"`},
		{"SERVER_IP: a\nJOINED_CHATROOM: r\nPORT: 1\nROOM_REF: 2\nJOIN_ID: 3\n",
			`JOINED_CHATROOM SERVER_IP="a" JOINED_CHATROOM="r" PORT="1" ROOM_REF="2" JOIN_ID="3"`},
		{"LEFT_CHATROOM: 1\nJOIN_ID: 2", `LEFT_CHATROOM LEFT_CHATROOM="1" JOIN_ID="2" unended`},
		{"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\n\n", `CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="b"`},
		{"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\nCHAT: 1\nCLIENT_NAME: a\nMESSAGE: c\n\n",
			`CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="b" unended|CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="c"`},
		{"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: two\nCHAT: lines\n\n", `CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="two\nCHAT: lines"`},
		{"CHAT: 1\nMESSAGE: b\nCLIENT_NAME: a\n\n", `CHAT CHAT="1" MESSAGE="b" CLIENT_NAME="a"`},
		{"CHAT: 1\r\nCLIENT_NAME: a\r\nMESSAGE: b\r\n\r\n", `CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="b" crlf`},
		{"JOINED_CHATROOM: r\nSERVER_IP: a\nCHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\n\n",
			`JOINED_CHATROOM JOINED_CHATROOM="r" SERVER_IP="a" incomplete|CHAT CHAT="1" CLIENT_NAME="a" MESSAGE="b"`},
		{"LEFT_CHATROOM: 1\n\nJOIN_ID: 2\n", `LEFT_CHATROOM LEFT_CHATROOM="1" JOIN_ID="2" inside`},
		{"ERROR_CODE:3\nERROR_DESCRIPTION:x\n", `ERROR_CODE ERROR_CODE="3" ERROR_DESCRIPTION="x" tight`},
		{"who are you?\nLEFT_CHATROOM: 1\nJOIN_ID: 2\n", `text of no known kind|LEFT_CHATROOM LEFT_CHATROOM="1" JOIN_ID="2"`},
		{"joined_chatroom: r\nSERVER_IP: a\nPORT: 1\nROOM_REF: 2\nJOIN_ID: 3\n",
			`JOINED_CHATROOM joined_chatroom="r" SERVER_IP="a" PORT="1" ROOM_REF="2" JOIN_ID="3"`},
		{"\n\n\n", ""},
		{":", "text of no known kind unended"},
	}
	for _, tt := range tests {
		got, _ := all(tt.text)
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, s, tt.want)
		}
	}
}

func TestParseCountsEmptyLines(t *testing.T) {
	for text, want := range map[string]int{
		"LEFT_CHATROOM: 1\nJOIN_ID: 2\n\nLEFT_CHATROOM: 1\nJOIN_ID: 2\n": 1,
		"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\n\n":                        0,
		"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\n\n\n":                      1,
		"\nHELO x\nIP:1\nPort:5\nStudentID:6\n\n\n":                      3,
	} {
		if _, got := all(text); got != want {
			t.Errorf("%q: %d empty lines, want %d", text, got, want)
		}
	}
}

// However a stream is cut, the same messages come out of it.
func TestParseDoesNotDependOnCuts(t *testing.T) {
	const text = "HELO x\nIP:1.2.3.4\nPort:5\nStudentID:6\nJOINED_CHATROOM: r\nSERVER_IP: a\nPORT: 1\nROOM_REF: 2\nJOIN_ID: 3\n" +
		"CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\nc: d\n\n\nLEFT_CHATROOM: 1\nJOIN_ID: 2\nERROR_CODE: 3\nERROR_DESCRIPTION: x\n"
	want, _ := all(text)
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var got []string
		var b []byte
		rest := text
		for rest != "" {
			n := min(1+random.IntN(20), len(rest))
			b = append(b, rest[:n]...)
			rest = rest[n:]
			for {
				m, size, _, ok := parse(b, false)
				b = b[size:]
				if !ok {
					break
				}
				got = append(got, told(m))
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

// Whatever a server sends, parsing it ends and uses it up.
func FuzzParse(f *testing.F) {
	f.Add([]byte("CHAT: 1\nCLIENT_NAME: a\nMESSAGE: b\n\nLEFT_CHATROOM: 1\nJOIN_ID: 2\n"))
	f.Add([]byte("SERVER_IP: a\n\nJOINED_CHATROOM: r\nHELO\nMESSAGE:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			m, n, _, ok := parse(b, true)
			if ok != (m != nil) || n < 0 || n > len(b) || ok && n == 0 {
				t.Fatalf("%q: %d bytes, %v", b, n, ok)
			}
			if b = b[n:]; !ok {
				break
			}
		}
		if len(strings.TrimSpace(string(b))) > 0 {
			t.Fatalf("left over: %q", b)
		}
	})
}
