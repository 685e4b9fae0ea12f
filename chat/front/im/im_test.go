package im

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/passwd"
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
