package compare

import (
	"time"

	"udpchat/reliable/netem"
)

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

// A Link is both directions by name.
type Link struct {
	Name     string
	Text     string
	Up, Down netem.Params
}

// LinkNamed returns the named profile of netem as a link.
func LinkNamed(name string) (Link, error) {
	p, err := netem.ProfileNamed(name)
	return Link{Name: p.Name, Text: p.Text, Up: p.Up, Down: p.Down}, err
}

// Profile returns the link as netem has it.
func (l Link) Profile() netem.Profile {
	return netem.Profile{Name: l.Name, Text: l.Text, Up: l.Up, Down: l.Down}
}

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
	}
	if s.Messages == 0 {
		s.Messages = messagesVirtual
	}
	return s
}
