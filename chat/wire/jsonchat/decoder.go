package jsonchat

import (
	"encoding/binary"
	"fmt"
)

// A Frame is one message as it travels.
type Frame struct {
	Form    Form
	JSON    []byte // The decoder's own: valid until its next call.
	Payload int64  // Bytes that follow, to be taken before the next frame.
}

// A FrameError is a header that cannot be. Nothing is kept for it.
type FrameError struct {
	Form          Form
	JSON, Payload int64 // The lengths as they came.

	// Skipped: the frame is only too long, and the stream goes on behind it. Otherwise nobody would wait for where the next
	// frame begins, or knows it: the connection cannot go on.
	Skipped bool
}

// Error describes the fault in one line.
func (e *FrameError) Error() string {
	if e.Payload < 0 {
		return fmt.Sprintf("jsonchat: header announces a payload of %d bytes", e.Payload)
	}
	return fmt.Sprintf("jsonchat: header announces %d bytes of JSON, want 1 to %d", e.JSON, JSONBytesMax)
}

// A Decoder cuts a byte stream into frames. The zero value is ready.
type Decoder struct {
	buf  []byte // Bytes not yet handed out begin at off.
	off  int
	left int64 // Of the payload that is being handed out.
	skip int64 // Of a frame that was refused, still to come.
	want int   // Bytes of the JSON that is coming in; 0 if none is.
	err  error
}

// Feed adds bytes of the stream. It copies b. Take all there is before feeding more, which bounds what the decoder
// holds to one JSON text and one feed.
func (d *Decoder) Feed(b []byte) {
	if d.off > 0 {
		d.buf = append(d.buf[:0], d.buf[d.off:]...)
		d.off = 0
	}
	d.buf = append(d.buf, b...)
}

// Next returns the next frame. ok is false when more bytes are needed, or the last frame's payload was not taken. An
// error is a *FrameError, and stays unless it says Skipped.
func (d *Decoder) Next() (f Frame, ok bool, err error) {
	d.want = 0
	d.skipSome()
	rest := d.buf[d.off:]
	if d.err != nil || d.left > 0 || len(rest) <= shortHeaderBytes {
		d.tidy()
		return Frame{}, false, d.err
	}
	form := detect(rest)
	header := form.headerBytes()
	if len(rest) < header {
		return Frame{}, false, nil
	}
	size := int64(int32(binary.LittleEndian.Uint32(rest)))
	payload := int64(int32(binary.LittleEndian.Uint32(rest[4:])))
	if form == Long {
		payload = int64(binary.LittleEndian.Uint64(rest[4:]))
	}
	if size < 1 || size > JSONBytesMax || payload < 0 {
		return Frame{}, false, d.refuse(form, header, size, payload)
	}
	end := header + int(size)
	if len(rest) < end {
		d.want = int(size)
		return Frame{}, false, nil
	}
	d.off += end
	d.left = payload
	return Frame{Form: form, JSON: rest[header:end:end], Payload: payload}, true, nil
}

// refuse returns the error of a header, and skips the frame or gives the stream up.
func (d *Decoder) refuse(form Form, header int, size, payload int64) error {
	err := &FrameError{Form: form, JSON: size, Payload: payload}
	if size < 1 || payload < 0 || size > skipBytesMax || payload > skipBytesMax-size {
		d.err = err
		d.buf, d.off = nil, 0
		return err
	}
	err.Skipped = true
	d.off += header
	d.skip = size + payload
	return err
}

// skipSome throws away what has come of a frame that was refused.
func (d *Decoder) skipSome() {
	n := min(d.skip, int64(len(d.buf)-d.off))
	d.off += int(n)
	d.skip -= n
}

// Partial returns how many bytes the JSON has that is coming in and is not all there; 0 if there is none. Meaningful after
// Next returned no frame.
func (d *Decoder) Partial() int { return d.want }

// Held returns how many bytes the decoder holds.
func (d *Decoder) Held() int { return len(d.buf) - d.off }

// Left returns how many bytes of the last frame's payload were not taken yet.
func (d *Decoder) Left() int64 { return d.left }

// Take moves bytes of the payload into p, as many as are there, and returns how many that were. 0 with Left above 0
// says that more must be fed.
func (d *Decoder) Take(p []byte) int {
	if int64(len(p)) > d.left {
		p = p[:d.left]
	}
	n := copy(p, d.buf[d.off:])
	d.off += n
	d.left -= int64(n)
	d.tidy()
	return n
}

// tidy gives a large buffer back once it holds nothing.
func (d *Decoder) tidy() {
	if d.off < len(d.buf) {
		return
	}
	d.buf, d.off = d.buf[:0], 0
	if cap(d.buf) > bufferKeptBytes {
		d.buf = nil
	}
}
