package message

import "fmt"

// A Decoder turns bytes that come from elsewhere into messages. It is pure: no I/O, it only copies what the next bytes
// are needed for.
type Decoder struct {
	cfg  Config
	in   []byte               // What was fed and not taken; belongs to the caller.
	head [HeaderBytesMax]byte // The length, as far as it came.
	own  []byte               // For messages that fit and came in pieces; made when first needed, then kept.
	hold hold                 // The message under way, if part of it came.

	headBytes int   // How much of head is valid.
	begun     bool  // The length is known: it is length.
	length    int   // Of the message under way.
	skipBytes int   // How much of a refused message has still to come.
	err       error // Why nothing can follow.
}

// NewDecoder returns a Decoder. Close it when the stream has ended, so that the budget gets back what it holds.
func NewDecoder(cfg Config) *Decoder {
	cfg = cfg.withDefaults()
	return &Decoder{cfg: cfg, hold: hold{budget: cfg.Budget}}
}

// Feed lends the decoder the next bytes of the stream. The caller must leave them alone and call Next until it returns
// ok == false without an error before it feeds more. After an error that is not Refused they are ignored.
func (d *Decoder) Feed(b []byte) {
	if d.err != nil {
		return
	}
	if len(d.in) > 0 {
		panic(fmt.Sprintf("BUG: message: Feed while %d bytes wait for Next", len(d.in)))
	}
	d.in = b
}

// Next returns the next message, valid until the next call on the Decoder. ok is false when more bytes are needed. If the
// error is Refused, the next call goes on behind the refused message; any other is final and returned again.
func (d *Decoder) Next() (m []byte, ok bool, err error) {
	if d.err != nil {
		return nil, false, d.err
	}
	m, ok, err = d.next()
	if !ok && err == nil {
		d.in = nil // The caller's again.
	}
	return m, ok, err
}

func (d *Decoder) next() (m []byte, ok bool, err error) {
	if d.hold.length > 0 && d.hold.full() {
		d.hold.drop() // The message returned last.
	}
	d.skip()
	if !d.begun {
		if ok, err := d.begin(); err != nil || !ok {
			return nil, false, err
		}
	}
	if len(d.hold.buf) == 0 && len(d.in) >= d.length {
		m, d.in = d.in[:d.length:d.length], d.in[d.length:]
		d.begun = false
		return m, true, nil
	}
	return d.assemble()
}

// skip drops what was fed of a refused message.
func (d *Decoder) skip() {
	n := min(d.skipBytes, len(d.in))
	d.skipBytes -= n
	d.in = d.in[n:]
}

// begin takes the length of the next message and reports whether it is there.
func (d *Decoder) begin() (bool, error) {
	for len(d.in) > 0 {
		d.head[d.headBytes] = d.in[0]
		d.headBytes, d.in = d.headBytes+1, d.in[1:]
		n, used, err := parseLength(d.head[:d.headBytes])
		if err != nil {
			return false, d.fail(err)
		}
		if used == 0 {
			continue
		}
		d.headBytes = 0
		if n > BytesMax {
			return false, d.fail(&TooLongError{Bytes: n, Allowed: d.cfg.MessageBytesMax})
		}
		if n > d.cfg.MessageBytesMax {
			d.length, d.skipBytes = n, n
			return false, &TooLongError{Bytes: n, Allowed: d.cfg.MessageBytesMax}
		}
		d.begun, d.length = true, n
		return true, nil
	}
	return false, nil
}

// assemble adds the bytes fed to those held and returns the message if it is complete.
func (d *Decoder) assemble() (m []byte, ok bool, err error) {
	if len(d.in) == 0 {
		return nil, false, nil
	}
	if len(d.hold.buf) == 0 {
		if d.own == nil {
			d.own = make([]byte, d.cfg.BufferBytes)
		}
		d.hold.begin(d.own, d.length, d.cfg.BufferBytes)
	}
	n := min(d.length-len(d.hold.buf), len(d.in))
	if !d.hold.add(d.in[:n]) {
		received := len(d.hold.buf)
		d.skipBytes = d.length - received
		d.begun = false
		d.hold.drop()
		return nil, false, overBudget(received, d.length)
	}
	d.in = d.in[n:]
	if !d.hold.full() {
		return nil, false, nil
	}
	d.begun = false
	return d.hold.buf[:d.length:d.length], true, nil
}

// End says that the stream has ended. It returns nil if that was between two messages, otherwise an error that matches
// io.ErrUnexpectedEOF, or the one that Next has returned. All of Next's messages must have been taken.
func (d *Decoder) End() error {
	switch {
	case d.err != nil:
		return d.err
	case d.headBytes > 0:
		return d.fail(truncatedHead())
	case d.begun:
		return d.fail(truncated(len(d.hold.buf), d.length))
	case d.skipBytes > 0:
		return d.fail(truncated(d.length-d.skipBytes, d.length))
	}
	return nil
}

// Close gives back what the Decoder holds, also the message it returned last. After it Next returns ErrClosed, or the
// final error there was.
func (d *Decoder) Close() {
	if d.err == nil {
		d.err = ErrClosed
	}
	d.hold.drop()
	d.own, d.in = nil, nil
}

// fail remembers that nothing can follow.
func (d *Decoder) fail(err error) error {
	d.err = err
	d.hold.drop()
	d.in = nil
	return err
}
