package simulate

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
)

// A message describes itself, so that whoever reads a stream can tell what went wrong with it.
//
//	4 bytes   length of the payload
//	4         counter of the sender's messages, from 0
//	4         the sender
//	4         CRC-32C of the payload
//	payload
const headerBytes = 16

// payloadBytesMax is the longest payload.
const payloadBytesMax = 64 << 10

type header struct{ bytes, counter, sender, sum uint32 }

func (h header) append(b []byte) []byte {
	for _, v := range [...]uint32{h.bytes, h.counter, h.sender, h.sum} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func parseHeader(b []byte) header {
	u := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	return header{u(0), u(1), u(2), u(3)}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A press makes payloads: pieces of one block of random bytes.
type press struct {
	block  []byte
	random *rand.Rand
}

func newPress(seed uint64) *press {
	p := &press{block: make([]byte, 2*payloadBytesMax), random: rand.New(rand.NewPCG(seed, 0x9e55))}
	seededReader(seed, 0x9e55).Read(p.block)
	return p
}

// print appends the message to b and returns what its header says.
func (p *press) print(b []byte, sender Side, counter, bytes int) ([]byte, header) {
	off := p.random.IntN(len(p.block) - bytes + 1)
	payload := p.block[off:][:bytes]
	h := header{uint32(bytes), uint32(counter), uint32(sender), crc32.Checksum(payload, castagnoli)}
	return append(h.append(b), payload...), h
}

// seededReader returns random bytes that are always the same.
func seededReader(seed, stream uint64) *rand.ChaCha8 {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], stream)
	return rand.NewChaCha8(key)
}
