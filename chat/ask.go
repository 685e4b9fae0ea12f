package chat

// An Answerer is the Receiver of a visitor who says what has become of what is said in its rooms, for those who Ask. Answer
// has done called, at once or later, with nil if the client has the message with that id or was not to have it, else with
// why not. The message may be one that has not been received yet. Answer is called like Receive.
type Answerer interface {
	Receiver
	Answer(id string, done func(err error))
}

// Ask asks the Answerers who were in the room when u said ev, on all other nodes as far as this one has heard of them, what has
// become of it. Those on this node are not asked. The receipt is good when all have it.
func (u *User) Ask(ev *Event) *Receipt {
	h := u.hub
	r := &Receipt{waiting: 1, all: true, done: make(chan struct{})} // 1 is for ourselves, until all have been asked.
	for _, node := range h.people.nodesAnswering(ev.RoomName) {
		r.expect()
		h.post.deliver(node, whisperTo{ask: true, to: ev.RoomName, text: ev.ID, seq: ev.Seq}, r)
	}
	r.settle(nil)
	return r
}

// nodesAnswering returns on which other nodes an Answerer sits in a room.
func (p *people) nodesAnswering(room string) (ids []nodeID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.nodes {
		for _, s := range n.seats[room] {
			if s.answers {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}

// answer asks the Answerers on this node who were there already when the message was said: others never receive it.
func (h *Hub) answer(ask whisperTo, receipt *Receipt) {
	h.mu.RLock()
	r := h.byName[ask.to]
	h.mu.RUnlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	for _, m := range r.members {
		if a, ok := m.receiver.(Answerer); ok && m.since < ask.seq {
			receipt.expect()
			a.Answer(ask.text, receipt.settle)
		}
	}
}

// FromElsewhere reports whether a visitor of another node has said ev, so that Answerers may be asked about it. It must only be
// called from within Receive.
func (ev *Event) FromElsewhere() bool {
	return ev.User != 0 && ev.room.hub.users.findDevice(device(ev.ID)) == nil
}
