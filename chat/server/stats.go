package server

import "udpchat/chat/session"

// Stats counts what a server did since New. All but Sessions and QueuedBytes only grow.
type Stats struct {
	Sessions       int    // Living now.
	Accepted       uint64 // Connections that became sessions.
	Ended          uint64 // Sessions that ended, for any reason.
	EndedSlow      uint64 // Of them, those whose peer took messages too slowly.
	Panics         uint64 // Of them, those whose front-end panicked.
	RefusedRate    uint64 // Connections closed because their network opened too many at once,
	RefusedNetwork uint64 // because it has too many sessions,
	RefusedFull    uint64 // or because the server has.
	RefusedTLS     uint64 // Sessions ended because too many TLS handshakes were under way.
	AcceptErrors   uint64 // Failures of Accept that were waited out.

	// Sums over all sessions; see session.Stats.
	BytesReceived uint64
	BytesSent     uint64
	MessagesSent  uint64
	QueuedBytes   int
}

// add counts what passed through a session.
func (s *Stats) add(t session.Stats) {
	s.BytesReceived += t.BytesReceived
	s.BytesSent += t.BytesSent
	s.MessagesSent += t.MessagesSent
	s.QueuedBytes += t.QueuedBytes
}

// Stats returns the counters. It looks at every living session, so it is for every few seconds.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Sessions = len(s.sessions)
	for sess := range s.sessions {
		stats.add(sess.Stats())
	}
	return stats
}
