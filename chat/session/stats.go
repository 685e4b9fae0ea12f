package session

// Stats counts what passed through one session.
type Stats struct {
	BytesReceived  uint64 // Read from the connection.
	BytesSent      uint64 // Given to the connection, which may not have delivered them.
	MessagesSent   uint64 // Enqueue calls whose bytes were given to the connection.
	Writes         uint64 // Calls of Write; fewer than MessagesSent where waiting messages were joined.
	QueuedBytes    int    // Waiting now, with those being written.
	QueuedBytesMax int    // The most that ever waited.
}

// Stats returns the session's counters, also after its end.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		BytesReceived:  s.receivedBytes.Load(),
		BytesSent:      s.sentBytes,
		MessagesSent:   s.sentMessages,
		Writes:         s.writes,
		QueuedBytes:    s.queuedBytes,
		QueuedBytesMax: s.queuedBytesMax,
	}
}
