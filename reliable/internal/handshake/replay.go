package handshake

// windowBits is how many packet numbers below the highest are remembered. Twice what is in flight on a fast, far link;
// older packets are as good as lost.
const windowBits = 2048

// A Window tells packets that arrive for the first time from repeated and hopelessly old ones (RFC 6479). The zero
// value is empty.
type Window struct {
	next uint64 // one above the highest number marked
	bits [windowBits / 64]uint64
}

// Fresh reports whether number has not been marked and is not too old to tell.
func (w *Window) Fresh(number uint64) bool {
	if number >= w.next {
		return true
	}
	return w.next-number <= windowBits && !w.has(number)
}

// Mark remembers a fresh number. It must be called only for authentic packets: a forged number would push the window
// over packets yet to come.
func (w *Window) Mark(number uint64) {
	if number >= w.next {
		// Numbers between the old and the new highest have not arrived.
		for n := max(w.next, number+1-min(number+1, windowBits)); n < number; n++ {
			w.bits[n/64%(windowBits/64)] &^= 1 << (n % 64)
		}
		w.next = number + 1
	}
	w.bits[number/64%(windowBits/64)] |= 1 << (number % 64)
}

// Below returns which of the 64 numbers below number were marked: bit i stands for number-1-i. Number must be the
// highest marked.
func (w *Window) Below(number uint64) (bitmap uint64) {
	for i := range min(uint64(64), number) {
		if w.has(number - 1 - i) {
			bitmap |= 1 << i
		}
	}
	return bitmap
}

func (w *Window) has(number uint64) bool {
	return w.bits[number/64%(windowBits/64)]>>(number%64)&1 == 1
}
