package stage_test

import (
	"log/slog"
	"testing"

	"udpchat/chat/account"
	"udpchat/chat/front"
	"udpchat/chat/front/hashchat"
	"udpchat/chat/front/im"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/front/lab"
	"udpchat/chat/front/relay"
)

// makeFronts makes front-ends as one port of the server has them.
func makeFronts(t *testing.T, accounts *account.Service, settings map[string]string, log *slog.Logger) []front.Front {
	if len(settings) > 0 {
		t.Fatalf("no such settings: %v", settings)
	}
	return []front.Front{
		relay.New(relay.Config{Logger: log}),
		im.New(im.Config{Accounts: accounts, Logger: log}),
		hashchat.New(hashchat.Config{Logger: log}),
		lab.New(lab.Config{StudentID: "1", Logger: log}),
	}
}

// TestTranscripts plays conversations of clients that speak different protocols: their first bytes say which.
func TestTranscripts(t *testing.T) { stage.TranscriptsWithAccounts(t, makeFronts, nil) }
