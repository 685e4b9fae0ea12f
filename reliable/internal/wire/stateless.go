package wire

import (
	"crypto/subtle"
	"encoding/binary"
)

// A StatelessReset is how the server of a connection shows that it has forgotten it: both names are known to nobody but the
// two, and the server can make them again from the ID under which it received (SPEC.md 9.4).
type StatelessReset struct {
	ID    ConnID // where the client finds the connection it is about
	Token [ResetTokenBytes]byte
}

// kindReset is the first byte of a token that is no proof but announces a stateless reset.
const kindReset = 3

// AppendResetToken appends the token frame that announces r. A frame with an ordinary token must follow in the same packet:
// who does not know this kind takes the last one for its next hello.
func AppendResetToken(b []byte, r StatelessReset) []byte {
	b = append(b, byte(FrameToken), resetTokenFrameData, kindReset)
	b = binary.BigEndian.AppendUint64(b, uint64(r.ID))
	return append(b, r.Token[:]...)
}

// ParseResetToken reads the token of a token frame; ok is false if it is an ordinary one.
func ParseResetToken(token []byte) (r StatelessReset, ok bool) {
	if len(token) != resetTokenFrameData || token[0] != kindReset {
		return r, false
	}
	r.ID = ConnID(binary.BigEndian.Uint64(token[1:]))
	copy(r.Token[:], token[1+connIDBytes:])
	return r, true
}

// AppendStatelessReset appends the datagram, which looks like any packet. Filler is random: one byte for the phase of the keys,
// and at least 6 that stand where a packet has its number and frames.
func AppendStatelessReset(b []byte, r StatelessReset, filler []byte) []byte {
	first := firstByte(TypePacket)
	if filler[0]&1 == 1 {
		first |= phaseBit
	}
	b = append(b, first)
	b = binary.BigEndian.AppendUint64(b, uint64(r.ID))
	b = append(b, filler[1:]...)
	return append(b, r.Token[:]...)
}

// Is reports whether a datagram is the reset. How long that takes says nothing about the token (RFC 9000, 10.3.1).
func (r *StatelessReset) Is(datagram []byte) bool {
	id, ok := Dest(datagram)
	if !ok || id != r.ID || len(datagram) < StatelessResetBytes || datagram[0]&typeMask != byte(TypePacket) {
		return false
	}
	return subtle.ConstantTimeCompare(datagram[len(datagram)-ResetTokenBytes:], r.Token[:]) == 1
}
