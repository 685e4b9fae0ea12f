package front

import (
	"context"
	"errors"
	"log/slog"

	"udpchat/chat"
)

// StoreTrouble returns what clients are told about an error that says that the store cannot do now what it should: it is full,
// cannot be written to or does not answer. That is no mistake of the server, but somebody must know, so it is logged, too.
// Empty: it is another error.
func StoreTrouble(err error, log *slog.Logger) string {
	var text string
	switch {
	case errors.Is(err, chat.ErrFull):
		text = "the store is full"
	case errors.Is(err, chat.ErrUnwritable):
		text = "the store cannot be written to"
	case errors.Is(err, context.DeadlineExceeded):
		text = "the store does not answer"
	default:
		return ""
	}
	log.Warn(text, "err", err)
	return text
}
