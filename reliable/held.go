package reliable

// Held is what a machine keeps for others, beside its own fixed size: what simulations hold against the limits.
type Held struct {
	OutgoingBytes int // written, not yet taken by the ARQ
	Segments      int // in the ARQ and not acknowledged, each up to ReadBytesMin bytes
	SentPackets   int // remembered until they are acknowledged
	RepairGroups  int // with repair symbols to send
	RepairBytes   int // of these groups, but for one that is open
	DecoderBytes  int // kept to rebuild lost symbols
}

// Held returns what the machine keeps now. What has arrived and waits for order or for the reader is not in it: that is
// bounded by the window, which is told to the peer.
func (m *Machine) Held() Held {
	h := Held{
		OutgoingBytes: m.outgoing.len(), SentPackets: len(m.sent),
		RepairGroups: len(m.repairs), RepairBytes: m.repairBytes,
	}
	if m.stream != nil {
		h.Segments = m.stream.Waiting()
	}
	if m.dec != nil {
		h.DecoderBytes = m.dec.Stats().KeptBytes
	}
	return h
}
