package native

import (
	"time"

	wire "udpchat/chat/wire/native"
)

// refuseNewRoom refuses to join a room of which the server knows nothing yet, if the account or its network has joined
// too many such rooms: it would know it for ever.
func (l *login) refuseNewRoom(room string) error {
	if _, known := l.conn.hub.RoomNamed(room); known {
		return nil
	}
	now, made := time.Now(), &l.front.newRooms
	wait := made.accounts.take(now, l.account, 1)
	if n, limited := network(l.conn.session.RemoteAddr().Addr()); limited && wait == 0 {
		wait = made.networks.take(now, n, 1)
	}
	if wait > 0 {
		return wire.Error{Code: wire.CodeRateLimited, Text: "too many new rooms", RetryAfter: wire.For(wait)}
	}
	return nil
}
