package compare

import "time"

// A Spec is one run. It is plain data: it goes to child processes as JSON.
type Spec struct {
	Transport string
	Lane      Lane
	Workload  string
	Link      Link
	Seed      uint64 // of this run: link, plan and identifiers
	Run       int    // which run of its kind it is, from 0; for the reader
	Messages  int    // how many messages; unused by the workload file
	// Duration is how long a file is sent.
	Duration time.Duration
	// Lead is the time before the first message, for handshakes; a handshake that takes longer delays it.
	Lead time.Duration
	// Wait is how long after the last message is waited for what is still missing.
	Wait time.Duration
}

// Planned is how long the run takes if everything arrives at once.
func (s Spec) Planned() time.Duration {
	s = s.withDefaults()
	w, _ := WorkloadNamed(s.Workload) // Without one there is nothing to wait for.
	return s.lasts(w) - s.Wait
}

// Calibrates reports whether the run is of the instrument's own.
func (s Spec) Calibrates() bool { return isCalibration(s.Link.Name) }

// withDefaults fills what is zero.
func (s Spec) withDefaults() Spec {
	if s.Lead == 0 {
		s.Lead = leadDefault
	}
	if s.Wait == 0 {
		s.Wait = waitDefault
	}
	if s.Duration == 0 {
		s.Duration = fileDefault
		if w, err := WorkloadNamed(s.Workload); err == nil && w.Beside != "" {
			s.Duration = besideDefault
		}
	}
	if s.Messages == 0 {
		s.Messages = messagesVirtual
	}
	return s
}
