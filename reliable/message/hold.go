package message

// A hold is the memory of one message that is being put together. It grows with the bytes that came and charges the
// budget for every array it allocates.
type hold struct {
	budget  *Budget // Constant.
	buf     []byte  // What came so far.
	charged int     // What the budget was charged for the array of buf; 0 for an array of the stream's own.
	length  int     // Of the message, as announced.
	floor   int     // The smallest array to allocate.
}

// begin starts a message in own, an array that is not charged for, or in none.
func (h *hold) begin(own []byte, length, floor int) {
	h.drop()
	h.buf, h.length, h.floor = own[:0], length, floor
}

// reserve makes room for n bytes in all. It reports false if the budget does not allow it; nothing has changed then.
func (h *hold) reserve(n int) bool {
	if n <= cap(h.buf) {
		return true
	}
	size := arrayBytes(n, h.length, h.floor)
	// For a moment both arrays exist, and the budget is charged for both.
	if !h.budget.Acquire(size) {
		return false
	}
	buf := make([]byte, len(h.buf), size)
	copy(buf, h.buf)
	h.budget.Release(h.charged)
	h.buf, h.charged = buf, size
	return true
}

// add adds p, which must not go beyond the message's length. It reports false if the budget does not allow it.
func (h *hold) add(p []byte) bool {
	if !h.reserve(len(h.buf) + len(p)) {
		return false
	}
	h.buf = append(h.buf, p...)
	return true
}

// room returns the free part of the array, at least one byte. It reports false if the budget does not allow it.
func (h *hold) room() ([]byte, bool) {
	if !h.reserve(len(h.buf) + 1) {
		return nil, false
	}
	return h.buf[len(h.buf):cap(h.buf)], true
}

// full reports whether the message is complete.
func (h *hold) full() bool { return len(h.buf) == h.length }

// drop forgets the message and gives its memory back.
func (h *hold) drop() {
	h.budget.Release(h.charged)
	h.buf, h.charged, h.length = nil, 0, 0
}

// arrayBytes returns the size of an array for n bytes of a message: its length, halved while n bytes still fit and it is
// not below floor. So it is less than twice the larger of n and floor, and the last move is from half the length to all
// of it, which bounds both arrays together by one and a half times the length.
func arrayBytes(n, length, floor int) int {
	size := length
	for half := (size + 1) / 2; half >= max(n, floor, 2); half = (size + 1) / 2 {
		size = half
	}
	return size
}
