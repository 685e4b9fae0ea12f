package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
)

// A PrivateState is how far a direct connection with somebody has come.
type PrivateState uint8

const (
	// PrivateAsked: they want one. Private accepts, StopPrivate declines.
	PrivateAsked PrivateState = iota
	// PrivateUp: there is one. What is said in the conversation goes over it, past the server, and is in no log.
	PrivateUp
	// PrivateOver: there is none, or none any more. What is said goes through the server, also what the other had not
	// confirmed.
	PrivateOver
)

// Private says what has become of a direct connection with Peer.
type Private struct {
	Peer, Log string // Log: their conversation; empty if there is none yet.
	State     PrivateState
	Address   string // PrivateUp: where they are.
	Words     string // PrivateUp: both see the same if nobody sits in between; see reliable.Words.
	Err       error  // PrivateOver: why; nil: somebody ended or declined it.
}

func (Private) event() {}

var (
	// ErrNoPrivate says that there is no direct connection to end, and nobody wants one.
	ErrNoPrivate = errors.New("client: there is no direct connection with that account")

	// ErrUnconfirmed says that the other has not confirmed for some time what was said directly.
	ErrUnconfirmed = errors.New("client: nothing comes back over the direct connection")

	// ErrUnanswered says that nobody accepted a direct connection in time.
	ErrUnanswered = errors.New("client: nobody accepted in time")
)

// A private is a direct connection with another account, from the first word about it to its end. Its fields are guarded
// by Client.mu.
type private struct {
	peer, log string
	device    string // Of the peer; empty: any has been asked.
	call      []byte // Names the introduction.
	mine      bool   // We have asked, and dial.
	asked     bool   // They have, and we have not answered.
	key       reliable.Key
	where     []netip.AddrPort
	cancel    context.CancelFunc // Ends the waiting, the meeting and the connection.
	ended     bool

	up      bool
	more    chan struct{} // There is something in out.
	out     []byte        // Frames to be written.
	unacked []*Message    // In the order of their numbers.
	bytes   int           // Of unacked.
}

// Private asks another account for a direct connection, or accepts if they have asked. It returns their conversation when
// the question has been passed on; what becomes of it comes as Private events.
func (c *Client) Private(ctx context.Context, peer string) (Place, error) {
	place, err := c.Direct(ctx, peer, 0)
	if err != nil {
		return place, err
	}
	p, step, err := c.wantPrivate(place)
	if p == nil {
		return place, err
	}
	if err := c.introduce(ctx, p, step); err != nil {
		c.mu.Lock()
		p.ended = true // Who has called is told.
		c.endPrivateLocked(p, err)
		c.mu.Unlock()
		return place, err
	}
	return place, nil
}

// wantPrivate notes that we want a direct connection, and returns what to tell the other; nil: nothing.
func (c *Client) wantPrivate(place Place) (p *private, step native.Step, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p = c.privates[place.Peer]
	switch {
	case p != nil && p.asked:
		p.asked, p.log = false, place.Log
		return p, native.StepAccept, c.meetLocked(p)
	case p != nil:
		return nil, 0, nil // It is under way.
	case len(c.privates) >= privatesMax:
		return nil, 0, ErrFull
	}
	p = &private{peer: place.Peer, log: place.Log, call: make([]byte, native.CallBytesMax), mine: true}
	_, _ = rand.Read(p.call) // It does not fail.
	c.addPrivateLocked(p)
	return p, native.StepRequest, nil
}

// addPrivateLocked takes note of one that is not accepted yet, for a time.
func (c *Client) addPrivateLocked(p *private) {
	ctx, cancel := context.WithCancel(c.stop)
	p.cancel, p.more = cancel, make(chan struct{}, 1)
	c.privates[p.peer] = p
	t := time.AfterFunc(privateAnswerWait, func() {
		c.mu.Lock()
		waiting := p.mine && p.key == (reliable.Key{}) || p.asked
		c.mu.Unlock()
		if waiting {
			c.endPrivate(p, ErrUnanswered)
		}
	})
	context.AfterFunc(ctx, func() { t.Stop() })
}

// StopPrivate ends a direct connection with another account, takes back the question for one, or declines it. An empty name is
// the only one there is.
func (c *Client) StopPrivate(ctx context.Context, peer string) error {
	c.mu.Lock()
	p := c.privates[peer]
	if peer == "" && len(c.privates) == 1 {
		for _, p = range c.privates {
		}
	}
	if p == nil {
		c.mu.Unlock()
		return ErrNoPrivate
	}
	step := native.StepEnd
	if p.asked {
		step = native.StepDecline
	}
	c.mu.Unlock()
	c.endPrivate(p, nil)
	return c.introduce(ctx, p, step)
}

