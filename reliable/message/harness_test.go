package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// small is a configuration whose limits tests reach with few bytes.
var small = Config{MessageBytesMax: 1000, BufferBytes: bufferBytesMin}

// text returns a message of n bytes that differ from those of other messages.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(n + i*7 + i>>8)
	}
	return b
}

// stream returns the frames of messages of these lengths.
func stream(lengths ...int) []byte {
	var b []byte
	for _, n := range lengths {
		b = Append(b, text(n))
	}
	return b
}

// outcome is what came out of a stream, in order, printed so that it compares: messages, refusals, the end.
type outcome []string

func (o outcome) String() string { return strings.Join(o, "\n") }

func (o *outcome) message(m []byte) {
	if bytes.Equal(m, text(len(m))) {
		*o = append(*o, fmt.Sprintf("text(%d)", len(m)))
	} else {
		*o = append(*o, fmt.Sprintf("%q", m))
	}
}

func (o *outcome) fail(err error) { *o = append(*o, "error: "+err.Error()) }

// decode feeds pieces to a Decoder, each in memory of its own that is spoilt afterwards, and ends the stream.
func decode(cfg Config, pieces ...[]byte) outcome {
	d := NewDecoder(cfg)
	defer d.Close()
	var o outcome
	for _, piece := range pieces {
		lent := bytes.Clone(piece)
		d.Feed(lent)
		for more := true; more; {
			m, ok, err := d.Next()
			switch {
			case err != nil && !Refused(err):
				o.fail(err)
				return o
			case err != nil:
				o.fail(err)
			case ok:
				o.message(m)
			}
			more = ok || err != nil
		}
		for i := range lent {
			lent[i] = 0xee
		}
	}
	if err := d.End(); err != nil {
		o.fail(err)
	}
	return o
}

// read reads src to its end with Next.
func read(cfg Config, src io.Reader) outcome {
	return readAll(NewReader(src, cfg), (*Reader).Next)
}

// readStreamed is read with Begin and then Read into a buffer of this size; 0 means Rest.
func readStreamed(cfg Config, src io.Reader, bufferBytes int) outcome {
	var part []byte
	begun := false
	return readAll(NewReader(src, cfg), func(r *Reader) ([]byte, error) {
		if !begun {
			if _, err := r.Begin(); err != nil {
				return nil, err
			}
			begun, part = true, nil
		}
		if bufferBytes == 0 {
			m, err := r.Rest()
			begun = err != nil && !Refused(err)
			return m, err
		}
		buf := make([]byte, bufferBytes)
		for {
			n, err := r.Read(buf)
			part = append(part, buf[:n]...)
			if err == io.EOF {
				begun = false
				return part, nil
			}
			if err != nil {
				return nil, err
			}
		}
	})
}

// readAll calls next until the end of the stream, again after timeouts.
func readAll(r *Reader, next func(r *Reader) ([]byte, error)) outcome {
	defer r.Close()
	var o outcome
	for {
		m, err := next(r)
		switch {
		case err == nil:
			o.message(m)
		case err == io.EOF:
			return o
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Nothing is lost: again.
		case Refused(err):
			o.fail(err)
		default:
			o.fail(err)
			return o
		}
	}
}

// pieces is a reader that returns one piece per Read, as far as it fits, and a timeout before each if late is set.
type pieces struct {
	list [][]byte
	late bool
	now  bool
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.now = !p.now; p.late && p.now {
		return 0, os.ErrDeadlineExceeded
	}
	for len(p.list) > 0 && len(p.list[0]) == 0 {
		p.list = p.list[1:]
	}
	if len(p.list) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.list[0])
	p.list[0] = p.list[0][n:]
	return n, nil
}

// everyWay runs a stream, cut into pieces, through all ways to receive it, and checks that each gives want.
func everyWay(t interface {
	Helper()
	Fatalf(string, ...any)
}, cfg Config, want outcome, list ...[]byte) {
	t.Helper()
	check := func(way string, got outcome) {
		t.Helper()
		if got.String() != want.String() {
			t.Fatalf("%s, pieces %q:\ngot:\n%v\nwant:\n%v", way, list, got, want)
		}
	}
	src := func(late bool) *pieces { return &pieces{list: append([][]byte(nil), list...), late: late} }
	check("Decoder", decode(cfg, list...))
	check("Next", read(cfg, src(false)))
	check("Next with timeouts", read(cfg, src(true)))
	check("Begin and Rest", readStreamed(cfg, src(true), 0))
	if cfg.Budget == nil { // Reading piece by piece holds nothing and is never refused.
		check("Begin and Read, 1 byte", readStreamed(cfg, src(true), 1))
		check("Begin and Read, 100 bytes", readStreamed(cfg, src(true), 100))
	}
	if held := cfg.Budget.Stats().HeldBytes; held != 0 {
		t.Fatalf("pieces %q: %d bytes of the budget were not given back", list, held)
	}
}
