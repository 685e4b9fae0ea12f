package reliable

// Held is what a machine keeps for others, beside its own fixed size: what simulations hold against the limits.
type Held struct {
	OutgoingBytes int // written to stream 0, not yet taken by the ARQ
	Segments      int // of stream 0, in the ARQ and not acknowledged, each up to ReadBytesMin bytes
	SentPackets   int // remembered until they are acknowledged
	RepairGroups  int // with repair symbols to send
	RepairBytes   int // of these groups, but for one that is open
	DecoderBytes  int // kept to rebuild lost symbols

	Streams        [lanes]int // open, but for stream 0
	StreamBytes    int        // as OutgoingBytes, of the other stream with the most
	StreamSegments [lanes]int // as Segments, of the other stream with the most
	Resets         int        // not acknowledged
}

// Held returns what the machine keeps now. What has arrived and waits for order or for the reader is not in it: that is
// bounded by the window, which is told to the peer.
func (m *Machine) Held() Held {
	h := Held{
		OutgoingBytes: m.main.out.len(), SentPackets: len(m.sent), Resets: len(m.resets),
		RepairGroups: len(m.repairs), RepairBytes: m.repairBytes,
	}
	if m.main.arq != nil {
		h.Segments = m.main.arq.Waiting()
	}
	for _, s := range m.streams[1:] {
		h.Streams[s.Lane()]++
		h.StreamBytes = max(h.StreamBytes, s.out.len())
		h.StreamSegments[s.Lane()] = max(h.StreamSegments[s.Lane()], s.arq.Waiting())
	}
	if m.dec != nil {
		h.DecoderBytes = m.dec.Stats().KeptBytes
	}
	return h
}
