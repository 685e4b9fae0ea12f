package session

import "context"

// Drained waits until at most queuedBytes wait for the peer. Whoever has more to say than an outbox holds, such as a
// file, says it in pieces and waits here between them; a peer that takes nothing ends the session, as ever. It returns
// an error if the session or ctx has ended. Any number of goroutines may wait.
func (s *Session) Drained(ctx context.Context, queuedBytes int) error {
	for {
		written, err := s.awaitWrite(queuedBytes)
		if written == nil {
			return err
		}
		select {
		case <-written:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitWrite returns a channel that is closed after the next write or the session's end; nil if there is nothing to
// wait for.
func (s *Session) awaitWrite(queuedBytes int) (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.end != nil:
		return nil, s.end
	case s.queuedBytes <= queuedBytes:
		return nil, nil
	case s.written == nil:
		s.written = make(chan struct{})
	}
	return s.written, nil
}

// wroteLocked tells who waits in Drained.
func (s *Session) wroteLocked() {
	if s.written != nil {
		close(s.written)
		s.written = nil
	}
}
