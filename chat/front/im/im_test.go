package im

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/im"
)

// cast makes the front-end of a transcript: users=A,B are there already, each with its name as its password; timeout=SECONDS,
// block=SECONDS, rate=N, burst=N.
func cast(t *testing.T, accounts *account.Service, settings map[string]string, log *slog.Logger) []front.Front {
	cfg := Config{Accounts: accounts, Logger: log}
	for key, value := range settings {
		n, _ := strconv.Atoi(value)
		switch key {
		case "users":
			for name := range strings.SplitSeq(value, ",") {
				secret, err := passwd.Clear(name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := accounts.Register(t.Context(), account.Attempt{}, name, secret); err != nil {
					t.Fatal(err)
				}
			}
		case "timeout":
			cfg.Timeout = time.Duration(n) * time.Second
		case "block":
			cfg.BlockDuration = time.Duration(n) * time.Second
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

// onePacket reports whether b is one packet that a client can read at once.
func onePacket(b []byte) bool {
	_, err := wire.ParseReply(b)
	return err == nil && len(b) <= wire.ReplyBytesMax
}

func TestTranscripts(t *testing.T) { stage.TranscriptsWithAccounts(t, cast, onePacket) }

// TestNothingComesBeforeTheAnswerToALogIn: the client takes the next packet for it, whatever it is.
func TestNothingComesBeforeTheAnswerToALogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := stage.NewConn("hans")
		o := &out{session: session.New(conn, session.Config{})}
		o.hold()
		o.notice("yoda has logged in\n")
		o.reply(wire.Invite{Message: "yoda would like to", Origin: "yoda"})
		time.Sleep(time.Second)
		synctest.Wait()
		if early, _ := conn.Take(); len(early) > 0 {
			t.Errorf("before the answer: got %q", early)
		}
		o.release(ok("success"))
		time.Sleep(time.Second)
		synctest.Wait()
		want := []string{"[200] success", "[200] yoda has logged in\n", `[P2P] {"message": "yoda would like to", "origin": "yoda"}`}
		var got []string
		writes, _ := conn.Take()
		for _, b := range writes {
			got = append(got, string(b))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		o.session.Close(nil)
	})
}
