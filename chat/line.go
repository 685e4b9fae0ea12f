package chat

// A line is how a goroutine of the Hub sends to all nodes and hears them, on one log that promises nothing. Owned by that
// goroutine.
type line struct {
	hub  *Hub
	log  string
	stop func() // Ends hearing; nil: nothing is heard yet.

	deaf, mute bool // The last attempt to hear, or to send, has failed, which was logged.
}

// listen begins to hear, unless that was done or fails, and reports whether it has.
func (l *line) listen(take func(Msg)) (begun bool) {
	if l.stop != nil {
		return false
	}
	stop, err := l.hub.cfg.Engine.Subscribe(l.log, take)
	l.note(&l.deaf, "other nodes are not heard", err)
	if err != nil {
		return false
	}
	l.stop = stop
	return true
}

// send sends to all nodes. What does not get through is asked for, or sent again, later.
func (l *line) send(b []byte) {
	l.note(&l.mute, "other nodes are not told", l.hub.cfg.Engine.Send(l.log, b))
}

// note logs the first failure of many: an engine that is away is asked again and again.
func (l *line) note(failed *bool, what string, err error) {
	if err != nil && !*failed {
		l.hub.log.Warn(what, "room", l.log, "err", err)
	}
	*failed = err != nil
}

// close is the end of hearing.
func (l *line) close() {
	if l.stop != nil {
		l.stop()
	}
}
