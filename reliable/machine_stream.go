package reliable

import (
	"time"

	"udpchat/reliable/internal/arq"
	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A MachineStream is one stream of a Machine, and is used as the machine is: on its goroutine, and Advance after any number
// of calls.
type MachineStream struct {
	m    *Machine
	id   uint32
	arq  *arq.Stream // nil: nothing was sent or received; only stream 0
	out  fifo        // written, not yet in the ARQ
	err  error       // why it was broken off; nil: it was not
	gone bool        // nothing is kept for it any more, but what can be read

	offered bool // the peer has opened it, and it was not accepted
	heard   bool // the ARQ took symbols since the last Advance
	fresh   bool // we have opened it, and the peer does not know
	ending  bool // CloseWrite was called
	closed  bool // Close was called: nobody reads
	bounded bool // it has ends of its own: all but stream 0
}

// ID returns the stream's number, the same on both sides.
func (s *MachineStream) ID() uint32 { return s.id }

// Lane returns the stream's lane.
func (s *MachineStream) Lane() Lane { return laneOf(s.id) }

// Write is Machine.Write for the stream. After CloseWrite or the end of the stream it takes nothing.
func (s *MachineStream) Write(p []byte) int {
	if s.m.state > stateLinger || s.ending || s.gone {
		return 0
	}
	return s.write(p)
}

func (s *MachineStream) write(p []byte) int {
	n := min(len(p), max(0, sendBufferBytes-s.out.len()))
	s.out.write(p[:n])
	return n
}

// Read is Machine.Read for the stream.
func (s *MachineStream) Read(p []byte) int {
	if s.arq == nil || s.err != nil {
		return 0
	}
	n := s.arq.Recv(p)
	if s.m.cfg.Planted != planted.None {
		n = s.misread(p, n)
	}
	if n > 0 {
		s.m.busy() // What it waited for may have been the reader.
	}
	s.m.stats.StreamBytesReceived += uint64(n)
	s.m.stats.Lanes[s.Lane()].BytesReceived += uint64(n)
	return n
}

// Ended reports whether all that the peer wrote has been read, to the end of its side.
func (s *MachineStream) Ended() bool { return s.bounded && s.arq.Ended() }

// Gone reports whether the stream is over in both directions, or broken off.
func (s *MachineStream) Gone() bool { return s.gone }

// Err returns a *StreamError if the stream was broken off, nil otherwise. Streams end with their connection; they do not
// say so.
func (s *MachineStream) Err() error { return s.err }

// CloseWrite ends what this side writes, in order: the peer reads all of it, then the end. On stream 0 it does nothing.
func (s *MachineStream) CloseWrite() { s.ending = s.bounded }

// Close is CloseWrite for who will not read any more either. Once all is delivered, a peer that has not ended its side is
// told that nobody reads.
func (s *MachineStream) Close() {
	s.CloseWrite()
	s.closed = s.bounded
}

// Reset breaks the stream off in both directions. The peer is told the code. On stream 0 it does nothing.
func (s *MachineStream) Reset(code uint32) {
	if !s.bounded || s.gone {
		return
	}
	s.m.queueReset(s.id, code)
	s.breakOff(&StreamError{Code: code})
}

// Waiting reports whether anything written, the end included, has not been acknowledged.
func (s *MachineStream) Waiting() bool {
	if s.gone {
		return false
	}
	return s.out.len() > 0 || s.arq != nil && s.arq.Waiting() > 0 || s.fresh || s.ending && !s.arq.Closed()
}

// over reports whether there is nothing more to do: our end is acknowledged, and the peer's was read or nobody will.
func (s *MachineStream) over() bool {
	return s.arq.Closed() && s.arq.Waiting() == 0 && (s.Ended() || s.closed) && s.m.cfg.Planted != planted.StreamEndless
}

// open makes the ARQ's state.
func (s *MachineStream) open() {
	if s.arq != nil {
		return
	}
	n := window(s.id)
	s.arq = arq.New(arq.Config{
		ID: s.id, SymbolBytes: wire.SymbolBytes(s.m.mtu.size), SymbolBytesMax: wire.SymbolBytesMax, SendWindow: n, RecvWindow: n, Ends: s.bounded,
		Confirmed: s.Lane() == Bulk, Clock: s.m.shared.clock,
		Output:  func(symbol arq.Symbol) { s.m.outputSymbol(s, symbol) },
		RTT:     func() time.Duration { return s.m.rtt.smoothed },
		Planted: s.m.cfg.Planted,
	})
}

// feed moves bytes into the ARQ, as at most so many segments. It is followed by a flush.
func (s *MachineStream) feed(segments int) {
	m := s.m
	if n := s.out.len(); n > 0 && segments > 0 {
		n = s.arq.Send(s.out.bytes(), segments)
		if n > 0 {
			s.fresh = false
		}
		m.stats.StreamBytesSent += uint64(n)
		m.stats.Lanes[s.Lane()].BytesSent += uint64(n)
		if m.cfg.Planted == planted.SendCut {
			n = s.out.len()
		}
		s.out.drop(n)
	}
	if s.fresh && s.arq.Room() > 0 {
		s.arq.Open()
		s.fresh = false
	}
	if s.ending && s.out.len() == 0 && m.cfg.Planted != planted.StreamEndLost {
		s.arq.CloseWrite()
	}
}

// wants returns how many segments the bytes that wait would make.
func (s *MachineStream) wants() int {
	if s.arq == nil {
		return 0
	}
	return min((s.out.len()+s.arq.SegmentBytes()-1)/s.arq.SegmentBytes(), s.arq.Room())
}

// needsFlush reports whether the ARQ has something to do even without new bytes: also while the window is closed it asks
// now and then how large it is.
func (s *MachineStream) needsFlush() bool {
	return s.arq != nil && (s.arq.Pending() || s.out.len() > 0 && s.arq.Room() == 0)
}

// breakOff ends both directions at once.
func (s *MachineStream) breakOff(err error) {
	s.err = err
	s.m.forgetStream(s)
}
