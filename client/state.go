package client

import (
	"fmt"
	"sync"
	"time"

	"udpchat/chat/wire/native"
)

// A State keeps what a client must know again when it is started again. Whoever uses one State is one device: the
// server knows a message by its device and a number the device has given it, so a number must never be used twice, also
// not after a crash. Two clients must not use one State at the same time.
type State interface {
	// Load returns what Save has kept, the zero Saved if there is nothing.
	Load() (Saved, error)
	// Save keeps s. When it returns nil, s survives the end of the program.
	Save(s Saved) error
}

// Saved is what a State keeps.
type Saved struct {
	Name    string `json:"name,omitempty"`    // Of the account, as Config spells it.
	Account string `json:"account,omitempty"` // As the server spells it.
	Device  string `json:"device,omitempty"`  // Given by the server, with the token.
	Token   string `json:"token,omitempty"`   // Logs the device in, without a password. A secret.

	// Counter is the highest number that may have been given to a message.
	Counter uint64 `json:"counter,omitempty"`

	// TCPUntil is until when TCP is tried before UDP, because only TCP has reached the server.
	TCPUntil time.Time `json:"tcp_until,omitzero"`
}

// A numbers gives messages their numbers, each once, whatever happens to the program. It is safe for concurrent use.
type numbers struct {
	state State // Constant.

	mu    sync.Mutex
	saved Saved  // Guarded by mu: what the State has.
	last  uint64 // Guarded by mu: given last.

	skipped uint64 // Guarded by mu: numbers up to it are not given any more, since one below it was used before.
}

// openNumbers loads the State.
func openNumbers(state State) (*numbers, error) {
	saved, err := state.Load()
	if err != nil {
		return nil, fmt.Errorf("client: loading the state: %w", err)
	}
	return &numbers{state: state, saved: saved, last: saved.Counter}, nil
}

// next returns a number that was never returned before for this device. It writes once for each counterBlock numbers.
func (n *numbers) next() (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == n.saved.Counter {
		if err := n.changeLocked(func(s *Saved) { s.Counter = n.last + counterBlock }); err != nil {
			return 0, err
		}
	}
	n.last++
	return n.last, nil
}

// loaded returns what the State has.
func (n *numbers) loaded() Saved {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.saved
}

// skip goes on far above used, a number that the server has another message of: the State was put back to what it was a while
// ago, or is somewhere else, too. There is nothing to do where that has been done.
func (n *numbers) skip(used uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if used <= n.skipped {
		return nil
	}
	to := n.last + counterSkip
	if err := n.changeLocked(func(s *Saved) { s.Counter = to + counterBlock }); err != nil {
		return err
	}
	n.last, n.skipped = to, to
	return nil
}

// become makes the State that of the device we have logged in as, whose numbers begin anew if it is another one. name is that of the account as Config spells it. The zero LoggedIn forgets the device.
func (n *numbers) become(name string, l native.LoggedIn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.saved
	s.Account = l.Account
	if name != "" {
		s.Name = name
	}
	if s.Device != l.Device {
		s.Device, s.Token, s.Counter = l.Device, "", 0
		n.last, n.skipped = 0, 0
	}
	if l.Token != "" {
		s.Token = l.Token
	}
	if s == n.saved {
		return nil
	}
	return n.changeLocked(func(saved *Saved) { *saved = s })
}

// prefer notes until when TCP goes first. That it could not be written costs 300 ms at the next start.
func (n *numbers) prefer(until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !until.Equal(n.saved.TCPUntil) {
		_ = n.changeLocked(func(s *Saved) { s.TCPUntil = until })
	}
}

// close gives back the numbers that were set aside and not used.
func (n *numbers) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == n.saved.Counter {
		return nil
	}
	return n.changeLocked(func(s *Saved) { s.Counter = n.last })
}

// changeLocked changes what is kept, in the State first.
func (n *numbers) changeLocked(change func(*Saved)) error {
	s := n.saved
	change(&s)
	if err := n.state.Save(s); err != nil {
		return fmt.Errorf("client: saving the state: %w", err)
	}
	n.saved = s
	return nil
}

// A memoryState is a State that ends with the client. The zero value is empty.
type memoryState struct{ saved Saved }

func (m *memoryState) Load() (Saved, error) { return m.saved, nil }
func (m *memoryState) Save(s Saved) error   { m.saved = s; return nil }
