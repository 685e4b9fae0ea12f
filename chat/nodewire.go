package chat

import (
	"encoding/binary"
	"time"
)

// nodeKind is what a message between nodes says.
type nodeKind uint8

const (
	nodeState nodeKind = iota + 1 // What has changed.
	nodeAlive                     // Which number is the last.
	nodeAsk                       // Node of (0: everybody) is to say everything.
	nodeWhole                     // Everything, in parts.
)

// A nodeMessage is what nodes send to each other:
//
//	byte     version, 1
//	byte     kind
//	8 bytes  from
//	uvarint  version
//	8 bytes  of, nodeAsk only
//	uvarint  part, and uvarint parts, nodeWhole only
//	then people, nodeState and nodeWhole only, each:
//	uvarint  length of the name, not 0, then that name
//	uvarint  length of the name to show, then that name
//	byte     state
//	uvarint  when it arrived, in milliseconds since 1970
//	uvarint  number of blocked accounts, then each as length and name
type nodeMessage struct {
	kind        nodeKind
	from, of    nodeID
	version     uint64
	part, parts int
	people      []nodePerson
}

type nodePerson struct {
	name, show string
	state      Presence
	arrived    time.Time
	blocked    []string
}

func (who nodePerson) size() int {
	n := 3*binary.MaxVarintLen64 + len(who.name) + len(who.show)
	for _, peer := range who.blocked {
		n += binary.MaxVarintLen64 + len(peer)
	}
	return n
}

func (m nodeMessage) encode() []byte {
	b := []byte{1, byte(m.kind)}
	b = binary.BigEndian.AppendUint64(b, uint64(m.from))
	b = binary.AppendUvarint(b, m.version)
	switch m.kind {
	case nodeAsk:
		b = binary.BigEndian.AppendUint64(b, uint64(m.of))
	case nodeWhole:
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.part)), uint64(m.parts))
	}
	for _, who := range m.people {
		b = appendString(appendString(b, who.name), who.show)
		b = append(b, byte(who.state))
		b = binary.AppendUvarint(b, uint64(max(0, who.arrived.UnixMilli())))
		b = binary.AppendUvarint(b, uint64(len(who.blocked)))
		for _, peer := range who.blocked {
			b = appendString(b, peer)
		}
	}
	return b
}

// decodeNodeMessage reads a message. ok is false if it is none.
func decodeNodeMessage(b []byte) (m nodeMessage, ok bool) {
	if len(b) < 10 || len(b) > recordBytesMax || b[0] != 1 {
		return m, false
	}
	m.kind, m.from = nodeKind(b[1]), nodeID(binary.BigEndian.Uint64(b[2:]))
	r := nodeReader{b: b[10:]}
	m.version = r.number()
	switch m.kind {
	case nodeAsk:
		m.of = nodeID(r.fixed())
	case nodeWhole:
		m.part, m.parts = int(r.number()&0xffffff), int(r.number()&0xffffff)
	case nodeState, nodeAlive:
	default:
		return m, false
	}
	for (m.kind == nodeState || m.kind == nodeWhole) && !r.bad && len(r.b) > 0 {
		m.people = append(m.people, r.person())
	}
	return m, !r.bad && len(r.b) == 0 && m.from != 0
}

// A nodeReader takes a message apart. After the first thing that does not fit it is bad.
type nodeReader struct {
	b   []byte
	bad bool
}

func (r *nodeReader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *nodeReader) fixed() uint64 {
	if len(r.b) < 8 {
		r.bad = true
		return 0
	}
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *nodeReader) text() string {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *nodeReader) person() nodePerson {
	who := nodePerson{name: r.text(), show: r.text()}
	if len(r.b) == 0 || Presence(r.b[0]) > Online || who.name == "" {
		r.bad = true
		return who
	}
	who.state = Presence(r.b[0])
	r.b = r.b[1:]
	who.arrived = time.UnixMilli(int64(r.number() &^ (1 << 63)))
	for n := r.number(); n > 0 && !r.bad; n-- {
		who.blocked = append(who.blocked, r.text())
	}
	return who
}
