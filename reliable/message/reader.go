package message

import (
	"errors"
	"fmt"
	"io"
)

// A Reader reads messages from a stream: whole ones with Next, or the length with Begin and then either the bytes with
// Read, as they come, or all of them with Rest.
//
// When reading the stream fails with a timeout, nothing is lost: the same method called again goes on where it stopped.
type Reader struct {
	src io.Reader // Constant after NewReader.
	cfg Config    // Constant after NewReader.

	buf        []byte // The stream's own buffer; made when first needed.
	start, end int    // buf[start:end] was read from src and not taken.
	srcErr     error  // Came from src together with bytes; to be reported behind them.
	err        error  // Why nothing can follow.

	length     int  // Of the message begun.
	leftBytes  int  // How much of the message begun was not taken.
	skipBytes  int  // How much of a refused or abandoned message is still to be thrown away.
	assembling bool // Rest is putting together the message begun, in hold or buf.
	hold       hold // The message begun, if it does not fit into buf.
}

var errMixed = errors.New("message: Read of a message that Next or Rest has begun")

// NewReader returns a Reader of src. It reads ahead, so src must not be read by others afterwards. Close the Reader when
// the stream has ended, so that the budget gets back what it holds.
func NewReader(src io.Reader, cfg Config) *Reader {
	cfg = cfg.withDefaults()
	return &Reader{src: src, cfg: cfg, hold: hold{budget: cfg.Budget}}
}

// Next returns the next message, valid until the next call on the Reader. What is left of one that Begin has begun is
// skipped. It blocks until the message is complete.
//
// At the end of the stream the error is io.EOF between two messages and matches io.ErrUnexpectedEOF inside of one. If it
// is Refused, the next call goes on behind the refused message. Errors of the stream are wrapped.
func (r *Reader) Next() ([]byte, error) {
	if !r.assembling {
		if _, err := r.Begin(); err != nil {
			return nil, err
		}
	}
	return r.Rest()
}

// Begin waits for the next message and returns its length, as soon as that is there. What is left of the message before
// is skipped, which blocks until it has come. Errors are those of Next.
func (r *Reader) Begin() (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	r.abandon()
	if err := r.skip(); err != nil {
		return 0, err
	}
	for {
		n, used, err := parseLength(r.buf[r.start:r.end])
		if err != nil {
			return 0, r.fail(err)
		}
		if used > 0 {
			r.start += used
			return r.begin(n)
		}
		if err := r.fill(); err != nil {
			return 0, r.srcError(err)
		}
	}
}

// begin starts a message of n bytes, if it may be that long.
func (r *Reader) begin(n int) (int, error) {
	switch {
	case n > BytesMax:
		return 0, r.fail(&TooLongError{Bytes: n, Allowed: r.cfg.MessageBytesMax})
	case n > r.cfg.MessageBytesMax:
		r.length, r.skipBytes = n, n
		return 0, &TooLongError{Bytes: n, Allowed: r.cfg.MessageBytesMax}
	}
	r.length, r.leftBytes = n, n
	return n, nil
}

// Read reads bytes of the message that Begin has begun, at its end io.EOF. It holds nothing but the Reader's buffer,
// however long the message is. It blocks until there is a byte.
func (r *Reader) Read(p []byte) (int, error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case r.assembling:
		return 0, errMixed
	case len(p) == 0:
		return 0, nil
	case r.leftBytes == 0:
		return 0, io.EOF
	}
	p = p[:min(len(p), r.leftBytes)]
	if r.start == r.end && len(p) >= r.cfg.BufferBytes {
		n, err := r.read(p)
		r.leftBytes -= n
		if err != nil {
			return 0, r.srcError(err)
		}
		return n, nil
	}
	if r.start == r.end {
		if err := r.fill(); err != nil {
			return 0, r.srcError(err)
		}
	}
	n := copy(p, r.buf[r.start:r.end])
	r.start += n
	r.leftBytes -= n
	return n, nil
}

// Left returns how many bytes of the message begun have not been read.
func (r *Reader) Left() int { return r.leftBytes }

