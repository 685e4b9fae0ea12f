package reliable

import "udpchat/reliable/internal/planted"

// misread is what planted bugs do to n bytes that were just read into p. It returns how many the reader gets.
func (s *MachineStream) misread(p []byte, n int) int {
	switch s.m.cfg.Planted {
	case planted.ReadSkips:
		if len(p)-n < ReadBytesMin {
			s.arq.Recv(make([]byte, s.arq.Readable()))
		}
	case planted.StreamsMixed:
		for _, o := range s.m.streams {
			if n == 0 && o != s && o.bounded && s.bounded && o.Lane() == s.Lane() {
				n = o.arq.Recv(p)
			}
		}
	case planted.ReadSwaps:
		half := n / 2
		for i := range half {
			p[i], p[half+i] = p[half+i], p[i]
		}
	case planted.ReadRepeats:
		if 2*n <= len(p) {
			n += copy(p[n:], p[:n])
		}
	}
	return n
}
