package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// That an account has a direct conversation is a record, conversations/<account>/<peer>, made before
// its first message: first the peer's, as one the peer has said nothing in, then the two KindConversation in the
// logs of both, then one's own, as one that is announced. Whoever has no announced one of its own does all
// of it once more, with the same ids.
const (
	conversationBucket    = "conversations"
	conversationNoted     = "\x00" // The peer has begun it, or is about to.
	conversationAnnounced = "\x01"
)

func conversationKey(account, peer string) string { return account + "/" + peer }

// Direct attaches to the direct conversation with peer, whose log is DirectLog. The peer is told of
// nothing before something is said. It refuses with CodeSelf, CodeNoUser, CodeClosed or CodeShuttingDown.
func (d *Device) Direct(ctx context.Context, peer string) (Place, error) {
	const op = "direct"
	if err := d.refuseClosed(op); err != nil {
		return Place{}, err
	}
	if err := d.meet(ctx, op, peer); err != nil {
		return Place{}, err
	}
	return d.attach(ctx, op, DirectLog(d.account.name, peer), cursor{})
}

// refuseBlocked refuses if one of the two has blocked the other.
func (d *Device) refuseBlocked(ctx context.Context, op, peer string) error {
	if d.account.blocks(peer) {
		return d.hub.refuse(op, CodeBlocked, 0, "you have blocked this user")
	}
	blocked, err := d.hub.cfg.Accounts.Blocks(ctx, peer, d.account.name)
	switch {
	case err != nil:
		return engineError(op, err)
	case blocked:
		return d.hub.refuse(op, CodeBlocked, 0, "this user has blocked you")
	}
	return nil
}

// converse sees to it that both know of the conversation.
func (d *Device) converse(ctx context.Context, op, peer string) error {
	a := d.account
	if a.converses(peer) {
		return nil
	}
	entry, err := d.hub.cfg.Engine.Get(ctx, conversationBucket, conversationKey(a.name, peer))
	if err == nil && string(entry.Val) != conversationAnnounced || errors.Is(err, ErrNotFound) {
		err = d.beginConversation(ctx, op, peer, entry.Rev)
	}
	if err != nil {
		return engineError(op, err)
	}
	a.noteConverses(peer)
	return nil
}

// beginConversation announces it. rev is the revision of the account's own record; 0 if there is none.
func (d *Device) beginConversation(ctx context.Context, op, peer string, rev uint64) error {
	a, engine := d.account.name, d.hub.cfg.Engine
	if rev == 0 {
		had, err := engine.List(ctx, conversationBucket, conversationKey(a, ""))
		if err != nil {
			return err
		}
		if len(had) >= conversationsMax {
			return d.hub.refuse(op, CodeTooMany, 0, fmt.Sprintf("the most is %d direct conversations", conversationsMax))
		}
	}
	if err := d.hub.noteConversation(ctx, peer, a, conversationNoted, 0); err != nil {
		return err
	}
	for _, side := range [][2]string{{peer, a}, {a, peer}} {
		note := record{kind: KindConversation, account: side[0], name: side[0], about: side[1]}
		if _, err := engine.Append(ctx, AccountLog(side[0]), serverID(DirectLog(a, peer)), note.encode()); err != nil {
			return err
		}
	}
	return d.hub.noteConversation(ctx, a, peer, conversationAnnounced, rev)
}

// noteConversation writes a record. If somebody else was quicker that is as good.
func (h *Hub) noteConversation(ctx context.Context, account, peer, val string, rev uint64) error {
	_, err := h.cfg.Engine.Put(ctx, conversationBucket, conversationKey(account, peer), []byte(val), rev)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// conversations returns with whom account has direct conversations.
func (h *Hub) conversations(ctx context.Context, account string) ([]string, error) {
	prefix := conversationKey(account, "")
	entries, err := h.cfg.Engine.List(ctx, conversationBucket, prefix)
	if err != nil {
		return nil, err
	}
	peers := make([]string, len(entries))
	for i, entry := range entries {
		peers[i] = strings.TrimPrefix(entry.Key, prefix)
	}
	return peers, nil
}

// A Conversation is a room of which an account is a member, or a direct conversation.
type Conversation struct {
	Log  string // The room, or DirectLog.
	Peer string // With whom, if it is a direct conversation.
	Head uint64 // Seq of the last message.
	Read uint64 // How far the account has read it: its read marker.
}

// Conversations returns the rooms of which the account is a member and then its direct conversations,
// each in the order of their names. It refuses with CodeClosed or CodeShuttingDown.
func (d *Device) Conversations(ctx context.Context) ([]Conversation, error) {
	const op = "list conversations"
	if err := d.refuseClosed(op); err != nil {
		return nil, err
	}
	peers, err := d.hub.conversations(ctx, d.account.name)
	if err != nil {
		return nil, engineError(op, err)
	}
	var list []Conversation
	for _, room := range d.Rooms() {
		list = append(list, Conversation{Log: room})
	}
	for _, peer := range peers {
		list = append(list, Conversation{Log: DirectLog(d.account.name, peer), Peer: peer})
	}
	logs := make([]string, len(list))
	for i, c := range list {
		logs[i] = c.Log
	}
	heads, err := d.hub.cfg.Engine.Heads(ctx, logs)
	if err != nil {
		return nil, engineError(op, err)
	}
	for i, head := range heads {
		list[i].Head, list[i].Read = head, d.account.marked(list[i].Log)
	}
	return list, nil
}