// Rest returns what has not been read of the message that Begin has begun, as one slice that is valid until the next call
// on the Reader: nothing if no message was begun. It blocks until all of it is there. Errors are those of Next.
func (r *Reader) Rest() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if !r.assembling {
		r.hold.drop() // The message returned last.
		r.assembling = true
	}
	if r.hold.length == 0 {
		// Small messages, and the beginning of others, are collected in the buffer.
		for r.end-r.start < min(r.leftBytes, r.cfg.BufferBytes) {
			if err := r.fill(); err != nil {
				return nil, r.srcError(err)
			}
		}
		if r.leftBytes <= r.cfg.BufferBytes {
			m := r.buf[r.start : r.start+r.leftBytes : r.start+r.leftBytes]
			r.start += r.leftBytes
			r.leftBytes, r.assembling = 0, false
			return m, nil
		}
		r.hold.begin(nil, r.leftBytes, r.cfg.BufferBytes)
	}
	return r.assemble()
}

// assemble reads the rest of the message into the hold and returns it.
func (r *Reader) assemble() ([]byte, error) {
	for !r.hold.full() {
		room, ok := r.hold.room()
		if !ok {
			received := r.length - r.leftBytes
			r.abandon()
			return nil, overBudget(received, r.length)
		}
		n := copy(room, r.buf[r.start:r.end])
		r.start += n
		if n == 0 {
			var err error
			if n, err = r.read(room); err != nil {
				return nil, r.srcError(err)
			}
		}
		r.hold.buf = r.hold.buf[:len(r.hold.buf)+n]
		r.leftBytes -= n
	}
	r.assembling = false
	return r.hold.buf[:len(r.hold.buf):len(r.hold.buf)], nil
}

// Close gives back what the Reader holds, also the message it returned last. It does not close the stream. After it all
// methods return ErrClosed, or the final error there was.
func (r *Reader) Close() {
	if r.err == nil {
		r.err = ErrClosed
	}
	r.hold.drop()
	r.buf, r.start, r.end = nil, 0, 0
}

// abandon gives up the message begun: what is left of it will be skipped.
func (r *Reader) abandon() {
	r.skipBytes += r.leftBytes
	r.leftBytes, r.assembling = 0, false
	r.hold.drop()
}

// skip throws away what has to be.
func (r *Reader) skip() error {
	for {
		n := min(r.skipBytes, r.end-r.start)
		r.start += n
		r.skipBytes -= n
		if r.skipBytes == 0 {
			return nil
		}
		if err := r.fill(); err != nil {
			return r.srcError(err)
		}
	}
}

// fill reads at least one byte into the buffer, which must not be full.
func (r *Reader) fill() error {
	if r.buf == nil {
		r.buf = make([]byte, r.cfg.BufferBytes)
	}
	r.end = copy(r.buf, r.buf[r.start:r.end])
	r.start = 0
	n, err := r.read(r.buf[r.end:])
	r.end += n
	return err
}

// read reads at least one byte from the stream, or returns 0 and an error.
func (r *Reader) read(p []byte) (int, error) {
	if err := r.srcErr; err != nil {
		r.srcErr = nil
		return 0, err
	}
	for range emptyReadsMax {
		n, err := r.src.Read(p)
		if n > 0 {
			r.srcErr = err
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// srcError returns what to tell the caller about an error of the stream.
func (r *Reader) srcError(err error) error {
	left := r.leftBytes + r.skipBytes
	switch {
	case err != io.EOF: // Readers return it unwrapped.
		return fmt.Errorf("message: reading: %w", err)
	case left > 0:
		// Small messages are taken from the buffer all at once, so what is there has come as well.
		return r.fail(truncated(r.length-left+r.end-r.start, r.length))
	case r.end > r.start:
		return r.fail(truncatedHead())
	}
	return io.EOF
}

// fail remembers that nothing can follow.
func (r *Reader) fail(err error) error {
	r.err = err
	r.hold.drop()
	return err
}
