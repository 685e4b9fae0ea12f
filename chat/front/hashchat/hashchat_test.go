package hashchat

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/hashchat"
)

// cast makes the front-end of a transcript: numbered, users=A,B, cut, rate=N, burst=N.
func cast(t *testing.T, _ *stage.World, settings map[string]string, log *slog.Logger) []front.Front {
	cfg := Config{Logger: log}
	for key, value := range settings {
		n, _ := strconv.Atoi(value)
		switch key {
		case "numbered":
			cfg.Numbered = true
		case "users":
			cfg.Users = strings.Split(value, ",")
		case "cut":
			cfg.CutText = true
		case "rate":
			cfg.RequestsPerSecond = float64(n)
		case "burst":
			cfg.RequestsBurst = n
		default:
			t.Fatalf("no such setting: %s", key)
		}
	}
	return []front.Front{New(cfg)}
}

// whole reports whether b is nothing but whole lines that a server says.
func whole(b []byte) bool {
	for line := range strings.Lines(string(b)) {
		word, _, ok := strings.Cut(line, "#")
		if !ok || !strings.HasSuffix(line, "\n") || !slices.Contains([]string{"ONLINE", "MESSAGE", "CLOSE"}, word) {
			return false
		}
	}
	return true
}

func TestTranscripts(t *testing.T) { stage.Transcripts(t, cast, whole) }

func in(t *testing.T, settings map[string]string, f func(w *stage.World)) {
	t.Helper()
	stage.In(t, cast, settings, f)
}

func TestMatchTellsTheProtocolByItsFirstWord(t *testing.T) {
	f := New(Config{})
	for prefix, want := range map[string]front.Match{
		"CONN": front.More, "CONNECT": front.More, "CONNECT#": front.Yes, "\r\nCONNECT#bob": front.Yes, "\n": front.More,
		"CONNECT ": front.No, "REGISTER TOSEND": front.No, "HELO x": front.No, "connect#": front.No,
	} {
		if got := f.Match([]byte(prefix)); got != want {
			t.Errorf("%q: got %v, want %v", prefix, got, want)
		}
	}
}

// Every refusal of the core has an answer, but for those that cannot be here.
func TestEveryCoreCodeHasAnAnswer(t *testing.T) {
	impossible := []chat.Code{
		chat.CodeNotMember, chat.CodeNoRoom, chat.CodeSelf, chat.CodeNotAllowed, chat.CodeNotFound, chat.CodeTooMany,
		chat.CodeQuota, chat.CodeBadContent, chat.CodeStale, chat.CodeReused,
	}
	for code := chat.Code(1); !strings.HasPrefix(code.String(), "Code("); code++ {
		if got := answerTo(code); (got == unforeseen) != slices.Contains(impossible, code) {
			t.Errorf("%v: got answer %d", code, got)
		}
	}
}

// A conversation in one segment, in segments of one byte, and cut in two at every byte gets the same bytes.
func TestConversationCutAtEveryByte(t *testing.T) {
	text := "\r\nCONNECT#bob\r\nSEND#*#hi # there\nWHAT\nSEND#bob,bob,cat#to me\nCONNECT#cat\n\nSEND#*#é\nCLOSE#\n"
	want := "ONLINE#bob\nMESSAGE#bob#hi # there\nMESSAGE#bob#to me\nMESSAGE#bob#é\nCLOSE#\n"
	for cut := range len(text) + 1 {
		in(t, nil, func(w *stage.World) {
			c := w.Open("a", "hashchat", "tcp")
			pieces := []string{text[:cut], text[cut:]}
			if cut == len(text) {
				pieces = nil
				for i := range len(text) {
					pieces = append(pieces, text[i:i+1])
				}
			}
			got := ""
			for _, piece := range pieces {
				c.Send(piece)
				got += w.Got(c)
			}
			time.Sleep(time.Second)
			if got += w.Got(c); got != want {
				t.Errorf("cut at %d: got %q, want %q", cut, got, want)
			}
			if got := w.Ended(); !slices.Equal(got, []string{"a: " + ErrGoodbye.Error()}) {
				t.Errorf("cut at %d: got ends %q", cut, got)
			}
		})
	}
}

// In a crowd not everybody is told of everything at once, but all have the same list in the end, and every newcomer
// has one with its name first of all.
func TestCrowdIsToldOncePerSecond(t *testing.T) {
	const many = crowdMin + 50
	in(t, nil, func(w *stage.World) {
		first := w.Open("first", "hashchat", "tcp")
		first.Send("CONNECT#first\n")
		w.Got(first)
		var all []*stage.Conn
		for i := range many {
			name := fmt.Sprint("n", i)
			c := w.Open(name, "hashchat", "tcp")
			c.Send("CONNECT#" + name + "\n")
			if got := w.Got(c); !strings.HasPrefix(got, "ONLINE#first,") || !strings.HasSuffix(got, ","+name+"\n") && i > 0 {
				t.Fatalf("%s got %.40q…, want the list with its name", name, got)
			}
			all = append(all, c)
		}
		lines := strings.Count(w.Got(first), "\n")
		if lines < crowdMin-5 || lines > crowdMin {
			t.Errorf("the first got %d lists at once, want one for each of the first %d", lines, crowdMin)
		}
		time.Sleep(crowdPause + time.Millisecond)
		got := w.Got(first)
		if !strings.HasSuffix(got, fmt.Sprintf(",n%d\n", many-1)) || strings.Count(got, "\n") != 1 {
			t.Errorf("a second later the first got %.40q…, want one list of all", got)
		}
		if late := w.Got(all[many-1]); late != "" {
			t.Errorf("the last one got %.40q… again", late)
		}
		for _, c := range all[:many-10] {
			c.Lose()
		}
		time.Sleep(2 * crowdPause)
		if got := w.Got(first); !strings.HasSuffix(got, fmt.Sprintf("ONLINE#first,n%d,n%d,n%d,n%d,n%d,n%d,n%d,n%d,n%d,n%d\n",
			many-10, many-9, many-8, many-7, many-6, many-5, many-4, many-3, many-2, many-1)) {
			t.Errorf("when most had gone the first got %.80q…", got)
		}
	})
}

// Who does not read is cut off, and the others are not held up.
func TestSlowReaderIsCutOff(t *testing.T) {
	in(t, map[string]string{"rate": "-1"}, func(w *stage.World) {
		slow, quick := w.Open("slow", "hashchat", "tcp"), w.Open("quick", "hashchat", "tcp")
		slow.Send("CONNECT#slow\n")
		w.Got(slow)
		slow.Stick()
		quick.Send("CONNECT#quick\n")
		text := strings.Repeat("x", wire.TextBytesMax)
		for range 20 {
			quick.Send("SEND#*#" + text + "\n")
			w.Got(quick)
		}
		if got := w.Ended(); len(got) != 1 || !strings.HasPrefix(got[0], "slow: ") {
			t.Errorf("got ends %q, want that of the slow one", got)
		}
	})
}

// The first line a client ever gets is ONLINE, also if somebody whispers to its name before that.
func TestNothingComesBeforeTheFirstList(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	s := session.New(ours, session.Config{})
	defer s.Close(nil)
	m := &member{front: New(Config{}), session: s}
	if err := m.push([]byte("MESSAGE#ann#early\n")); !errors.Is(err, chat.ErrNotTaken) {
		t.Errorf("got %v", err)
	}
	m.show([]byte("ONLINE#bob\n"))
	buf := make([]byte, 100)
	n, err := theirs.Read(buf)
	if got := string(buf[:n]); got != "ONLINE#bob\n" {
		t.Errorf("first got %q, %v", got, err)
	}
}
