package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"udpchat/chat"
)

func TestStoreTroubleIsToldAndNothingElse(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for err, want := range map[error]string{
		chat.ErrFull: "the store is full", chat.ErrUnwritable: "the store cannot be written to",
		context.DeadlineExceeded: "the store does not answer", errors.New("secret"): "", chat.ErrNotFound: "",
	} {
		if got := StoreTrouble(fmt.Errorf("account: put: %w", err), log); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
