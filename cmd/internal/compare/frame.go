package compare

import (
	"encoding/binary"
	"math/rand/v2"
)

// A frame is a message, or a piece of a file, as it crosses the transport:
//
//	4 bytes   length of the whole frame
//	4         number of the message, from 0, the server's own from backNumber on; pieceNumber for a piece of a file
//	…         bytes that do not compress
const (
	frameHeaderBytes = 8
	pieceNumber      = 1<<32 - 1
	backNumber       = 1 << 30 // Fits an int of 32 bits.

	// frameBytesMax is the longest frame anybody sends.
	frameBytesMax = chunkBytes
)

// A printer makes frames.
type printer struct{ filler [frameBytesMax]byte }

func newPrinter(seed uint64) *printer {
	p := new(printer)
	random := rand.New(rand.NewPCG(seed, 0xf111))
	for i := 0; i < len(p.filler); i += 8 {
		binary.LittleEndian.PutUint64(p.filler[i:], random.Uint64())
	}
	return p
}

// frame returns a frame of so many bytes in all.
func (p *printer) frame(number uint32, bytes int) []byte {
	b := make([]byte, bytes)
	copy(b, p.filler[:])
	binary.LittleEndian.PutUint32(b, uint32(bytes))
	binary.LittleEndian.PutUint32(b[4:], number)
	return b
}

// A cutter finds frames in a stream of bytes. Nothing of a message is kept, only where it ends.
type cutter struct {
	head   [frameHeaderBytes]byte
	have   int // bytes of head
	left   int // bytes of the frame that are still to come
	number uint32
}

// feed takes bytes as they arrive. It calls piece with how many bytes of a file were among them, and message with the
// number of every message that is complete. It reports false if the bytes make no sense.
func (c *cutter) feed(b []byte, message func(number uint32), piece func(bytes int)) bool {
	for len(b) > 0 {
		if c.have < frameHeaderBytes {
			n := copy(c.head[c.have:], b)
			c.have += n
			b = b[n:]
			if c.have < frameHeaderBytes {
				return true
			}
			length := binary.LittleEndian.Uint32(c.head[:])
			c.number = binary.LittleEndian.Uint32(c.head[4:])
			if length < frameHeaderBytes || length > frameBytesMax {
				return false
			}
			c.left = int(length) - frameHeaderBytes
			if c.number == pieceNumber {
				piece(frameHeaderBytes)
			}
		}
		n := min(len(b), c.left)
		c.left -= n
		b = b[n:]
		if c.number == pieceNumber && n > 0 {
			piece(n)
		}
		if c.left > 0 {
			return true
		}
		if c.number != pieceNumber {
			message(c.number)
		}
		c.have = 0
	}
	return true
}
