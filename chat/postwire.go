package chat

import "encoding/binary"

// postKind is what nodes say to one another about whispers.
type postKind uint8

const (
	postLetter  postKind = iota + 1 // A whisper, a Note or an Ask, or with number 0 only the question what became of those before.
	postAnswers                     // What became of letters.
)

// A postMessage is what one node sends to another about whispers:
//
//	byte     nodeVersion
//	byte     kind
//	8 bytes  from
//	8 bytes  of: for whom it is
//
// A letter goes on with
//
//	uvarint  its number, or 0: a question only
//	uvarint  the number of the one before it that is still under way; 0: none is
//	uvarint  the number of the first one that is still under way: answers to earlier ones may be forgotten
//	byte     0: to visitors, 1: to an account, 2: no whisper, but an Ask about the message with the id text in the room to,
//	         3: a Note to an account
//	uvarint  the number of that message, 2 only
//	         to, from and text, each as uvarint length and bytes
//
// and answers with
//
//	uvarint  the number of the last letter that was taken
//	         then pairs: uvarint number of a letter, byte outcome
type postMessage struct {
	kind          postKind
	from, of      nodeID
	n, prev, base uint64
	whisperTo
	last    uint64
	answers map[uint64]outcome
}

func (m postMessage) encode() []byte {
	b := []byte{nodeVersion, byte(m.kind)}
	b = binary.BigEndian.AppendUint64(b, uint64(m.from))
	b = binary.BigEndian.AppendUint64(b, uint64(m.of))
	if m.kind == postAnswers {
		b = binary.AppendUvarint(b, m.last)
		for n, o := range m.answers {
			b = append(binary.AppendUvarint(b, n), byte(o))
		}
		return b
	}
	for _, n := range []uint64{m.n, m.prev, m.base} {
		b = binary.AppendUvarint(b, n)
	}
	b = append(b, flag(m.account)+2*flag(m.ask)+2*flag(m.note))
	if m.ask {
		b = binary.AppendUvarint(b, m.seq)
	}
	for _, s := range []string{m.to, m.whisperTo.from, m.text} {
		b = appendString(b, s)
	}
	return b
}

// isFor reports whether a message is for that node, without reading it all.
func isFor(b []byte, id nodeID) bool {
	return len(b) >= 18 && nodeID(binary.BigEndian.Uint64(b[10:])) == id
}

// decodePostMessage reads a message. ok is false if it is none.
func decodePostMessage(b []byte) (m postMessage, ok bool) {
	if len(b) < 18 || len(b) > recordBytesMax || b[0] != nodeVersion {
		return m, false
	}
	m.kind, m.from = postKind(b[1]), nodeID(binary.BigEndian.Uint64(b[2:]))
	r := nodeReader{b: b[10:]}
	m.of = nodeID(r.fixed())
	switch m.kind {
	case postLetter:
		m.n, m.prev, m.base = r.number(), r.number(), r.number()
		what := r.upTo(3)
		m.account, m.ask, m.note = what == 1 || what == 3, what == 2, what == 3
		if m.ask {
			m.seq = r.number()
		}
		m.to, m.whisperTo.from, m.text = r.text(), r.text(), r.text()
	case postAnswers:
		m.last, m.answers = r.number(), make(map[uint64]outcome)
		for !r.bad && len(r.b) > 0 {
			n := r.number()
			o := outcome(r.upTo(byte(outcomeNobody)))
			r.bad = r.bad || o == 0
			m.answers[n] = o
		}
	default:
		return m, false
	}
	return m, !r.bad && len(r.b) == 0 && m.from != 0
}
