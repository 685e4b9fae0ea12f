package simulate

import (
	"fmt"
	"hash/crc32"
	"time"
)

// A stream is the history of one direction: what one side's application wrote and what the other's read of it.
type stream struct {
	from     Side
	messages []written
	arrived  int // messages read whole
	lastAt   time.Duration

	bytes     int // read
	head      []byte
	open      header // of the message being read, once head is complete
	left      int
	sum       uint32
	latencies []time.Duration // nil: not wanted
}

// written is one message as it was written.
type written struct {
	header header
	at     time.Duration // when the application wanted to write it
}

func (s *stream) write(h header, at time.Duration) { s.messages = append(s.messages, written{h, at}) }

// whole reports whether everything written has been read.
func (s *stream) whole() bool { return s.arrived == len(s.messages) && len(s.head) == 0 }

// read takes bytes that were read, and returns what is wrong with them.
func (s *stream) read(now time.Duration, b []byte) (problem string) {
	s.bytes += len(b)
	for len(b) > 0 {
		if len(s.head) < headerBytes {
			n := min(len(b), headerBytes-len(s.head))
			s.head = append(s.head, b[:n]...)
			b = b[n:]
			if len(s.head) < headerBytes {
				return ""
			}
			if problem := s.begin(parseHeader(s.head)); problem != "" {
				return problem
			}
		}
		n := min(len(b), s.left)
		s.sum = crc32.Update(s.sum, castagnoli, b[:n])
		s.left -= n
		b = b[n:]
		if s.left > 0 {
			return ""
		}
		if s.sum != s.open.sum {
			return fmt.Sprintf("message %d of the %v is damaged", s.arrived, s.from)
		}
		s.end(now)
	}
	return ""
}

// begin compares the header of the next message with what was written.
func (s *stream) begin(got header) string {
	switch {
	case s.arrived == len(s.messages):
		return fmt.Sprintf("bytes that the %v never wrote after its message %d", s.from, s.arrived-1)
	case got == s.messages[s.arrived].header:
		s.open, s.left, s.sum = got, int(got.bytes), 0
		return ""
	case int(got.counter) < len(s.messages) && got == s.messages[got.counter].header:
		return fmt.Sprintf("message %d of the %v where %d should be", got.counter, s.from, s.arrived)
	}
	return fmt.Sprintf("garbage where message %d of the %v should begin", s.arrived, s.from)
}

func (s *stream) end(now time.Duration) {
	if s.latencies != nil {
		s.latencies = append(s.latencies, now-s.messages[s.arrived].at)
	}
	s.head = s.head[:0]
	s.arrived++
	s.lastAt = now
}
