package session

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"
)

// Enqueue queues b, one whole message, and returns at once. The session keeps b, so the caller must not change it;
// the same bytes may be queued to many sessions. When more than Config.OutboxBytes wait, the session ends with ErrSlow.
// An error matches net.ErrClosed and the reason why the session ended; an empty b is no message and does nothing.
func (s *Session) Enqueue(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return s.end
	}
	if len(b) > s.cfg.OutboxBytes-s.queuedBytes {
		s.abortLocked(ErrSlow)
		return s.end
	}
	s.queuedBytes += len(b)
	s.queuedBytesMax = max(s.queuedBytesMax, s.queuedBytes)
	if s.writing {
		s.queue = append(s.queue, b)
		return nil
	}
	s.startWriterLocked(b)
	return nil
}

// Reply is Enqueue for the answer to the request that was read last. A connection that repeats answers to repeated
// requests (plain datagrams do) is told about it.
func (s *Session) Reply(b []byte) error {
	if c, ok := s.conn.(interface{ NoteAnswer(b []byte) }); ok {
		c.NoteAnswer(b)
	}
	return s.Enqueue(b)
}

// startWriterLocked starts the writer with its first message, nil if it only has to close the connection.
func (s *Session) startWriterLocked(first []byte) {
	s.writing = true
	// Owns writing to conn and closing it. Ends when nothing waits, at the latest when Close or Abort says so; Close
	// waits for it.
	s.writer.Go(func() {
		if s.write(first) {
			s.closeConn()
		}
	})
}

// write writes first and what is queued after it until nothing waits. It reports whether the session has ended, so
// that the connection is to be closed; if not, it is no longer the writer when it returns.
func (s *Session) write(first []byte) (ended bool) {
	if first != nil && !s.writeOne(first, 1) {
		return true
	}
	var (
		joined []byte   // Several messages in one; kept no longer than the writer.
		spare  [][]byte // The batch before, to be filled again.
	)
	for {
		batch, ended := s.take(spare)
		if len(batch) == 0 {
			return ended
		}
		spare = batch[:0]
		for len(batch) > 0 {
			n, size := 1, 0
			if s.cfg.Transport != TransportPlain {
				n, size = countJoined(batch)
			}
			b := batch[0]
			if n > 1 {
				joined = appendAll(slices.Grow(joined[:0], size), batch[:n])
				b = joined
			}
			clear(batch[:n]) // The messages may be garbage before the batch is.
			batch = batch[n:]
			if !s.writeOne(b, n) {
				return true
			}
		}
	}
}

// writeOne gives b, which holds a number of messages, to the connection. It reports whether there may be more.
func (s *Session) writeOne(b []byte, messages int) bool {
	if !s.armWrite() {
		return false
	}
	_, err := s.conn.Write(b)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.queuedBytes -= len(b)
	s.writes++
	s.wroteLocked()
	if err != nil {
		s.writeFailedLocked(err)
		return false
	}
	s.sentBytes += uint64(len(b))
	s.sentMessages += uint64(messages)
	return s.end == nil || !s.end.aborted
}

// armWrite bounds the next Write. It reports whether there is to be one.
func (s *Session) armWrite() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return !s.end.aborted // Close has set the last deadline there is.
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		s.writeFailedLocked(err)
		return false
	}
	return true
}

// writeFailedLocked ends the session, if it has not ended yet, because its connection takes no more.
func (s *Session) writeFailedLocked(err error) {
	if s.end != nil {
		if s.end.drain == nil && !s.end.aborted {
			s.end.drain = fmt.Errorf("session: writing what waited: %w", err)
		}
		s.end.aborted = true
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) { // Both: the connection found its peer dead.
		s.abortLocked(fmt.Errorf("%w: %w", ErrSlow, err))
		return
	}
	s.abortLocked(fmt.Errorf("session: write: %w", err))
}

// take returns everything that waits and whether the session has ended, and leaves spare to be filled next. If nothing
// waits and the session lives, the caller is no longer the writer.
func (s *Session) take(spare [][]byte) (batch [][]byte, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.queue = nil // An idle session keeps nothing.
		s.writing = s.end != nil
		return nil, s.end != nil
	}
	batch, s.queue = s.queue, spare
	return batch, s.end != nil
}

// countJoined returns how many messages at the head of batch share the next write to a stream, at least one, and their
// size.
func countJoined(batch [][]byte) (n, size int) {
	for _, b := range batch {
		if n > 0 && size+len(b) > joinedBytesMax {
			break
		}
		n, size = n+1, size+len(b)
	}
	return n, size
}

// appendAll appends the messages to b.
func appendAll(b []byte, messages [][]byte) []byte {
	for _, m := range messages {
		b = append(b, m...)
	}
	return b
}
