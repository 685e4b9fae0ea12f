package reliable

// fifo is a queue of bytes that holds no memory while it is empty.
type fifo struct {
	buf []byte
	off int
}

func (f *fifo) len() int { return len(f.buf) - f.off }

func (f *fifo) bytes() []byte { return f.buf[f.off:] }

// write appends p.
func (f *fifo) write(p []byte) {
	if f.off > 0 && len(f.buf)+len(p) > cap(f.buf) {
		f.buf = append(f.buf[:0], f.buf[f.off:]...)
		f.off = 0
	}
	f.buf = append(f.buf, p...)
}

// drop removes n bytes from the front.
func (f *fifo) drop(n int) {
	f.off += n
	if f.off == len(f.buf) {
		*f = fifo{}
	}
}

// read moves bytes from the front to p.
func (f *fifo) read(p []byte) int {
	n := copy(p, f.bytes())
	f.drop(n)
	return n
}
