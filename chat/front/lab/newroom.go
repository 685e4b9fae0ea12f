package lab

import (
	"time"

	wire "udpchat/chat/wire/lab"
)

// enterRoom makes room for a JOIN of that room. If the room would be a new one, which the server then has for ever, it
// counts against the peer's limit, and is refused beyond it. done is to be called when the JOIN is over: what has made no
// room has cost nothing.
func (p *peer) enterRoom(name string) (done func(), err error) {
	if _, ok := p.hub.RoomNamed(name); ok {
		return func() {}, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.newRooms.Take(time.Now(), newRoomsPerSecond, newRoomsBurst) {
		return nil, refusef(wire.CodeRateLimited, "too many new rooms")
	}
	return func() {
		if _, ok := p.hub.RoomNamed(name); ok {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.newRooms.GiveBack()
	}, nil
}
