package netem

// mangleStage damages packets.
type mangleStage struct{ corrupt, truncate float64 }

// mangleDrawCount is what one packet takes: whether to corrupt, where and how, whether to cut, where.
const mangleDrawCount = 4

// apply returns a copy of pkt, perhaps damaged. An empty packet cannot be.
func (s *mangleStage) apply(pkt []byte, u [mangleDrawCount]uint64) (data []byte, changes Changes) {
	data = append([]byte(nil), pkt...)
	if len(data) > 0 && chance(u[0], s.corrupt) {
		where := int((u[1] >> 8) % uint64(len(data)))
		data[where] ^= byte(u[1]%255 + 1) // Never 0: the byte does change.
		changes |= Corrupted
	}
	if len(data) > 0 && chance(u[2], s.truncate) {
		data = data[:u[3]%uint64(len(data))]
		changes |= Truncated
	}
	return data, changes
}
