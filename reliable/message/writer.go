package message

import (
	"fmt"
	"io"
)

// A Writer writes messages to a stream.
type Writer struct {
	dst     io.Writer // Constant after NewWriter.
	cfg     Config    // Constant after NewWriter.
	scratch []byte    // For frames that are written whole, and heads; at most wholeBytesMax.
	err     error     // Why the stream is of no use any more.
}

// NewWriter returns a Writer to dst. Nobody else may write to it while a call of the Writer lasts.
func NewWriter(dst io.Writer, cfg Config) *Writer {
	return &Writer{dst: dst, cfg: cfg.withDefaults()}
}

// WriteMessage writes m as one message: with one Write if the frame is at most 4 KiB, so that it stays one segment;
// else with several of at most 64 KiB, all but the first straight from m. It blocks as long as the stream does.
//
// After an error with which part of the frame was written, the stream is of no use: every later call returns the same
// error. Otherwise the message can be written again.
func (w *Writer) WriteMessage(m []byte) error {
	if err := w.check(len(m)); err != nil {
		return err
	}
	w.scratch = appendLength(w.scratch[:0], len(m))
	n := min(len(m), wholeBytesMax-len(w.scratch))
	w.scratch = append(w.scratch, m[:n]...)
	if err := w.write(w.scratch, true); err != nil {
		return err
	}
	for rest := m[n:]; len(rest) > 0; rest = rest[n:] {
		n = min(len(rest), pieceBytesMax)
		if err := w.write(rest[:n], false); err != nil {
			return err
		}
	}
	return nil
}

// WriteFrom writes the next n bytes of r as one message, without ever holding more than 64 KiB of them. It reads
// no further. The rest is as with WriteMessage; if r ends early, the error matches io.ErrUnexpectedEOF.
func (w *Writer) WriteFrom(r io.Reader, n int) error {
	if err := w.check(n); err != nil {
		return err
	}
	buf := appendLength(make([]byte, 0, min(FrameBytes(n), pieceBytesMax)), n)
	for first := true; first || n > 0; first = false {
		part := buf[len(buf):min(len(buf)+n, cap(buf))]
		if got, err := io.ReadFull(r, part); err != nil {
			return w.sourceError(err, n-got, first)
		}
		if err := w.write(buf[:len(buf)+len(part)], first); err != nil {
			return err
		}
		n -= len(part)
		buf = buf[:0] // The head was in the first piece.
	}
	return nil
}

// check returns why no message of n bytes can be written.
func (w *Writer) check(n int) error {
	if w.err != nil {
		return w.err
	}
	if n > w.cfg.MessageBytesMax {
		return &TooLongError{Bytes: n, Allowed: w.cfg.MessageBytesMax}
	}
	if n < 0 {
		panic(fmt.Sprintf("BUG: message: message of %d bytes", n))
	}
	return nil
}

// write writes a piece of a frame.
func (w *Writer) write(p []byte, first bool) error {
	n, err := w.dst.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("message: writing: %w", err)
	if n > 0 || !first {
		w.err = err
	}
	return err
}

// sourceError says that the bytes of a message could not be had; missing of them were not. If its head is out, the
// stream waits for them for ever.
func (w *Writer) sourceError(err error, missing int, first bool) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	err = fmt.Errorf("message: reading what to write, %d bytes missing: %w", missing, err)
	if !first {
		w.err = err
	}
	return err
}
