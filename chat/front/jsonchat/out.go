package jsonchat

import (
	"fmt"
	"io"
	"sync"

	"udpchat/chat/session"
)

// An outlet is where the frames to one client go. Small ones are queued with the session at once. One that is larger than
// an outbox likes is written in pieces, as the peer takes them, by whoever has the turn; what is pushed meanwhile is parked
// behind it, because frames must not be interleaved (PROTOCOL.md 1.1).
type outlet struct {
	session *session.Session
	// drained waits until at most so many bytes wait for the peer. An error says that the session or its Serve has ended.
	drained func(queuedBytes int) error
	wg      sync.WaitGroup // Holds the flusher while there is one.

	mu          sync.Mutex
	turn        chan struct{} // Somebody writes in pieces; closed when that is over. nil: nobody does. Guarded by mu.
	parked      [][]byte      // Guarded by mu.
	parkedBytes int           // Guarded by mu.
}

// push queues a whole frame that nobody asked for here. It does not block; b must not be changed any more.
func (o *outlet) push(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.turn == nil && len(b) <= pieceBytes {
		_ = o.session.Enqueue(b) // The error says that the session has ended; its reader finds out.
		return
	}
	if len(b) > parkedBytesMax-o.parkedBytes {
		o.session.Abort(session.ErrSlow)
		return
	}
	o.parked = append(o.parked, b)
	o.parkedBytes += len(b)
	if o.turn == nil {
		o.turn = make(chan struct{})
		o.startFlusherLocked()
	}
}

// startFlusherLocked writes what is parked, and then gives the turn back, which the caller has.
func (o *outlet) startFlusherLocked() {
	// Owns the turn; ends when nothing is parked, or with the session or its Serve, which waits for it.
	o.wg.Go(func() {
		for b := o.next(); b != nil; b = o.next() {
			if o.pieces(b) != nil {
				o.endTurn() // The session has ended; its reader finds out.
				return
			}
		}
	})
}

// next returns what was parked first; if there is nothing, the turn is over.
func (o *outlet) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.parked) == 0 {
		o.endTurnLocked()
		return nil
	}
	b := o.parked[0]
	o.parked = o.parked[1:]
	o.parkedBytes -= len(b)
	return b
}

// endTurn gives up the turn, and what is parked.
func (o *outlet) endTurn() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endTurnLocked()
}

func (o *outlet) endTurnLocked() {
	close(o.turn)
	o.turn, o.parked, o.parkedBytes = nil, nil, 0
}

// pieces writes b in pieces, as the peer takes them.
func (o *outlet) pieces(b []byte) error {
	for len(b) > 0 {
		if err := o.drained(aheadBytes); err != nil {
			return err
		}
		n := min(len(b), pieceBytes)
		if err := o.session.Enqueue(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// copyPayload writes the next payloadBytes of payload, as the peer takes them.
func (o *outlet) copyPayload(payload io.Reader, payloadBytes int64) error {
	for payloadBytes > 0 {
		if err := o.drained(aheadBytes); err != nil {
			return err
		}
		b := make([]byte, min(payloadBytes, pieceBytes)) // A new one each time: the session keeps it.
		if _, err := io.ReadFull(payload, b); err != nil {
			return fmt.Errorf("jsonchat: reading what the client waits for: %w", err)
		}
		if err := o.session.Enqueue(b); err != nil {
			return err
		}
		payloadBytes -= int64(len(b))
	}
	return nil
}

// reply writes a frame, and behind it payloadBytes of payload, which may be nil if that is 0. It returns when all of it is
// queued, with an error only if the session cannot go on.
func (o *outlet) reply(b []byte, payload io.Reader, payloadBytes int64) error {
	if done, err := o.atOnce(b, payloadBytes); done {
		return err
	}
	o.takeTurn()
	err := o.pieces(b)
	if err == nil {
		err = o.copyPayload(payload, payloadBytes)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil || len(o.parked) == 0 {
		o.endTurnLocked()
		return err
	}
	o.startFlusherLocked()
	return nil
}

// atOnce queues a small frame, if nobody has the turn.
func (o *outlet) atOnce(b []byte, payloadBytes int64) (done bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.turn != nil || payloadBytes > 0 || len(b) > pieceBytes {
		return false, nil
	}
	return true, o.session.Reply(b)
}

// takeTurn waits until nobody has the turn, and takes it. The only other one that takes turns is the flusher, which ends
// with the session.
func (o *outlet) takeTurn() {
	for {
		o.mu.Lock()
		turn := o.turn
		if turn == nil {
			o.turn = make(chan struct{})
		}
		o.mu.Unlock()
		if turn == nil {
			return
		}
		<-turn
	}
}
