package chat

import (
	"context"
	"errors"
	"strings"
)

// Forget removes what is kept for an account that is no more, of which no device is logged in: it leaves its
// rooms, and its list of conversations, its read markers and its own log are gone. What it has said stays. After
// an error some of it is left; asking again goes on. Whoever keeps accounts calls it, and lets nobody have the name
// again.
func (h *Hub) Forget(ctx context.Context, account string) error {
	const op = "forget"
	engine := h.cfg.Engine
	prefix := enrolmentKey(account, "")
	entries, err := engine.List(ctx, enrolmentBucket, prefix)
	if err != nil {
		return engineError(op, err)
	}
	for _, entry := range entries {
		if _, err := h.discharge(ctx, account, account, strings.TrimPrefix(entry.Key, prefix)); err != nil {
			return engineError(op, err)
		}
	}
	for _, bucket := range []string{conversationBucket, markBucket} {
		entries, err := engine.List(ctx, bucket, account+"/")
		if err != nil {
			return engineError(op, err)
		}
		for _, entry := range entries {
			if err := engine.Delete(ctx, bucket, entry.Key, 0); err != nil && !errors.Is(err, ErrNotFound) {
				return engineError(op, err)
			}
		}
	}
	return engineError(op, engine.Drop(ctx, AccountLog(account), notYet, 0))
}
