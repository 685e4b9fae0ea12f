package stage

// A plainConn is a Conn with what plain datagrams add for the session to find.
type plainConn struct{ *Conn }

// Proven is told that the peer's address is its own.
func (c plainConn) Proven() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proven++
}

// Alive is told that the peer was heard elsewhere.
func (c plainConn) Alive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive++
}

// NoteAnswer is told that b, soon to be written, answers the last request.
func (c plainConn) NoteAnswer(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[string(b)]++
}

// LifeSigns returns how often the server has said that the peer was heard elsewhere. Only plain datagrams are told.
func (c *Conn) LifeSigns() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alive
}

// wasProven reports whether the server has said that the peer's address is its own.
func (c *Conn) wasProven() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proven > 0
}