// introduce sends the peer a message of the introduction.
func (c *Client) introduce(ctx context.Context, p *private, step native.Step) error {
	c.mu.Lock()
	m := native.Private{Peer: p.peer, Device: p.device, Call: p.call, Step: step}
	c.mu.Unlock()
	if step == native.StepRequest || step == native.StepAccept {
		e, err := c.net.socket()
		if err != nil {
			return err
		}
		key, err := e.ServerKey()
		if err != nil {
			return err
		}
		where, err := e.Candidates()
		if err != nil {
			return err
		}
		m.Key = key[:]
		for _, a := range where[:min(len(where), native.AddressesMax)] {
			m.Addresses = append(m.Addresses, a.String())
		}
	}
	return c.Introduce(ctx, m)
}

// introducedLocked takes a message of an introduction. It is the machine's, with the lock held.
func (c *Client) introducedLocked(in native.Private) {
	p := c.privates[in.Peer]
	ours := p != nil && string(p.call) == string(in.Call) && (p.device == "" || p.device == in.Device)
	switch in.Step {
	case native.StepRequest:
		c.requestedLocked(p, in)
	case native.StepAccept:
		if ours && p.mine && p.key == (reliable.Key{}) && !p.ended {
			if err := p.take(in); err == nil {
				err = c.meetLocked(p)
				if err == nil {
					return
				}
			}
			c.endPrivateLocked(p, errors.New("client: the other's answer makes no sense"))
		}
	case native.StepDecline, native.StepEnd:
		if ours {
			c.endPrivateLocked(p, nil)
		}
	case native.StepOffer: // More addresses: those at which we hear the other count anyway.
	}
}

// requestedLocked takes somebody's wish for a direct connection. Who has asked us while we asked them is accepted by one
// of the two, the one with the later name; the other waits for that.
func (c *Client) requestedLocked(p *private, in native.Private) {
	crossed := p != nil && p.mine && p.key == (reliable.Key{})
	if crossed && c.m.account < in.Peer || p == nil && len(c.privates) >= privatesMax {
		return
	}
	log := ""
	if p != nil { // Theirs is the newer: it knows nothing of ours any more, or ours gives way.
		log = p.log
		p.ended = crossed || p.ended // Nobody is told: it goes on.
		c.endPrivateLocked(p, ErrLost)
	}
	q := &private{peer: in.Peer, log: log, call: in.Call, asked: true}
	if q.take(in) != nil {
		return
	}
	c.addPrivateLocked(q)
	if !crossed {
		c.m.queue.offer(Private{Peer: q.peer, Log: q.log, State: PrivateAsked})
		return
	}
	q.asked = false
	if c.meetLocked(q) != nil {
		return
	}
	c.talks.Go(func() { // Ends when the server has answered, at the latest with the client.
		ctx, cancel := context.WithTimeout(c.stop, privateTellWait)
		defer cancel()
		if err := c.introduce(ctx, q, native.StepAccept); err != nil {
			c.endPrivate(q, err)
		}
	})
}

// take notes who and where the other is.
func (p *private) take(in native.Private) error {
	if len(in.Key) != len(reliable.Key{}) || reliable.Key(in.Key) == (reliable.Key{}) || len(in.Call) < 8 || in.Device == "" {
		return fmt.Errorf("client: an introduction without key, name or device")
	}
	p.device, p.key = in.Device, reliable.Key(in.Key)
	for _, text := range append([]string{in.Seen}, in.Addresses...) {
		if a, err := netip.ParseAddrPort(text); err == nil {
			p.where = append(p.where, a)
		}
	}
	return nil
}

// meeting is what the two know of each other.
func (p *private) meeting() reliable.Meeting {
	return reliable.Meeting{
		Nonce: binary.BigEndian.Uint64(p.call) | 1, Key: p.key, Candidates: p.where, Dial: p.mine,
	}
}

// endPrivate ends a direct connection, or the wish for one; err says why, nil that somebody wanted it.
func (c *Client) endPrivate(p *private, err error) {
	c.mu.Lock()
	c.endPrivateLocked(p, err)
	c.mu.Unlock()
	c.wake()
	signal(c.queued)
}

// endPrivateLocked is endPrivate. What was said and not confirmed goes through the server, with the numbers it has.
func (c *Client) endPrivateLocked(p *private, err error) {
	p.cancel()
	if c.privates[p.peer] == p {
		delete(c.privates, p.peer)
	}
	if !p.ended {
		p.ended = true
		c.m.queue.offer(Private{Peer: p.peer, Log: p.log, State: PrivateOver, Err: err})
	}
	for _, m := range p.unacked {
		c.m.outbox.restore(m)
		c.m.tell(m)
	}
	p.unacked, p.up = nil, false
	if c.m.verdict.final { // Nothing goes through the server any more.
		for _, m := range c.m.outbox.end(ErrClosed) {
			c.m.tell(m)
		}
	}
}
