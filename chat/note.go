package chat

// A Note is what a front-end has to say, in words of its own, to those of its protocol who serve another account: past every room
// and every log, and stored nowhere.
type Note struct {
	From string // The account on whose behalf it is, by its canonical name.
	Text string // Begins with the protocol's name. At most Config.MessageBytesMax bytes.
}

// A Correspondent is the Receiver of a device that takes notes. Note returns nil if that is for it, else ErrNotTaken, or
// ErrNotUnderstood, which is the only other thing that its sender may hear of. It is called like Receive.
type Correspondent interface {
	Receiver
	Note(n Note) error
}

// Note gives n to the Correspondents among the devices of an account, on any node as far as this one has heard of them. It
// returns at once; the receipt is good when one of them has taken it. If a node is lost on the way the receipt says so, in
// time, and whether it was taken nobody knows.
func (h *Hub) Note(to string, n Note) *Receipt {
	r := &Receipt{waiting: 1, done: make(chan struct{})} // 1 is for ourselves, until all have been told.
	err := ErrNotTaken
	switch {
	case h.isClosed():
		err = h.refuse("note", CodeShuttingDown, 0, "")
	case len(n.Text) > h.cfg.MessageBytesMax:
		err = h.refuse("note", CodeTooLong, 0, "")
	default:
		h.tellEverywhere(whisperTo{to: to, from: n.From, text: n.Text, account: true, note: true}, r)
	}
	r.settle(err)
	return r
}

// giveNote gives a note to the devices of an account on this node, and returns to how many.
func (h *Hub) giveNote(w whisperTo, r *Receipt) int {
	h.mu.RLock()
	a := h.accounts[w.to]
	h.mu.RUnlock()
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	given := 0
	for _, d := range a.devices {
		d.mu.Lock()
		if c, ok := d.receiver.(Correspondent); ok && !d.closed {
			given++
			r.expect()
			r.settle(c.Note(Note{From: w.from, Text: w.text}))
		}
		d.mu.Unlock()
	}
	return given
}
