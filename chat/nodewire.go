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

// A nodeMessage is what nodes send to each other about who is there:
//
//	byte     version, 2. Others are not heard: nodes of different versions do not see each other's people.
//	byte     kind
//	8 bytes  from
//	uvarint  version
//	8 bytes  of, nodeAsk only
//	uvarint  part, and uvarint parts, nodeWhole only
//	then, nodeState and nodeWhole only, each with its number before it, people:
//	uvarint  length of the name, not 0, then that name
//	uvarint  length of the name to show, then that name; 0: there is no more to know than the state
//	byte     state
//	byte     1 if it can be whispered to, else 0
//	uvarint  when it arrived, in milliseconds since 1970
//	uvarint  number of blocked accounts, then each as length and name
//	and names of visitors:
//	uvarint  length of the name, then that name
//	byte     0: nobody has it, 1: it is shared, 2: it is not
//	and seats:
//	uvarint  length of the room, then that
//	byte     0: a visitor's, 1: an account's, 2: that of a visitor who is an Answerer
//	uvarint  length of whose it is (a visitor's device, or an account), then that
//	uvarint  length of the name to show, then that name
//	uvarint  JoinID
//	uvarint  number in the room's log after which it was taken and 1, or 0: it was given up
type nodeMessage struct {
	kind        nodeKind
	from, of    nodeID
	version     uint64
	part, parts int
	news
}

// news is what a node has to say.
type news struct {
	people []nodePerson
	names  []nodeName
	seats  []nodeSeat
}

// nodeVersion is the version of all messages between nodes.
const nodeVersion = 3

type nodePerson struct {
	name, show string
	state      Presence
	whispers   bool
	arrived    time.Time
	blocked    []string
}

// A nodeName is that visitors with a name can be whispered to, or that there are none any more.
type nodeName struct {
	name   string
	here   bool
	naming Naming
}

// A nodeSeat is that somebody is in a room, or is no longer.
type nodeSeat struct {
	place
	seat
	taken bool
}

func (who nodePerson) size() int {
	n := 3*binary.MaxVarintLen64 + len(who.name) + len(who.show)
	for _, peer := range who.blocked {
		n += binary.MaxVarintLen64 + len(peer)
	}
	return n
}

func (s nodeSeat) size() int { return 4*binary.MaxVarintLen64 + len(s.room) + len(s.who) + len(s.name) }

func (m nodeMessage) encode() []byte {
	b := []byte{nodeVersion, byte(m.kind)}
	b = binary.BigEndian.AppendUint64(b, uint64(m.from))
	b = binary.AppendUvarint(b, m.version)
	switch m.kind {
	case nodeAsk:
		b = binary.BigEndian.AppendUint64(b, uint64(m.of))
	case nodeWhole:
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.part)), uint64(m.parts))
	}
	if m.kind == nodeState || m.kind == nodeWhole {
		b = m.news.append(b)
	}
	return b
}

func (n *news) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(n.people)))
	for _, who := range n.people {
		b = appendString(appendString(b, who.name), who.show)
		b = append(b, byte(who.state), flag(who.whispers))
		b = binary.AppendUvarint(b, uint64(max(0, who.arrived.UnixMilli())))
		b = binary.AppendUvarint(b, uint64(len(who.blocked)))
		for _, peer := range who.blocked {
			b = appendString(b, peer)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(n.names)))
	for _, name := range n.names {
		b = append(appendString(b, name.name), flag(name.here)+flag(name.here && name.naming == SoleName))
	}
	b = binary.AppendUvarint(b, uint64(len(n.seats)))
	for _, s := range n.seats {
		b = append(appendString(b, s.room), flag(s.account)+2*flag(s.answers))
		b = appendString(appendString(b, s.who), s.name)
		b = binary.AppendUvarint(b, uint64(s.user))
		if !s.taken {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, s.since+1)
	}
	return b
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// isFrom reports whether a message is by that node, without reading it all.
func isFrom(b []byte, id nodeID) bool {
	return len(b) >= 10 && nodeID(binary.BigEndian.Uint64(b[2:])) == id
}

// decodeNodeMessage reads a message. ok is false if it is none.
func decodeNodeMessage(b []byte) (m nodeMessage, ok bool) {
	if len(b) < 10 || len(b) > recordBytesMax || b[0] != nodeVersion {
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
		m.news = r.news()
	case nodeState:
		m.news = r.news()
	case nodeAlive:
	default:
		return m, false
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

// upTo reads a byte that is not larger than most.
func (r *nodeReader) upTo(most byte) byte {
	if len(r.b) == 0 || r.b[0] > most {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *nodeReader) news() (n news) {
	for left := r.number(); left > 0 && !r.bad; left-- {
		n.people = append(n.people, r.person())
	}
	for left := r.number(); left > 0 && !r.bad; left-- {
		name := nodeName{name: r.text()}
		v := r.upTo(2)
		name.here = v > 0
		if v == 2 {
			name.naming = SoleName
		}
		n.names = append(n.names, name)
	}
	for left := r.number(); left > 0 && !r.bad; left-- {
		n.seats = append(n.seats, r.seat())
	}
	return n
}

func (r *nodeReader) person() nodePerson {
	who := nodePerson{name: r.text(), show: r.text()}
	r.bad = r.bad || who.name == ""
	who.state = Presence(r.upTo(byte(Online)))
	who.whispers = r.upTo(1) == 1
	who.arrived = time.UnixMilli(int64(r.number() &^ (1 << 63)))
	for n := r.number(); n > 0 && !r.bad; n-- {
		who.blocked = append(who.blocked, r.text())
	}
	return who
}

func (r *nodeReader) seat() nodeSeat {
	s := nodeSeat{place: place{room: r.text()}}
	kind := r.upTo(2)
	s.account, s.answers = kind == 1, kind == 2
	s.who, s.name = r.text(), r.text()
	s.user = JoinID(r.number() & randomIDMax)
	if since := r.number(); since > 0 {
		s.taken, s.since = true, since-1
	}
	return s
}
