package wirelane

import (
	"encoding/binary"
	"testing"
	"time"
)

// segment is an IP packet with a TCP segment of n payload bytes.
func segment(port uint16, seq uint32, flags byte, n int) []byte {
	b := make([]byte, ipv4HeaderMin+tcpHeaderMin+n)
	b[0] = 0x45
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	b[9] = protocolTCP
	binary.BigEndian.PutUint16(b[20:], port)
	binary.BigEndian.PutUint32(b[24:], seq)
	b[32] = 5 << 4
	b[33] = flags
	return b
}

func TestSplitTellsFirstTransmissionsFromRepeats(t *testing.T) {
	const start = 1<<32 - 150 // The numbers wrap within the stream.
	var s tcpSplit
	for _, pkt := range [][]byte{
		segment(1, start-1, flagSYN, 0),
		segment(1, start, 0, 0), // Acknowledges the handshake.
		segment(1, start, 0, 100),
		segment(1, start+100, 0, 100), // Over the end of the numbers.
		segment(1, start+100, 0, 100), // Again.
		segment(1, start+50, 0, 200),  // 50 of these are new.
		segment(2, 7, 0, 10),          // Somebody else's.
	} {
		s.note(pkt)
	}
	want := Split{Payload: 100 + 100 + 50 + 10, Repeated: 140 + 150, Headers: 5 * 40, Acks: 40, RepeatedSegments: 2, Handshake: 1, Segments: 7, PureAcks: 1}
	if got := s.report(); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestSplitIgnoresWhatIsNotWholeTCP(t *testing.T) {
	var s tcpSplit
	short := segment(1, 1, 0, 0)[:39]
	udp := segment(1, 1, 0, 0)
	udp[9] = 17
	long := segment(1, 1, 0, 0)
	binary.BigEndian.PutUint16(long[2:], 1000)
	noHeader := segment(1, 1, 0, 0)
	noHeader[32] = 1 << 4
	for _, pkt := range [][]byte{short, udp, long, noHeader} {
		s.note(pkt)
	}
	if got := s.report(); got != nil {
		t.Errorf("got %+v", got)
	}
}

func TestLatenessQuantiles(t *testing.T) {
	var l lateness
	for i := range 100 {
		l.note(time.Duration(i) * 100 * time.Microsecond)
	}
	got := l.timing()
	if got.Packets != 100 || got.P50Ms != 5.01 || got.MaxMs != 9.9 || got.Late != 79 || got.P99Ms != 9.9 {
		t.Errorf("got %+v", got)
	}
}
