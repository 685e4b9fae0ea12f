package memory

// A ring is a queue of entries in one array, which grows to the longest the queue ever was: a log
// that is full takes and forgets entries without allocating.
type ring struct {
	buf  []entry
	head int // Where in buf the oldest is.
	n    int // How many there are.
}

func (r *ring) len() int { return r.n }

// at returns the entry at i, 0 being the oldest. It is valid until the next push or pop.
func (r *ring) at(i int) *entry {
	if i < 0 || i >= r.n {
		panic("BUG: memory: no such entry in the ring")
	}
	return &r.buf[(r.head+i)%len(r.buf)]
}

// push adds the newest entry.
func (r *ring) push(en entry) {
	if r.n == len(r.buf) {
		buf := make([]entry, max(2, 2*r.n)) // Most logs are of rooms that one client entered and left.
		for i := range r.n {
			buf[i] = *r.at(i)
		}
		r.buf, r.head = buf, 0
	}
	r.n++
	*r.at(r.n - 1) = en
}

// pop removes and returns the oldest entry, which must be there.
func (r *ring) pop() entry {
	oldest := r.at(0)
	en := *oldest
	*oldest = entry{} // The array must not keep what was forgotten.
	r.head = (r.head + 1) % len(r.buf)
	r.n--
	return en
}
