package compare

import (
	"sync"
	"time"
)

// A sheet is what is written down during a run. Its methods are safe for concurrent use.
type sheet struct {
	spec     Spec
	plan     []time.Duration // since first
	backPlan []time.Duration // of the server's own messages, since first
	complete chan struct{}   // closed when everything planned has arrived

	mu    sync.Mutex
	res   Result          // guarded by mu, as is all below
	first time.Duration   // since the start of the link
	came  []time.Duration // by message, since the start; 0: not yet
	back  []bool          // by message of the server: it has come
	left  int
	file  bool // a file is being sent
	ended bool
}

func newSheet(spec Spec, w Workload) *sheet {
	s := &sheet{spec: spec, plan: w.Plan(spec.Seed, spec.Messages), file: w.File, complete: make(chan struct{}), res: newResult(spec)}
	s.came, s.left = make([]time.Duration, len(s.plan)), len(s.plan)
	s.backPlan = w.backPlan(spec.Seed, spec.Messages)
	s.back = make([]bool, len(s.backPlan))
	s.res.BackSent = len(s.backPlan)
	if w.File {
		s.res.FileByTime = make([]uint64, (spec.Duration+time.Second-1)/time.Second)
		s.res.FileSeconds = spec.Duration.Seconds()
	}
	return s
}

// connected notes how long the handshake took.
func (s *sheet) connected(took time.Duration, note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.res.ConnectMs, s.res.Note = milliseconds(took), note
}

// begin sets the time of the first message.
func (s *sheet) begin(first time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = first
	if s.file {
		s.res.FileStartMs = milliseconds(first)
	}
}

// start returns what begin was told.
func (s *sheet) start() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// over is how long after the first message's time the run ends at the latest. A file without messages ends with its time.
func (s *sheet) over(w Workload) time.Duration {
	last := time.Duration(0)
	if n := len(s.plan); n > 0 {
		last = s.plan[n-1] + s.spec.Wait
	}
	if w.File {
		last = max(last, s.spec.Duration)
	}
	return last
}

// arrived notes that a message has come; a second time does not count.
func (s *sheet) arrived(number int, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := number - backNumber; i >= 0 && i < len(s.back) && !s.back[i] && !s.ended {
		s.back[i] = true
		s.res.BackDelivered++
	}
	if number >= len(s.came) || s.came[number] != 0 || s.ended {
		return
	}
	s.came[number] = now
	if s.left--; s.left == 0 && !s.file {
		close(s.complete)
	}
}

// piece notes that bytes of the file have come.
func (s *sheet) piece(now time.Duration, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := int((now - s.first) / time.Second); now < s.first+s.spec.Duration && !s.ended && second < len(s.res.FileByTime) {
		s.res.FileBytes += uint64(bytes)
		s.res.FileByTime[second] += uint64(bytes)
	}
}

// wrote counts what the transport has taken.
func (s *sheet) wrote(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.res.PayloadBytes += uint64(bytes)
}

// failed keeps the first error before the end.
func (s *sheet) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.res.Error == "" {
		s.res.Error = err.Error()
	}
}

// end says that what comes from now on, while the ends are closed, does not count.
func (s *sheet) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// fileOver says that the time of the file is over: now only messages are waited for.
func (s *sheet) fileOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = false
	if s.left == 0 {
		close(s.complete)
	}
}

func (s *sheet) split(sp Split) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.res.Split = &sp
}

// result sums up.
func (s *sheet) result() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.res
	r.Sent = len(s.plan)
	r.Delivered = 0
	for i, at := range s.plan {
		planned := s.first + at
		r.PlannedMs = append(r.PlannedMs, milliseconds(planned))
		if s.came[i] == 0 {
			r.LatencyMs = append(r.LatencyMs, -1)
			continue
		}
		r.Delivered++
		r.LatencyMs = append(r.LatencyMs, milliseconds(s.came[i]-planned))
	}
	return r
}
