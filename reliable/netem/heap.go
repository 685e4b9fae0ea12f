package netem

import "time"

// A heap keeps values by time; those of the same time leave in the order they came.
type heap[T any] struct {
	entries []entry[T]
	order   uint64
}

type entry[T any] struct {
	at    time.Duration
	order uint64
	value T
}

func (e *entry[T]) before(o *entry[T]) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

func (h *heap[T]) len() int { return len(h.entries) }

// nextAt returns the time of the first value.
func (h *heap[T]) nextAt() (at time.Duration, ok bool) {
	if len(h.entries) == 0 {
		return 0, false
	}
	return h.entries[0].at, true
}

func (h *heap[T]) push(at time.Duration, value T) {
	h.entries = append(h.entries, entry[T]{at, h.order, value})
	h.order++
	for i := len(h.entries) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.entries[i].before(&h.entries[parent]) {
			break
		}
		h.entries[i], h.entries[parent] = h.entries[parent], h.entries[i]
		i = parent
	}
}

// pop removes the first value; the heap must not be empty.
func (h *heap[T]) pop() (at time.Duration, value T) {
	first := h.entries[0]
	last := len(h.entries) - 1
	h.entries[0] = h.entries[last]
	h.entries[last] = entry[T]{} // So that the garbage collector gets the packet.
	h.entries = h.entries[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h.entries[child].before(&h.entries[least]) {
				least = child
			}
		}
		if least == i {
			return first.at, first.value
		}
		h.entries[i], h.entries[least] = h.entries[least], h.entries[i]
		i = least
	}
}
