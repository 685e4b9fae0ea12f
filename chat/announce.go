package chat

import (
	"context"
	"crypto/rand"
)

// Announce writes into an account's own log what has happened to the account, so that all its devices hear
// of it, now or when they come back: KindRequested, KindContact, KindContactGone, KindBlocked, KindUnblocked
// (about another account), KindProfile (text is a word that says what), KindRevoked (about a device). Whoever
// keeps accounts calls it after it has stored the change. On this node the change is in force when it
// returns, unless ctx has ended before. A device that is revoked is told so in any case, and is closed by whoever has it.
func (h *Hub) Announce(ctx context.Context, account string, kind Kind, about, text string) error {
	const op = "announce"
	switch kind {
	case KindRequested, KindContact, KindContactGone, KindBlocked, KindUnblocked, KindProfile, KindRevoked:
	default:
		panic("BUG: chat: Announce of " + kind.String())
	}
	rec := record{kind: kind, account: account, about: about, text: text}
	id := serverID("note/" + rand.Text())
	msg, err := h.cfg.Engine.Append(ctx, AccountLog(account), id, rec.encode())
	if err != nil {
		return engineError(op, err)
	}
	h.mu.RLock()
	a := h.accounts[account]
	h.mu.RUnlock()
	if a != nil {
		a.await(ctx, msg.Seq)
	}
	return nil
}
