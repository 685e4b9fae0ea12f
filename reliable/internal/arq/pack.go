package arq

import (
	"encoding/binary"
	"math"

	kcp "github.com/xtaci/kcp-go/v5"
)

// The core's segments have headers of 24 bytes, most of which say nothing: the conversation, the cumulative
// acknowledgement and the window are the same in all segments of a symbol, numbers are small, a fragment is always 0, and
// nobody but who set it looks at a timestamp. So symbols travel packed (SPEC.md 6):
//
//	conversation, cumulative acknowledgement, window: variable length
//	for each segment: command and whether it is the last (1 byte), then
//	  data:            number (variable), timestamp (2), length (variable; not in the last segment), bytes
//	  acknowledgement: cumulative acknowledgement less number (variable, signed), timestamp (2)
//
// Nothing that the cores use is lost, and nothing must be remembered from one symbol to the next.

// A segment's first byte on the wire: the command counted from 81, and lastSegment.
const (
	commandMask = 0x03
	lastSegment = 0x04
)

// A variable number is little endian, seven bits to a byte, of which all but the last have the high bit; at most 32 bits,
// in as few bytes as possible.
const variableBytesMax = 5

// appendPacked appends a symbol of the core, in whole segments, packed.
func appendPacked(b, symbol []byte) []byte {
	first := parseSegment(symbol)
	b = binary.AppendUvarint(b, uint64(first.id))
	b = binary.AppendUvarint(b, uint64(first.una))
	b = binary.AppendUvarint(b, uint64(first.window))
	for len(symbol) > 0 {
		seg := parseSegment(symbol)
		if seg.una != first.una || seg.window != first.window {
			panic("BUG: arq: segments of one symbol say different things")
		}
		data := symbol[headerBytes:][:seg.length]
		stamp := symbol[8:10]
		symbol = symbol[headerBytes+len(data):]
		head := seg.cmd - kcp.IKCP_CMD_PUSH
		if len(symbol) == 0 {
			head |= lastSegment
		}
		b = append(b, head)
		switch seg.cmd {
		case kcp.IKCP_CMD_PUSH:
			b = binary.AppendUvarint(b, uint64(seg.sn))
			b = append(b, stamp...)
			if len(symbol) > 0 {
				b = binary.AppendUvarint(b, uint64(len(data)))
			}
			b = append(b, data...)
		case kcp.IKCP_CMD_ACK:
			back := int32(seg.una - seg.sn)
			b = binary.AppendUvarint(b, uint64(uint32(back<<1)^uint32(back>>31)))
			b = append(b, stamp...)
		}
	}
	return b
}

// A reader takes a packed symbol apart.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) variable() uint32 {
	n, used := binary.Uvarint(r.b[:min(len(r.b), variableBytesMax)])
	if used <= 0 || n > math.MaxUint32 || used > 1 && r.b[used-1] == 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[used:]
	return uint32(n)
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// appendUnpacked appends a packed symbol in the form that the core takes, up to most bytes. Now is the core's clock.
func appendUnpacked(b, packed []byte, now uint32, most int) ([]byte, error) {
	r := reader{b: packed}
	id, una, window := r.variable(), r.variable(), r.variable()
	if r.bad || window > math.MaxUint16 || len(r.b) == 0 {
		return b, ErrMalformed
	}
	for last := false; !last; {
		seg, stamp, data, end := r.segment(una)
		last = end
		if r.bad || last && len(r.b) > 0 || headerBytes+len(data) > most-len(b) {
			return b, ErrMalformed
		}
		if seg.cmd == kcp.IKCP_CMD_ACK {
			stamp = whole(now, stamp)
		}
		seg.id, seg.una, seg.window = id, una, uint16(window)
		b = appendSegment(b, seg, stamp, data)
	}
	return b, nil
}

// segment reads a segment: its command and number, the low half of its timestamp, and its data.
func (r *reader) segment(una uint32) (seg segment, stamp uint32, data []byte, last bool) {
	head := r.bytes(1)
	if r.bad || head[0] > commandMask|lastSegment {
		r.bad = true
		return seg, 0, nil, true
	}
	last = head[0]&lastSegment != 0
	seg.cmd = kcp.IKCP_CMD_PUSH + head[0]&commandMask
	switch seg.cmd {
	case kcp.IKCP_CMD_PUSH:
		seg.sn = r.variable()
		stamp = r.stamp()
		n := uint32(len(r.b))
		if !last {
			n = r.variable()
		}
		if data = r.bytes(n); n == 0 {
			r.bad = true
		}
	case kcp.IKCP_CMD_ACK:
		back := r.variable()
		seg.sn = una - (back>>1 ^ -(back & 1))
		stamp = r.stamp()
	}
	return seg, stamp, data, last
}

func (r *reader) stamp() uint32 {
	if b := r.bytes(2); !r.bad {
		return uint32(binary.LittleEndian.Uint16(b))
	}
	return 0
}

// earlyStamp is by how many ms a timestamp may seem to lie in the future.
const earlyStamp = 1000

// whole returns the timestamp of which low are the low 16 bits. It is one of our own, at most a minute old.
func whole(now, low uint32) uint32 {
	return now + earlyStamp - uint32(uint16(now+earlyStamp-low))
}

func appendSegment(b []byte, seg segment, stamp uint32, data []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, seg.id)
	b = append(b, seg.cmd, 0)
	b = binary.LittleEndian.AppendUint16(b, seg.window)
	b = binary.LittleEndian.AppendUint32(b, stamp)
	b = binary.LittleEndian.AppendUint32(b, seg.sn)
	b = binary.LittleEndian.AppendUint32(b, seg.una)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// Conversation returns the ID of the stream that a packed symbol is for.
func Conversation(symbol []byte) (id uint32, ok bool) {
	r := reader{b: symbol}
	id = r.variable()
	return id, !r.bad
}

// Window returns how many segments the sender of a packed symbol takes.
func Window(symbol []byte) (window uint32, ok bool) {
	r := reader{b: symbol}
	r.variable()
	r.variable()
	window = r.variable()
	return window, !r.bad
}

// A Part is what can be seen of a segment in a packed symbol.
type Part struct {
	Data   bool   // or else an acknowledgement, or a question or an answer about the window
	Asks   bool   // data or a question
	Number uint32 // of data
	Bytes  int    // of data
	Header int    // bytes around it; the first one's include the symbol's own
}

// Parts calls f with every segment of a packed symbol, as far as there is sense in it. It is for those who look from outside.
func Parts(symbol []byte, f func(Part)) {
	r := reader{b: symbol}
	r.variable()
	una := r.variable()
	r.variable()
	before := len(symbol)
	for last := r.bad; !last; before = len(r.b) {
		var seg segment
		var data []byte
		seg, _, data, last = r.segment(una)
		if r.bad {
			return
		}
		f(Part{
			Data: seg.cmd == kcp.IKCP_CMD_PUSH, Asks: seg.cmd == kcp.IKCP_CMD_PUSH || seg.cmd == kcp.IKCP_CMD_WASK,
			Number: seg.sn, Bytes: len(data), Header: before - len(r.b) - len(data),
		})
	}
}
