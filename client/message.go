package client

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"udpchat/chat/wire/native"
)

// A MessageState is how far a message of ours has come.
type MessageState uint8

const (
	// Queued: it waits for a connection, or for those before it.
	Queued MessageState = iota
	// Sent: it is on its way, and perhaps stored. It is sent again, as the same message, until the server has answered.
	Sent
	// Stored: it is in the log, once, for everybody and for ever.
	Stored
	// Failed: it is not in the log and will not be, or nobody can tell any more (ErrUnknown).
	Failed
	// Delivered: the other has it over a direct connection. It is in no log.
	Delivered
)

// String returns the state in lower case.
func (s MessageState) String() string {
	switch s {
	case Queued:
		return "queued"
	case Sent:
		return "sent"
	case Stored:
		return "stored"
	case Failed:
		return "failed"
	case Delivered:
		return "delivered"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// A Status is what is known of a message of ours.
type Status struct {
	State MessageState
	Seq   uint64        // Stored: its number in the log.
	Time  time.Time     // Stored: when, by the server's clock. Delivered: when we knew, by ours.
	After time.Duration // Stored, Delivered: from Send until we knew.
	Err   error         // Failed: why. Queued and Sent: why it takes so long, if the server says.
	Sends int           // How often it was sent.
}

// A Message is one of ours on its way. It is safe for concurrent use.
type Message struct {
	Log  string // Constant: where it goes.
	Text string // Constant.
	File *File  // Constant: instead of Text.

	// Owned by the machine; device and counter are written under mu, too.
	device  string
	counter uint64
	made    time.Time
	sent    time.Time // When it was sent last.
	flying  bool      // It was sent over this connection and is not answered.
	ever    bool      // It was sent over any: the server may have it.
	denied  bool      // The server has refused it just now, so it has it not.
	reused  bool      // Its number is another message's.
	passed  bool      // A later one was stored in the same log: its number cannot be stored there any more.
	told    bool      // The program was told of its end.
	tries   int       // How often the server could not tell why not, or had another one of its number.

	mu     sync.Mutex
	status Status // Guarded by mu.
	done   chan struct{}
}

// ID returns the message's id: its device and its number, unless it had to be sent by another device than it was said on.
func (m *Message) ID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return messageID(m.device, m.counter)
}

// Status returns what is known now.
func (m *Message) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Done returns a channel that is closed when the message is stored or has failed.
func (m *Message) Done() <-chan struct{} { return m.done }

// Wait returns when the message is stored, with nil, or has failed, with why, or ctx is done; then it may still be stored.
func (m *Message) Wait(ctx context.Context) error {
	select {
	case <-m.done:
		return m.Status().Err
	case <-ctx.Done():
		select {
		case <-m.done: // What is known counts.
			return m.Status().Err
		default:
			return fmt.Errorf("client: message %s: %w", m.Status().State, ctx.Err())
		}
	}
}

// becomes gives the message its id.
func (m *Message) becomes(device string, counter uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device, m.counter = device, counter
}

// change sets the status, and tells those who wait if it is the last one.
func (m *Message) change(f func(*Status)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.status)
	if m.status.State >= Stored {
		close(m.done)
	}
}

// bytes is what the message counts for outboxBytesMax.
func (m *Message) bytes() int { return len(m.Text) + messageBytes }

// is reports whether an event with the message's id is the message, and not another one that once had its number.
func (m *Message) is(ev native.Event) bool {
	if m.File != nil {
		return ev.File != nil && bytes.Equal(ev.File.Digest, m.File.SHA256[:])
	}
	return ev.File == nil && ev.Text == m.Text
}

// request returns the message as it is said.
func (m *Message) request() native.Say {
	r := native.Say{Log: m.Log, Counter: m.counter, Text: m.Text}
	if m.File != nil {
		r.File = m.File.wire()
	}
	return r
}
