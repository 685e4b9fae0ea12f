package relay

import (
	"bytes"
	"strconv"
	"strings"
)

// A Decoder turns the bytes a client sends into requests. The zero value is ready.
type Decoder struct {
	// KeepHeads has silence end no head: on reliable streams a pause may be a lost packet. Set before the first Feed.
	KeepHeads bool

	p     parser
	waits *Send // A SEND whose text is awaited.
	want  int   // Its length.
}

// Feed adds bytes of the stream. It copies b. Take all requests with Next before feeding more, which bounds what the
// decoder holds to one message and one feed.
func (d *Decoder) Feed(b []byte) { d.p.feed(b) }

// Next returns the next request. ok is false when more bytes are needed. An error is a *SyntaxError; nothing comes after
// it, nor after an Incomplete.
func (d *Decoder) Next() (req Request, ok bool, err error) {
	if d.waits == nil {
		lines, ok, err := d.p.nextHead()
		if err != nil || !ok {
			return nil, false, err
		}
		req := request(lines)
		if r, ok := req.(Register); ok && r.Name != "" && d.p.end == wide {
			r.Wide = true
			req = r
		} else if d.p.end != plain {
			d.p.spaced = true
		}
		if _, bad := req.(Incomplete); bad {
			d.p.breakOff()
		}
		send, awaits := req.(*awaiting)
		if !awaits {
			return req, true, nil
		}
		d.waits, d.want = &Send{To: send.To}, send.length
	}
	text, ok, over := d.p.text(d.want)
	switch {
	case over:
		to := d.waits.To
		d.waits = nil
		d.p.breakOff()
		return Incomplete{To: to}, true, nil
	case !ok:
		return nil, false, nil
	}
	send := *d.waits
	d.waits = nil
	send.Text = text
	return send, true, nil
}

// Spaced reports whether the peer has ended a head with a line that has a space in it, and so expects that too.
func (d *Decoder) Spaced() bool { return d.p.spaced }

// Bytes reports whether the peer has shown that it counts bytes, not characters, and so expects that too.
func (d *Decoder) Bytes() bool { return d.p.mode == bytesOf }

// Pending reports whether the decoder holds what may be a whole message. If the peer stays silent now, call Flush.
// Meaningful after Next returned no request and no error.
func (d *Decoder) Pending() bool {
	if d.waits != nil {
		return d.p.pendingText(d.want)
	}
	return !d.KeepHeads && d.p.pendingHead()
}

// Flush declares that the pending message is at its end; the following call of Next returns it. Without one it does
// nothing.
func (d *Decoder) Flush() { d.p.flushing = d.Pending() }

// awaiting is a SEND before its text.
type awaiting struct {
	Send
	length int
}

// request turns a head into its value, or into *awaiting.
func request(lines [][]byte) Request {
	word, rest := cutWord(lines[0])
	switch word {
	case "REGISTER":
		switch role, name := cutWord(rest); role {
		case "TOSEND":
			return Register{Role: ToSend, Name: string(name)}
		case "TORECV":
			return Register{Role: ToRecv, Name: string(name)}
		}
	case "SEND":
		n, ok := contentLength(lines[1:])
		if !ok {
			return Incomplete{To: string(rest)}
		}
		return &awaiting{Send{To: string(rest)}, n}
	case "RECEIVED", "RECIEVED":
		return Received{From: string(rest)}
	case "ERROR":
		return Failed{Code: code(rest)}
	}
	return Unknown{Line: shown(lines[0])}
}

// cutWord returns the first word of a line, and the rest without blanks around it.
func cutWord(line []byte) (word string, rest []byte) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return string(line), nil
	}
	return string(line[:i]), trim(line[i:])
}

// contentLength returns what the lines behind the first one say about the text's length. Only one length is one.
func contentLength(lines [][]byte) (n int, ok bool) {
	for _, line := range lines {
		key, val, found := bytes.Cut(line, []byte{':'})
		if !found || !strings.EqualFold(string(trim(key)), "Content-length") {
			continue
		}
		val = trim(val)
		if ok || len(val) == 0 || len(val) > digitsMax || bytes.ContainsFunc(val, func(r rune) bool { return r < '0' || r > '9' }) {
			return 0, false
		}
		n, _ = strconv.Atoi(string(val)) // Some digits.
		ok = true
	}
	return n, ok && n <= TextBytesMax
}

// code returns the number at the beginning of an ERROR's values; 0 if there is none.
func code(values []byte) Code {
	number, _ := cutWord(values)
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 999 {
		return 0
	}
	return Code(n)
}
