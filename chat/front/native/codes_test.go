package native

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/native"
)

// Every refusal of the core and of the accounts has a code of the protocol: none is taken for a mistake of ours.
func TestEveryRefusalHasACode(t *testing.T) {
	for c := chat.Code(1); !strings.HasPrefix(c.String(), "Code("); c++ {
		if e := errorReply(&chat.Error{Op: "x", Code: c}, slog.New(slog.DiscardHandler)); e.Code == wire.CodeInternal || e.Text == "" {
			t.Errorf("core's %v: got %+v", c, e)
		}
	}
	for c := account.Code(1); c.String() != "invalid"; c++ {
		if e := errorReply(&account.Error{Op: "x", Code: c}, slog.New(slog.DiscardHandler)); e.Code == wire.CodeInternal || e.Text == "" {
			t.Errorf("accounts' %v: got %+v", c, e)
		}
	}
}

// What the store cannot do now is said to be so; what nobody foresaw is logged under a reference, and only that is said.
func TestStoreErrorsAreTold(t *testing.T) {
	for err, want := range map[error]wire.Code{
		chat.ErrFull: wire.CodeUnavailable, chat.ErrUnwritable: wire.CodeUnavailable, chat.ErrTooLarge: wire.CodeTooLong, chat.ErrClosed: wire.CodeShuttingDown,
		errors.New("secret"): wire.CodeInternal,
	} {
		var log lockedText
		e := errorReply(fmt.Errorf("append: %w", err), slog.New(slog.NewTextHandler(&log, nil)))
		if e.Code != want || strings.Contains(e.Text, "secret") {
			t.Errorf("%v: got %+v, want %v", err, e, want)
		}
		if want == wire.CodeInternal && (e.Reference == "" || !strings.Contains(log.String(), "ref="+e.Reference)) {
			t.Errorf("%v: reference %q is not in the log: %s", err, e.Reference, log.String())
		}
	}
}
