package native

import (
	"context"

	wire "udpchat/chat/wire/native"
)

// private carries out Private: the message goes to the peer's devices, on whatever node they are.
func (l *login) private(ctx context.Context, m wire.Private) error {
	peer, err := l.other(ctx, m.Peer)
	if err != nil {
		return err
	}
	if err := l.refuseBlocked(ctx, peer); err != nil {
		return err
	}
	if !l.conn.hub.IsOnline(peer) {
		return refusef(wire.CodeNotThere, "not online")
	}
	out := m
	out.Peer, out.Device, out.Seen = l.account, l.receiver.device, l.conn.session.RemoteAddr().String()
	return l.front.sendNote(note{account: peer, device: m.Device, push: wire.AppendPush(nil, out)})
}

// other returns the canonical name of another account than one's own.
func (l *login) other(ctx context.Context, name string) (string, error) {
	who, err := l.front.cfg.Accounts.Lookup(ctx, name)
	if err != nil {
		return "", err
	}
	if who.Name == l.account {
		return "", refusef(wire.CodeSelf, "that is yourself")
	}
	return who.Name, nil
}

// refuseBlocked refuses if one of the two has blocked the other.
func (l *login) refuseBlocked(ctx context.Context, peer string) error {
	for _, b := range []struct{ who, whom, text string }{
		{l.account, peer, "you have blocked this user"}, {peer, l.account, "this user has blocked you"},
	} {
		blocked, err := l.front.cfg.Accounts.Blocks(ctx, b.who, b.whom)
		if err != nil {
			return err
		}
		if blocked {
			return refusef(wire.CodeBlocked, "%s", b.text)
		}
	}
	return nil
}
